/** Statements of a session: SQL, views over files and over small lists, and results as Arrow batches. */
import { Table, tableFromIPC, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import type { Message } from './messages.ts';
import type { Operation, Session } from './session.ts';

/** Runs a statement that changes something; what it answers is not asked for. */
export async function run(session: Session, sql: string, operation: Operation): Promise<void> {
  const plan = { command: { sqlCommand: { input: { sql: { query: sql } } } } };
  for await (const _ of session.execute(plan, operation));
}

/** Batches of a query's rows, as they come. */
export async function* batches(session: Session, sql: string, operation: Operation): AsyncGenerator<Table> {
  for await (const { arrowBatch } of session.execute({ root: { sql: { query: sql } } }, operation)) {
    if (arrowBatch?.data === undefined || arrowBatch.rowCount === 0n) continue;
    yield tableFromIPC(arrowBatch.data);
  }
}

/** For results of few rows: each an array of its cells. */
export async function rows(session: Session, sql: string, operation: Operation): Promise<unknown[][]> {
  const found: unknown[][] = [];
  for await (const batch of batches(session, sql, operation)) {
    for (const row of batch) found.push(row.toArray() as unknown[]);
  }
  return found;
}

export interface FilesView {
  name: string;
  locations: readonly string[];
  /** In Spark's DDL, or its JSON. */
  schema: string;
  /** SQL expressions; `_metadata` is Spark's own of file and row. */
  columns: readonly string[];
}

/** A view over exactly these Parquet files. */
export function viewOfFiles(session: Session, view: FilesView, operation: Operation): Promise<void> {
  const read = {
    read: { dataSource: { format: 'parquet', schema: view.schema, paths: view.locations.map(exactly) } },
  };
  const expressions = view.columns.map((expression) => ({ expressionString: { expression } }));
  return createView(
    session,
    { name: view.name, input: { project: { input: read, expressions } } },
    operation,
  );
}

export interface ColumnsView {
  name: string;
  columns: Readonly<Record<string, Int32Array | BigInt64Array | readonly string[]>>;
}

/** A view over columns of numbers and texts that are sent along. */
export function viewOfColumns(
  session: Session,
  { name, columns }: ColumnsView,
  operation: Operation,
): Promise<void> {
  const vectors = Object.entries(columns).map(([column, values]) => [column, vectorOf(values)]);
  const data = tableToIPC(new Table(Object.fromEntries(vectors)), 'stream');
  return createView(session, { name, input: { localRelation: { data } } }, operation);
}

/** Left to itself the library makes dictionaries of texts, and Spark takes their numbers for the values. */
const vectorOf = (values: ColumnsView['columns'][string]) =>
  ArrayBuffer.isView(values) ? vectorFromArray(values) : vectorFromArray(values, new Utf8());

async function createView(
  session: Session,
  { name, input }: { name: string; input: Message<'Relation'> },
  operation: Operation,
): Promise<void> {
  const plan = { command: { createDataframeView: { input, name, replace: true } } };
  for await (const _ of session.execute(plan, operation));
}

/** Hadoop takes a path for a pattern. */
const exactly = (location: string): string => location.replace(/[[\]*?{}\\]/g, '\\$&');

/** Text as a literal of Spark's SQL, whose escapes begin with a backslash. */
export const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

export const identifier = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
