/**
 * Finds the records on which the engine fails, or with which its process goes down, by halving the batch. Only a failure
 * of the engine itself counts, and only where the engine otherwise works: a full disk, a store or catalog that is away
 * say nothing about a record, and end the search with the failure that they are. Too little memory says nothing either,
 * but the search has less of it than the judgement: rows that do not fit are looked into by halves, or go unsearched.
 */
import { Failure } from '../base/base.ts';
import type { Engine, EventLimits, SpoolInput } from '../engine/engine.ts';

/** Of one batch; with more of them it is not the records. */
const CORNERED_MAX = 100;
/** A record is cornered when the engine fails on it alone so many times. */
const TIMES = 3;
/** Rows are halved for want of memory so often in one search. */
const LACKS_MOST = 32;

export interface Cornering {
  engine: Engine;
  limits: EventLimits;
  spool: SpoolInput;
  /** Rows of the spool. */
  rows: number;
  /** Aborted: the search ends with a failure that may be tried again. */
  signal: AbortSignal;
}

interface Found {
  cornered: number[];
  lacks: number;
}

/** Codes of failures that the data can cause: nothing outside of the engine is involved in them. */
export const isEngineCrash = (error: unknown): error is Failure =>
  error instanceof Failure && (error.code === 'engine.failed' || error.code === 'engine.crashed');

/** Row ids, none when the batch passes; Failure `processor.engine_fails` when no record is to blame. */
export async function cornerRows(cornering: Cornering): Promise<number[]> {
  const { spool, rows } = cornering;
  if ((await failureOn(cornering, spool)) === undefined) return [];
  const broken = await failureOn(cornering, { ...spool, rows: { from: 0, to: 0 } });
  if (broken !== undefined) throw engineFails(broken, 'it fails on a batch without a record too');
  const found: Found = { cornered: [], lacks: 0 };
  await halve(cornering, { from: 0, to: rows }, found);
  const { cornered } = found;
  const left = await failureOn(cornering, { ...spool, crashed: cornered });
  if (isEngineCrash(left)) throw engineFails(left, 'no single record of the batch is to blame');
  return cornered;
}

/** The failure of the engine on these rows, whatever they are used for, or its want of memory. */
async function failureOn(
  { engine, limits, signal }: Cornering,
  spool: SpoolInput,
): Promise<Failure | undefined> {
  if (signal.aborted) throw ended();
  try {
    await engine.tryOut(spool, limits);
    return undefined;
  } catch (error) {
    if (isEngineCrash(error) || lacksMemory(error)) return error;
    throw error;
  }
}

const lacksMemory = (error: unknown): error is Failure =>
  error instanceof Failure && error.code === 'engine.memory';

async function halve(cornering: Cornering, rows: { from: number; to: number }, found: Found): Promise<void> {
  if (rows.from === rows.to) return;
  const failure = await failureOn(cornering, { ...cornering.spool, rows });
  if (failure === undefined) return;
  if (lacksMemory(failure) && found.lacks++ >= LACKS_MOST) return;
  if (rows.to - rows.from > 1) {
    const middle = (rows.from + rows.to) >> 1;
    await halve(cornering, { ...rows, to: middle }, found);
    await halve(cornering, { ...rows, from: middle }, found);
    return;
  }
  let crash: Failure | undefined = failure;
  for (let time = 1; time < TIMES && isEngineCrash(crash); time++)
    crash = await failureOn(cornering, { ...cornering.spool, rows });
  if (!isEngineCrash(crash)) return;
  if (found.cornered.length === CORNERED_MAX)
    throw engineFails(crash, `it fails on more than ${CORNERED_MAX} records`);
  found.cornered.push(rows.from);
}

function ended(): Failure {
  return new Failure('the search for a record on which the engine fails was ended', {
    code: 'processor.search_ended',
    fault: 'user',
    retry: 'refresh',
    why: 'the processor was told to stop',
  });
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
