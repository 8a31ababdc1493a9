/**
 * Days computed anew because somebody asks for it: after a change of the definition, or of what an older one got
 * wrong. Chunk by chunk, each on the table as it then is; a chunk whose base moved is computed again, so that nothing
 * is overwritten that a newer run wrote.
 */
import { backoff } from '../base/base.ts';
import { rebuild } from './append.ts';
import { type DayRange, rangesOf } from './days.ts';
import type { Transform } from './define.ts';
import { checkColumns, evolved } from './evolve.ts';
import { allDays, type Context, computeDays, type Ran } from './partitions.ts';
import { martRecord, type RunRecord } from './record.ts';
import { endedBy, openContext, outcomeOf } from './run.ts';
import { filesIn, planViews } from './sources.ts';
import type { BackfillPlan, BackfillRange, TransformOutcome, TransformsOptions } from './transforms.ts';

export async function planBackfill(
  options: TransformsOptions,
  transform: Transform,
  range: BackfillRange,
): Promise<BackfillPlan> {
  const context = await openContext(options, transform);
  const days = transform.mode === 'append' ? [] : await daysOf(context, range);
  // Without a day nothing is computed, and the table stays as it is.
  if (transform.mode === 'append' || days.length > 0) checkColumns(context.mart);
  const read = await readFor(context, days);
  return {
    name: transform.name,
    kind: transform.mode === 'append' ? 'rebuild' : 'backfill',
    days: rangesOf(days),
    commits: transform.mode === 'append' ? undefined : Math.ceil(days.length / options.maxDays),
    read,
    definitionChanged: martRecord(context.mart.table)!.definition !== context.mart.definition,
  };
}

export async function runBackfill(
  options: TransformsOptions,
  transform: Transform,
  range: BackfillRange,
): Promise<TransformOutcome> {
  const records: RunRecord[] = [];
  try {
    if (transform.mode === 'append') records.push(...(await unlessRefused(options, transform, rebuild)));
    else await backfillDays(options, transform, { range, records });
    return outcomeOf(transform, { records, stopped: options.signal.aborted });
  } catch (failure) {
    return endedBy(failure, { options, transform, records });
  }
}

async function backfillDays(
  options: TransformsOptions,
  transform: Transform,
  { range, records }: { range: BackfillRange; records: RunRecord[] },
): Promise<void> {
  const days = await daysOf(await openContext(options, transform), range);
  for (let first = 0; first < days.length && !options.signal.aborted; first += options.maxDays) {
    const chunk = days.slice(first, first + options.maxDays);
    const work = { kind: 'backfill' as const, days: chunk, moves: [] };
    records.push(...(await unlessRefused(options, transform, (context) => computeDays(context, work))));
  }
}

async function unlessRefused(
  options: TransformsOptions,
  transform: Transform,
  step: (context: Context) => Promise<Ran>,
): Promise<readonly RunRecord[]> {
  const { clock, random, signal } = options;
  for (let refusals = 0; ; ) {
    const context = await openContext(options, transform);
    const mart = await evolved(options, context.mart);
    const ran = mart === 'refused' ? mart : await step({ ...context, mart });
    if (ran !== 'refused') return ran;
    signal.throwIfAborted();
    await clock.sleep(backoff(refusals++, { first_ms: 20, most_ms: 5_000, random }), signal);
  }
}

async function daysOf(context: Context, { from, to }: BackfillRange): Promise<number[]> {
  const days = await allDays(context);
  return days.filter((day) => (from === undefined || day >= from) && (to === undefined || day <= to));
}

async function readFor({ options, sources, mart }: Context, days: readonly number[]) {
  const reads = mart.transform.mode === 'partitions' ? mart.transform.reads : undefined;
  const isRebuild = mart.transform.mode === 'append';
  const window: DayRange | undefined = isRebuild
    ? undefined
    : {
        first: (days[0] ?? 0) - (reads?.daysBefore ?? 0),
        last: (days.at(-1) ?? 0) + (reads?.daysAfter ?? 0),
      };
  if (!isRebuild && days.length === 0) return { files: 0, bytes: 0 };
  const planned = await Promise.all(
    sources.map((source) => planViews(options.lake, source, window === undefined ? {} : { days: window })),
  );
  const files = planned.flatMap(filesIn);
  return { files: files.length, bytes: files.reduce((sum, file) => sum + file.fileSize, 0) };
}
