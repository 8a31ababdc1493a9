/** All transforms, one after the other in the order in which they read each other. One that fails stops alone. */
import { backoff, Failure } from '../base/base.ts';
import { runAppend } from './append.ts';
import { checkDefinition } from './changed.ts';
import { daysIn, rangesOf } from './days.ts';
import type { Transform } from './define.ts';
import { evolved } from './evolve.ts';
import { openMart } from './mart.ts';
import { inOrder } from './order.ts';
import { type Context, type Ran, runPartitions } from './partitions.ts';
import type { RunRecord } from './record.ts';
import { openSources } from './sources.ts';
import type { TransformOutcome, TransformsOptions } from './transforms.ts';

export async function runAll(
  options: TransformsOptions,
  names: readonly string[] | undefined,
): Promise<TransformOutcome[]> {
  const outcomes: TransformOutcome[] = [];
  for (const transform of inOrder(options.transforms)) {
    if (options.signal.aborted) break;
    if (names !== undefined && !names.includes(transform.name)) continue;
    outcomes.push(await runOne(options, transform));
  }
  return outcomes;
}

async function runOne(options: TransformsOptions, transform: Transform): Promise<TransformOutcome> {
  const records: RunRecord[] = [];
  try {
    for (let refusals = 0; !options.signal.aborted; ) {
      const ran = await runOnce(options, transform);
      if (ran !== 'refused') {
        records.push(...ran);
        break;
      }
      // Another run was faster; what it left over is planned anew.
      await options.clock.sleep(
        backoff(refusals++, { first_ms: 20, most_ms: 5_000, random: options.random }),
      );
    }
    return outcomeOf(transform, { records, stopped: options.signal.aborted });
  } catch (failure) {
    return endedBy(failure, { options, transform, records });
  }
}

/** Told to stop, a query ends with an interruption; what else went wrong meanwhile is a failure still. */
export function endedBy(
  failure: unknown,
  {
    options,
    transform,
    records,
  }: { options: TransformsOptions; transform: Transform; records: readonly RunRecord[] },
): TransformOutcome {
  const stopped = options.signal.aborted && isInterruption(failure);
  return { ...outcomeOf(transform, { records, stopped }), ...(stopped ? {} : { failure }) };
}

const isInterruption = (failure: unknown): boolean =>
  !(failure instanceof Failure) || failure.code === 'transform.interrupted';

async function runOnce(options: TransformsOptions, transform: Transform): Promise<Ran> {
  const context = await openContext(options, transform);
  await checkDefinition(context);
  const mart = await evolved(options, context.mart);
  if (mart === 'refused') return mart;
  const current = { ...context, mart };
  return transform.mode === 'partitions' ? runPartitions(current) : runAppend(current);
}

export async function openContext(options: TransformsOptions, transform: Transform): Promise<Context> {
  const sources = await openSources(options.lake, transform);
  return { options, sources, mart: await openMart(options, transform, sources) };
}

export function outcomeOf(
  { name }: Transform,
  { records, stopped }: { records: readonly RunRecord[]; stopped: boolean },
): TransformOutcome {
  return {
    ...{ name, ...(stopped && { stopped }) },
    commits: records.length,
    rows: records.reduce((sum, { rows }) => sum + rows, 0),
    days: rangesOf(records.flatMap(({ days }) => daysIn(days))),
  };
}
