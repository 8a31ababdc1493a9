/**
 * A transform's query in Spark: the views are files by path, the SQL is printed for Spark from DuckDB's parse tree, and
 * the answer, made once and kept on Spark's disks, is written to a branch as every other batch is.
 */
import { Failure } from '../../base/base.ts';
import type { Engine } from '../engine.ts';
import { columnText, portable } from '../portable/portable.ts';
import type {
  OutputColumn,
  SourceView,
  TransformAnswer,
  TransformQuery,
  TransformWrite,
} from '../transform-engine.ts';
import { dayText, interrupted, queryFailed, wrongDay } from '../transform-failures.ts';
import type { BranchWriter } from './branch-write.ts';
import { schemaOf, sparkType } from './column-types.ts';
import { identifier, literal } from './connect/statements.ts';
import type { Workspace } from './connection.ts';

interface Given {
  /** Parses, and says which columns the query gives. */
  embedded: Engine;
  writer: BranchWriter;
  workspace: Workspace;
}

const DOCS = 'docs/reference/portable-sql.md';

/** Throws Failure `transform.not_portable` for the first place that Spark would not give the same for. */
export async function outputColumns(embedded: Engine, query: TransformQuery): Promise<OutputColumn[]> {
  await sparkSql(embedded, query, new Map(query.views.map(({ name }) => [name, name])));
  return embedded.outputColumns(query);
}

async function sparkSql(
  embedded: Engine,
  { name, sql }: TransformQuery,
  views: ReadonlyMap<string, string>,
): Promise<string> {
  const ask = async (statement: string) => {
    const { chunks } = await embedded.query(statement);
    let text = '';
    for await (const [row] of chunks()) text = String(row?.[0] ?? text);
    return text;
  };
  const byName = new Map([...views].map(([view, known]) => [view.toLowerCase(), known]));
  const { spark, problems } = await portable(ask, { sql, views: byName });
  const [first] = problems;
  if (first === undefined) return spark;
  const place = first.line === undefined ? '' : `line ${first.line}, column ${first.column}: `;
  const others =
    problems.length === 1 ? '' : ` (and ${problems.length - 1} more: lakeward transform check ${name})`;
  throw new Failure(`transform ${name} does not run on Spark`, {
    code: 'transform.not_portable',
    fault: 'user',
    why: `${place}${first.what} is not known to give the same there${others}`,
    hint: first.hint,
    docs: DOCS,
  });
}

const ROWS_KEPT = 'computing a transform';

export async function transform(given: Given, write: TransformWrite): Promise<TransformAnswer> {
  await using workspace = given.workspace;
  try {
    const answer = await kept(given, write);
    if (write.partition?.only !== undefined) await checkDays(workspace, { write, answer });
    const where = wanted(write);
    const [[count] = []] = await workspace.rows(ROWS_KEPT, `select count(*) from ${answer} where ${where}`);
    const rows = Number(count);
    if (rows === 0) return { rows, files: [], [Symbol.asyncDispose]: async () => {} };
    const { files, release } = await given.writer.write(workspace, {
      doing: `writing transform ${write.name}`,
      table: write.table,
      definition: { schema: { fields: write.fields }, partition: [], sort: [], properties: {} },
      select: `select * from ${answer} where ${where}`,
      rows,
    });
    const guard = new AsyncDisposableStack();
    guard.defer(release);
    return { rows, files, guard, [Symbol.asyncDispose]: () => guard.disposeAsync() };
  } catch (error) {
    throw write.signal?.aborted ? interrupted(write, error) : error;
  }
}

async function kept({ embedded, workspace }: Given, write: TransformWrite): Promise<string> {
  const views = new Map<string, string>();
  for (const view of write.views) views.set(view.name, await shown(workspace, view));
  const given = new Set((await embedded.outputColumns(write)).map(({ name }) => name));
  const sql = await sparkSql(embedded, write, views);
  const columns = write.fields.map(({ name, type }) => {
    const value = given.has(name) ? columnText(identifier(name), type) : `cast(null as ${sparkType(type)})`;
    return `${value} as ${identifier(name)}`;
  });
  try {
    return await workspace.kept(ROWS_KEPT, `select ${columns.join(', ')} from (${sql})`);
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'spark.failed')) throw error;
    throw queryFailed(write, { why: error.why ?? error.message, cause: error });
  }
}

async function shown(workspace: Workspace, { fields, files, anyOf, days }: SourceView): Promise<string> {
  const doing = ROWS_KEPT;
  if (files.length === 0) {
    const nulls = fields.map(({ name, type }) => `cast(null as ${sparkType(type)}) as ${identifier(name)}`);
    return workspace.sqlView(doing, `select ${nulls.join(', ')} where false`);
  }
  const scan = await workspace.filesView(doing, {
    locations: files.map(({ location }) => location),
    schema: schemaOf(fields),
    columns: fields.map(({ name }) => identifier(name)),
  });
  const either = anyOf?.map(
    ({ column, values }) => `${identifier(column)} in (${values.map(literal).join(', ')})`,
  );
  const conditions = [
    ...(either === undefined ? [] : [`(${either.join(' or ')})`]),
    ...(days === undefined ? [] : [dayRange(days, fields)]),
  ];
  if (conditions.length === 0) return scan;
  return workspace.sqlView(doing, `select * from ${scan} where ${conditions.join(' and ')}`);
}

/** A comparison of the column itself, so that row groups are left out by their statistics. */
function dayRange(
  { column, first, last }: NonNullable<SourceView['days']>,
  fields: SourceView['fields'],
): string {
  const type = sparkType(fields.find(({ name }) => name === column)?.type);
  const moment = (day: number) => `cast('${dayText(day)}' as ${type})`;
  return `${identifier(column)} >= ${moment(first)} and ${identifier(column)} < ${moment(last + 1)}`;
}

const dayOf = (column: string) => `datediff(cast(${identifier(column)} as date), date'1970-01-01')`;

const wanted = ({ partition }: TransformWrite): string =>
  partition?.only === undefined ? 'true' : `${dayOf(partition.column)} = ${partition.only.day}`;

async function checkDays(
  workspace: Workspace,
  { write: { name, partition }, answer }: { write: TransformWrite; answer: string },
): Promise<void> {
  const { column, only } = partition!;
  const { first, last } = only!.within;
  const [wrong] = await workspace.rows(
    ROWS_KEPT,
    `select cast(${identifier(column)} as string) from ${answer}
     where ${identifier(column)} is null or ${dayOf(column)} not between ${first} and ${last} limit 1`,
  );
  if (wrong !== undefined) throw wrongDay(name, { column, found: wrong[0], within: only!.within });
}
