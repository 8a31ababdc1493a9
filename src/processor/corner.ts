/**
 * Finds the records on which the engine fails, or with which its process goes down, by halving the batch. Only a failure of the engine itself counts, and
 * only where the engine otherwise works: a full disk, too little memory, a store or catalog that is away say nothing
 * about a record, and end the search with the failure that they are.
 */
import { Failure } from '../base/base.ts';
import type { Engine, EventLimits, SpoolInput } from '../engine/engine.ts';

/** Of one batch; with more of them it is not the records. */
const CORNERED_MAX = 100;
/** A record is cornered when the engine fails on it alone so many times. */
const TIMES = 3;

export interface Cornering {
  engine: Engine;
  limits: EventLimits;
  spool: SpoolInput;
  /** Rows of the spool. */
  rows: number;
}

/** Codes of failures that the data can cause: nothing outside of the engine is involved in them. */
export const isEngineCrash = (error: unknown): error is Failure =>
  error instanceof Failure && (error.code === 'engine.failed' || error.code === 'engine.crashed');

/** Row ids, none when the batch passes; Failure `processor.engine_fails` when no record is to blame. */
export async function cornerRows(cornering: Cornering): Promise<number[]> {
  const { spool, rows } = cornering;
  const whole = { from: 0, to: rows };
  if ((await crashOn(cornering, spool)) === undefined) return [];
  const broken = await crashOn(cornering, { ...spool, rows: { from: 0, to: 0 } });
  if (broken !== undefined) throw engineFails(broken, 'it fails on a batch without a record too');
  const cornered: number[] = [];
  await halve(cornering, whole, cornered);
  const left = await crashOn(cornering, { ...spool, crashed: cornered });
  if (left !== undefined) throw engineFails(left, 'no single record of the batch is to blame');
  return cornered;
}

/** The failure of the engine on these rows, whatever they are used for. */
async function crashOn({ engine, limits }: Cornering, spool: SpoolInput): Promise<Failure | undefined> {
  try {
    await engine.tryOut(spool, limits);
    return undefined;
  } catch (error) {
    if (isEngineCrash(error)) return error;
    throw error;
  }
}

async function halve(
  cornering: Cornering,
  rows: { from: number; to: number },
  cornered: number[],
): Promise<void> {
  if (rows.from === rows.to) return;
  const crash = await crashOn(cornering, { ...cornering.spool, rows });
  if (crash === undefined) return;
  if (rows.to - rows.from > 1) {
    const middle = (rows.from + rows.to) >> 1;
    await halve(cornering, { ...rows, to: middle }, cornered);
    await halve(cornering, { ...rows, from: middle }, cornered);
    return;
  }
  for (let time = 1; time < TIMES; time++) {
    if ((await crashOn(cornering, { ...cornering.spool, rows })) === undefined) return;
  }
  if (cornered.length === CORNERED_MAX)
    throw engineFails(crash, `it fails on more than ${CORNERED_MAX} records`);
  cornered.push(rows.from);
}

function engineFails(crash: Failure, where: string): Failure {
  return new Failure('the engine fails on a batch of events', {
    code: 'processor.engine_fails',
    fault: 'ourselves',
    why: `${where}: ${crash.why ?? crash.message}`,
    hint: 'nothing is lost: the stream still has the batch; try a smaller commit.maxRows, and please report it, with the log',
    docs: 'docs/explanation/reading-a-stream.md',
    cause: crash,
  });
}
