/**
 * Mode `append`: what came since the last commit goes through the query once. That needs unbroken history: where it
 * cannot be shown that nothing but additions came in between, the transform stops and says so, for it would take rows
 * twice or miss some.
 */
import { Failure } from '../base/base.ts';
import { storeFiles } from '../engine/engine.ts';
import type { DataFile, FileFilter, Snapshot } from '../lake/lake.ts';
import { type Consumed, nextPortion, type Portion, tableState } from '../tables/tables.ts';
import { type Committed, commitRun, type RunCommit } from './commit.ts';
import { snapshotsSince } from './increment.ts';
import type { Mart } from './mart.ts';
import { type Context, martDays, movePointers, movesOf, type Ran } from './partitions.ts';
import type { RunRecord } from './record.ts';
import { type OpenSource, sourceViews } from './sources.ts';

export async function runAppend(context: Context): Promise<Ran> {
  const { options, sources } = context;
  const [source] = sources as [OpenSource];
  const records: RunRecord[] = [];
  let { mart } = context;
  for (;;) {
    const current = { ...context, mart };
    const from = tableState(mart.table).consumed[source.name];
    const portion = await portionOf(current, { source, from });
    if (portion === undefined) break;
    const committed = await appendPortion(current, { source, from, portion, kind: 'run', remove: [] });
    if (committed === 'refused') return committed;
    records.push(committed.record);
    mart = { ...mart, table: committed.table };
    if (!portion.more || options.signal.aborted) return records;
  }
  const moved = await movePointers({ ...context, mart }, movesOf({ ...context, mart }));
  return moved === 'refused' ? moved : [...records, ...moved];
}

/** All rows anew: the first commit takes every file out and what the first portion gives in; the others follow. */
export async function rebuild(context: Context): Promise<Ran> {
  const { options, mart, sources } = context;
  const [source] = sources as [OpenSource];
  const from = tableState(mart.table).consumed[source.name];
  const portion = await nextOf(context, { source, from: undefined });
  const { files: remove } = await options.lake.files(mart.table);
  const committed = await appendPortion(context, { source, from, portion, kind: 'rebuild', remove });
  if (committed === 'refused') return committed;
  if (!portion?.more) return [committed.record];
  const rest = await runAppend({ ...context, mart: { ...mart, table: committed.table } });
  return rest === 'refused' ? rest : [committed.record, ...rest];
}

interface Step {
  source: OpenSource;
  from: Consumed | undefined;
}

async function portionOf(context: Context, { source, from }: Step): Promise<Portion | undefined> {
  if (source.table === undefined) return undefined;
  if (from === undefined) return nextOf(context, { source, from });
  const since = checkHistory(context, { source, from });
  const portion = await nextOf(context, { source, from });
  checkFiles(context, { source, since, files: portion?.files ?? [] });
  return portion;
}

function nextOf({ options }: Context, { source, from }: Step): Promise<Portion | undefined> {
  const { table } = source;
  if (table === undefined) return Promise.resolve(undefined);
  const where = commonFilters(source);
  return nextPortion(options.lake, { table, consumed: from, maxRows: options.maxRows, where });
}

/** What every file that is asked for passes: its type, and its names where no type is asked for as a whole. */
function commonFilters({ views }: OpenSource): FileFilter[] {
  const own = views.filter(({ where }) => where.length > 0);
  if (own.length === 0) return [];
  const valuesOf = (column: string) =>
    own.map(({ where }) => where.find((filter) => filter.column === column)?.in);
  return ['event_type', 'event_name'].flatMap((column) => {
    const values = valuesOf(column);
    return values.includes(undefined) ? [] : [{ column, in: values.flatMap((some) => some ?? []) }];
  });
}

function checkHistory(
  { mart }: Context,
  { source, from }: { source: OpenSource; from: Consumed },
): readonly Snapshot[] {
  const since = snapshotsSince(source.table!, from);
  const changed = since?.find(
    ({ summary }) => !['append', 'replace', 'delete'].includes(summary['operation']!),
  );
  if (since !== undefined && changed === undefined) return since;
  throw historyGone(
    mart,
    since === undefined
      ? `${source.name} has no snapshot ${from.snapshot} in its history any more, up to which it was read: it was expired, or the table was rolled back`
      : `snapshot ${changed!['snapshot-id']} of ${source.name} rewrote rows (${changed!.summary['operation']}), and nothing says which of them are new`,
  );
}

/** A compacted file counts as new as its newest row; of what lay before the pointer it may hold rows as well. */
function checkFiles(
  { mart }: Context,
  { source, since, files }: { source: OpenSource; since: readonly Snapshot[]; files: readonly DataFile[] },
): void {
  const replacing = since.filter(({ summary }) => summary['operation'] === 'replace');
  const ids = new Set(replacing.map((snapshot) => snapshot['snapshot-id']));
  const mixed = files.find(({ snapshotId }) => snapshotId !== undefined && ids.has(snapshotId));
  if (mixed === undefined) return;
  throw historyGone(
    mart,
    `snapshot ${mixed.snapshotId} of ${source.name} put rows that were read and rows that were not into one file`,
  );
}

function historyGone({ transform: { name }, table }: Mart, why: string): Failure {
  return new Failure(`transform ${name} cannot go on from where it stopped`, {
    code: 'transform.history_gone',
    fault: 'user',
    why,
    hint: `lakeward transform backfill ${name} makes ${table.name} anew from all that is there`,
    docs: 'docs/how-to/transforms.md',
  });
}

async function appendPortion(
  context: Context,
  step: Step & {
    portion: Portion | undefined;
    kind: RunCommit['kind'];
    remove: readonly DataFile[];
  },
): Promise<Committed> {
  const { options, mart } = context;
  const started_ms = options.clock.now();
  const { source, from, portion, kind, remove } = step;
  const read = portion?.files ?? [];
  await using undecided = new AsyncDisposableStack();
  const files = read.length === 0 ? [] : await passThrough(context, { source, read, undecided });
  return await commitRun(options, mart, {
    kind,
    days: [],
    files,
    remove,
    moves: portion === undefined ? [] : [{ table: source.name, from, to: portion.to }],
    read,
    started_ms,
    held: () => (mart.transform.partition === undefined ? Promise.resolve([]) : martDays(context)),
  });
}

async function passThrough(
  { options, mart }: Context,
  {
    source,
    read,
    undecided,
  }: { source: OpenSource; read: readonly DataFile[]; undecided: AsyncDisposableStack },
): Promise<DataFile[]> {
  const { lake, engine, signal } = options;
  const { name, sql, partition } = mart.transform;
  const planned = new Map(source.views.map((view) => [view, read]));
  await using answer = await engine.transform({
    ...{
      name,
      table: mart.table.name,
      views: sourceViews(source, { planned }),
      sql,
      fields: mart.fields,
      properties: mart.table.metadata.properties,
      signal,
    },
    ...(partition === undefined ? {} : { partition: { column: partition } }),
  });
  const files = await storeFiles(lake, { table: mart.table, files: answer.files });
  undecided.use(answer.guard?.move());
  return files;
}
