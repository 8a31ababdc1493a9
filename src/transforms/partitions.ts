/**
 * Mode `partitions`: the days that an increment touches are computed anew from all that is live, one query a day, and
 * replaced in one commit. A row of a day depends on the events of that day and of the days around it that the
 * definition names, never on which days happened to be computed together; so the same run twice gives the same rows,
 * and a commit that did not happen is simply made again.
 */
import { Failure } from '../base/base.ts';
import { storeFiles } from '../engine/engine.ts';
import type { DataFile } from '../lake/lake.ts';
import { tableState } from '../tables/tables.ts';
import { commitRun, type Move } from './commit.ts';
import { daysIn } from './days.ts';
import { heldDays, touchedDays } from './increment.ts';
import type { Mart } from './mart.ts';
import type { RunRecord } from './record.ts';
import {
  dayField,
  daysFilter,
  daysOfFile,
  filesIn,
  type OpenSource,
  planViews,
  sourceViews,
  type ViewFiles,
} from './sources.ts';
import type { TransformsOptions } from './transforms.ts';

export interface Context {
  options: TransformsOptions;
  mart: Mart;
  sources: readonly OpenSource[];
}

/** What a run did; `refused`: another was faster, and everything has to be planned again. */
export type Ran = readonly RunRecord[] | 'refused';

export async function runPartitions(context: Context): Promise<Ran> {
  const moves = movesOf(context);
  const days = await daysToCompute(context);
  if (days.length > 0) return computeDays(context, { kind: 'run', days, moves });
  return movePointers(context, moves);
}

/** In chunks of a bounded number of days; the pointers move with the last one. */
export async function computeDays(
  context: Context,
  work: { kind: 'run' | 'backfill'; days: readonly number[]; moves: readonly Move[] },
): Promise<Ran> {
  const { maxDays, signal } = context.options;
  const records: RunRecord[] = [];
  let { mart } = context;
  for (let first = 0; first < work.days.length; first += maxDays) {
    if (signal.aborted) break;
    const days = work.days.slice(first, first + maxDays);
    const isLast = first + maxDays >= work.days.length;
    const chunk = { ...work, days, moves: isLast ? work.moves : [] };
    const committed = await computeChunk({ ...context, mart }, chunk);
    if (committed === 'refused') return committed;
    records.push(committed.record);
    mart = { ...mart, table: committed.table };
  }
  return records;
}

async function computeChunk(
  context: Context,
  { kind, days, moves }: { kind: 'run' | 'backfill'; days: readonly number[]; moves: readonly Move[] },
) {
  const { options, mart, sources } = context;
  const started_ms = options.clock.now();
  const { before, after } = reachOf(mart);
  const window = { first: days[0]! - before, last: days.at(-1)! + after };
  const planned = await Promise.all(sources.map((each) => planViews(options.lake, each, { days: window })));
  await using undecided = new AsyncDisposableStack();
  const files: DataFile[] = [];
  for (const day of days) files.push(...(await computeDay(context, { day, planned, undecided })));
  return await commitRun(options, mart, {
    kind,
    days,
    files,
    remove: await filesOfDays(context, days),
    moves,
    read: planned.flatMap(filesIn),
    started_ms,
    held: () => martDays(context),
  });
}

async function computeDay(
  { options, mart, sources }: Context,
  {
    day,
    planned,
    undecided,
  }: { day: number; planned: readonly ViewFiles[]; undecided: AsyncDisposableStack },
): Promise<DataFile[]> {
  const { lake, engine, signal } = options;
  signal.throwIfAborted();
  const { before, after } = reachOf(mart);
  const within = { first: day - before, last: day + after };
  const views = sources.flatMap((source, i) => sourceViews(source, { planned: planned[i]!, days: within }));
  if (views.every(({ files }) => files.length === 0)) return [];
  const { name, sql, partition } = mart.transform;
  const { fields, table } = mart;
  const only = { day, within };
  await using answer = await engine.transform({
    ...{ name, table: table.name, views, sql, fields, signal },
    properties: table.metadata.properties,
    partition: { column: partition!, only },
  });
  const files = await storeFiles(lake, { table, files: answer.files });
  undecided.use(answer.guard?.move());
  return files;
}

/** Days of the mart's rows that a day's events can change: those that read it. */
async function daysToCompute(context: Context): Promise<number[]> {
  const { options, mart, sources } = context;
  const { consumed } = tableState(mart.table);
  const { before, after } = reachOf(mart);
  const days = new Set<number>();
  for (const source of sources) {
    const touched = await touchedDays(options.lake, source, consumed[source.name]);
    if (touched === 'all') return allDays(context);
    for (const event of touched) for (let day = event - after; day <= event + before; day++) days.add(day);
  }
  return sorted(days);
}

/** Days that the mart holds, or could. */
export async function allDays(context: Context): Promise<number[]> {
  const { options, mart, sources } = context;
  const { before, after } = reachOf(mart);
  const days = new Set(await martDays(context));
  for (const source of sources) {
    const held = await heldDays(options.lake, source);
    if (held === 'all') throw unknownDays(mart, source);
    for (const event of held) for (let day = event - after; day <= event + before; day++) days.add(day);
  }
  return sorted(days);
}

export async function martDays({ options, mart }: Pick<Context, 'options' | 'mart'>): Promise<number[]> {
  const { files } = await options.lake.files(mart.table);
  return sorted(new Set(files.flatMap((file) => daysIn([martDay(mart, file)]))));
}

/** Live files of the mart with rows of these days. */
async function filesOfDays({ options, mart }: Context, days: readonly number[]): Promise<DataFile[]> {
  const field = dayField(mart.table)!;
  const range = { first: days[0]!, last: days.at(-1)! };
  const { files } = await options.lake.files(mart.table, { where: [daysFilter(field, range)] });
  const wanted = new Set(days);
  return files.filter((file) => wanted.has(martDay(mart, file).first));
}

/** Of one file of the mart: it lies in one day, or nobody could replace that day alone. */
function martDay({ transform, table }: Mart, file: DataFile) {
  const held = daysOfFile(table, file, dayField(table));
  if (held !== undefined && held.first === held.last) return held;
  throw new Failure(`transform ${transform.name} cannot replace days of ${table.name}`, {
    code: 'transform.foreign_file',
    fault: 'user',
    why: `${file.location} holds rows of several days; another program wrote it`,
    hint: 'remove the file with that program, then run the transform again',
    docs: 'docs/reference/transforms.md',
  });
}

function unknownDays({ transform }: Mart, { name }: OpenSource): Failure {
  return new Failure(`transform ${transform.name} cannot tell which days ${name} holds`, {
    code: 'transform.unknown_days',
    fault: 'user',
    why: 'a file that another program wrote lies in no day and says nothing of its dates',
    hint: 'rewrite the file with that program so that it is partitioned as the table is',
    docs: 'docs/reference/transforms.md',
  });
}

export function reachOf({ transform }: Pick<Mart, 'transform'>): { before: number; after: number } {
  const reads = transform.mode === 'partitions' ? transform.reads : undefined;
  return { before: reads?.daysBefore ?? 0, after: reads?.daysAfter ?? 0 };
}

/** From where the mart stands to what the sources hold now. */
export function movesOf({ mart, sources }: Context): Move[] {
  const { consumed } = tableState(mart.table);
  return sources.flatMap(({ name, table }) => {
    const snapshot = table?.metadata.snapshots.find(
      (each) => each['snapshot-id'] === table.metadata['current-snapshot-id'],
    );
    if (table === undefined || snapshot === undefined) return [];
    const to = {
      uuid: table.metadata['table-uuid'],
      snapshot: snapshot['snapshot-id'],
      sequenceNumber: snapshot['sequence-number'],
    };
    return [{ table: name, from: consumed[name], to }];
  });
}

/** A pointer older than this moves although nothing of interest came, or expiry would leave it behind. */
const POINTER_AGE_MS_MAX = 6 * 3_600_000;

/** A commit without rows, now and then. */
export async function movePointers(context: Context, moves: readonly Move[]): Promise<Ran> {
  const { options, mart, sources } = context;
  const isOld = ({ table: name, from, to }: Move): boolean => {
    if (from?.snapshot === to.snapshot) return false;
    const { metadata } = sources.find((source) => source.name === name)!.table!;
    const time = (id: bigint | undefined) =>
      metadata.snapshots.find((each) => each['snapshot-id'] === id)?.['timestamp-ms'] ?? 0;
    return time(to.snapshot) - time(from?.snapshot) > POINTER_AGE_MS_MAX;
  };
  if (!moves.some(isOld)) return [];
  const committed = await commitRun(options, mart, {
    kind: 'pointer',
    days: [],
    files: [],
    remove: [],
    moves,
    read: [],
    started_ms: options.clock.now(),
    held: () => martDays(context),
  });
  return committed === 'refused' ? committed : [committed.record];
}

const sorted = (days: ReadonlySet<number>): number[] => [...days].sort((a, b) => a - b);
