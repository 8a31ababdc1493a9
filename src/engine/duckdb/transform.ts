/**
 * A transform's query. Its answer is staged once as a temporary table, converted to the table's types; what is checked
 * and what is written are then the same rows, also where the query is not deterministic.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { Failure } from '../../base/base.ts';
import type { Field } from '../../lake/lake.ts';
import type { LocalFile } from '../engine.ts';
import type { HeldFiles, LocalFiles, Need } from '../local-files.ts';
import { columnsRead, type NotPortable, portable, treeOf, treeStatement } from '../portable/portable.ts';
import type {
  OutputColumn,
  SourceView,
  TransformAnswer,
  TransformQuery,
  TransformWrite,
} from '../transform-engine.ts';
import { dayText, interrupted, queryFailed, TRANSFORM_DOCS, wrongDay } from '../transform-failures.ts';
import type { BatchFolder } from './batch-folders.ts';
import { icebergType, sqlType } from './column-types.ts';
import { engineFailure } from './duckdb.ts';
import { interruptible } from './interruptible.ts';
import { questionOf } from './question.ts';
import { identifier, list, literal } from './sql.ts';
import { selectOf } from './views.ts';
import { ensureRows, partitionHint, writePartitioned } from './write.ts';

export async function outputColumns(c: DuckDBConnection, query: TransformQuery): Promise<OutputColumn[]> {
  try {
    await checkQuery(c, query);
    for (const view of query.views) await c.run(viewStatement({ ...view, files: [] }, []));
    const rows = (await c.runAndReadAll(`describe ${closed(query.sql)}`)).getRowsJson();
    return rows.map(([name, given]) => ({
      name: String(name),
      given: String(given),
      type: icebergType(String(given)),
    }));
  } catch (error) {
    throw sqlFailure(error, query);
  } finally {
    c.closeSync();
  }
}

export async function notPortable(
  c: DuckDBConnection,
  { sql, views }: { sql: string; views: readonly string[] },
): Promise<readonly NotPortable[]> {
  try {
    const ask = async (statement: string) => String((await c.runAndReadAll(statement)).getRowsJson()[0]![0]);
    const named = new Map(views.map((name) => [name.toLowerCase(), name]));
    return (await portable(ask, { sql, views: named })).problems;
  } finally {
    c.closeSync();
  }
}

interface Input {
  write: TransformWrite;
  files: LocalFiles;
  folder: BatchFolder;
}

export async function transform(
  c: DuckDBConnection,
  { write, files: access, folder }: Input,
): Promise<TransformAnswer> {
  const held: HeldFiles[] = [];
  const end = interruptible(c, write.signal);
  try {
    write.signal?.throwIfAborted();
    const read = await columnsOf(c, write.sql);
    for (const view of write.views) held.push(await access.hold(view.files, needOf(view, read)));
    await stageAnswer(c, write, held);
    if (write.partition?.only !== undefined) await checkDays(c, write);
    const counted = await c.runAndReadAll(`select count(*) from ${ANSWER} where ${wanted(write)}`);
    const rows = Number(counted.getRowsJson()[0]![0]);
    const files = rows === 0 ? [] : ensureRows(await writeAnswer(c, write, folder), rows);
    return { rows, files, [Symbol.asyncDispose]: () => folder.release() };
  } catch (error) {
    await folder.release();
    if (write.signal?.aborted) throw interrupted(write, error);
    throw engineFailure(error, `writing transform ${write.name}`);
  } finally {
    end();
    for (const each of held) each.release();
    c.closeSync();
  }
}

/** Names in lower case that the query can read; undefined: all. */
async function columnsOf(c: DuckDBConnection, sql: string): Promise<ReadonlySet<string> | undefined> {
  const tree = treeOf(String((await c.runAndReadAll(treeStatement(sql))).getRowsJson()[0]![0]));
  return tree && columnsRead(tree);
}

/** Rows that the view shows: any of the values, and the days, whichever it has; and the columns that are read of them. */
function needOf(view: SourceView, read: ReadonlySet<string> | undefined): Need {
  const filtered = [...(view.anyOf ?? []), ...(view.days === undefined ? [] : [view.days])];
  const names = new Set([...(read ?? []), ...filtered.map(({ column }) => column.toLowerCase())]);
  const columns = view.fields.filter(({ name }) => names.has(name.toLowerCase()));
  // Rows are counted by a column, if by no other.
  const needed = columns.length === 0 ? view.fields.slice(0, 1) : columns;
  return { ...rowsNeeded(view), ...(read !== undefined && { columns: needed }) };
}

function rowsNeeded({ fields, anyOf, days }: SourceView): Need {
  const withId = <Filter extends { column: string }>(filter: Filter) => {
    const id = fields.find(({ name }) => name === filter.column)?.id;
    return { ...filter, ...(id !== undefined && { id }) };
  };
  const day = days && [withId({ column: days.column, ...boundsOf(days, fields) })];
  if (anyOf === undefined) return day === undefined ? {} : { anyOf: [day] };
  return { anyOf: anyOf.map(({ column, values }) => [withId({ column, in: values }), ...(day ?? [])]) };
}

const DAY_US = 86_400_000_000n;

function boundsOf({ column, first, last }: NonNullable<SourceView['days']>, fields: readonly Field[]) {
  if (fields.find(({ name }) => name === column)?.type === 'date') return { min: first, max: last };
  return { min: BigInt(first) * DAY_US, max: BigInt(last + 1) * DAY_US - 1n };
}

const ANSWER = '__answer';

async function stageAnswer(
  c: DuckDBConnection,
  write: TransformWrite,
  held: readonly HeldFiles[],
): Promise<void> {
  try {
    for (const [i, view] of write.views.entries()) await c.run(viewStatement(view, held[i]!.paths));
    const given = await c.runAndReadAll(`describe ${closed(write.sql)}`);
    const names = new Set(given.getRowsJson().map(([name]) => String(name)));
    const columns = write.fields.map((field) => column(field, names)).join(', ');
    await c.run(`create temp table ${ANSWER} as select ${columns} from (${closed(write.sql)})`);
  } catch (error) {
    throw sqlFailure(error, write);
  }
}

function column({ name, type }: Field, names: ReadonlySet<string>): string {
  const value = names.has(name) ? identifier(name) : 'null';
  return `cast(${value} as ${sqlType(type)}) as ${identifier(name)}`;
}

/** One statement, and a question; a trailing semicolon or comment would end the parentheses around it. */
async function checkQuery(c: DuckDBConnection, { sql, name }: TransformQuery): Promise<void> {
  if ((await questionOf(c, closed(sql))) !== 'pivot') return;
  throw new Failure(`transform ${name}: its SQL does not say which columns it gives`, {
    code: 'transform.sql',
    fault: 'user',
    why: 'a PIVOT without a list of values has as many columns as there are values',
    hint: "list them: PIVOT … ON column IN ('a', 'b')",
    docs: TRANSFORM_DOCS,
  });
}

const closed = (sql: string): string => `${sql.trim().replace(/;\s*$/, '')}\n`;

function viewStatement(view: SourceView, paths: readonly string[]): string {
  const { name, fields, files, anyOf, days } = view;
  const columns = fields.map((field) => ({ id: field.id, name: field.name, type: sqlType(field.type) }));
  const conditions = [
    ...(anyOf === undefined
      ? []
      : [`(${anyOf.map((each) => `${identifier(each.column)} in ${list(each.values)}`).join(' or ')})`]),
    ...(days === undefined ? [] : [dayRange(days, fields)]),
  ];
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  return `create or replace temp view ${identifier(name)} as select * from (${selectOf({ columns, files }, paths)})${where}`;
}

/** A comparison of the column itself, so that row groups are left out by their statistics. */
function dayRange(
  { column, first, last }: NonNullable<SourceView['days']>,
  fields: readonly Field[],
): string {
  const type = sqlType(fields.find((field) => field.name === column)?.type);
  const moment = (day: number) =>
    type === 'DATE' ? `date ${literal(dayText(day))}` : `${type} ${literal(momentText(day, type))}`;
  return `${identifier(column)} >= ${moment(first)} and ${identifier(column)} < ${moment(last + 1)}`;
}

const momentText = (day: number, type: string): string =>
  `${dayText(day)} 00:00:00${type === 'TIMESTAMPTZ' ? '+00' : ''}`;

const dayOf = (column: string): string => `date_diff('day', date '1970-01-01', ${identifier(column)}::date)`;

const wanted = ({ partition }: TransformWrite): string =>
  partition?.only === undefined ? 'true' : `${dayOf(partition.column)} = ${partition.only.day}`;

async function checkDays(c: DuckDBConnection, { name, partition }: TransformWrite): Promise<void> {
  const { column, only } = partition!;
  const { first, last } = only!.within;
  const wrong = await c.runAndReadAll(
    `select ${identifier(column)}::varchar from ${ANSWER}
     where ${identifier(column)} is null or ${dayOf(column)} not between ${first} and ${last} limit 1`,
  );
  const [found] = wrong.getRowsJson();
  if (found !== undefined) throw wrongDay(name, { column, found: found[0], within: only!.within });
}

async function writeAnswer(
  c: DuckDBConnection,
  write: TransformWrite,
  folder: BatchFolder,
): Promise<LocalFile[]> {
  const { fields, partition, properties = {} } = write;
  const key = partition === undefined ? '0' : `${dayOf(partition.column)}::integer`;
  const files = await writePartitioned(c, {
    table: { schema: { fields }, partition: [], sort: [], properties },
    select: `select *, ${key} as __key from ${ANSWER} where ${wanted(write)}`,
    partitionBy: ['__key'],
    folder: folder.path,
    hint: (values) => (partition === undefined ? '' : partitionHint([`${partition.column}_day`], values)),
  });
  if (partition !== undefined) return files;
  return files.map((each) => ({ ...each, file: { ...each.file, partition: [] } }));
}

function sqlFailure(error: unknown, query: TransformQuery): Failure {
  const failure = engineFailure(error, `transform ${query.name}`);
  if (failure.code === 'query.not_a_question')
    return queryFailed(query, { why: failure.why ?? failure.message, cause: error });
  if (failure.code !== 'engine.failed') return failure;
  return queryFailed(query, { why: String((error as Error).message), cause: error });
}
