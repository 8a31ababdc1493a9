import { type Engine, type JudgedBatch, type SpoolInput, tryOutHere } from '../../src/engine/engine.ts';
import { readSpool, type SpoolRow } from './spools.ts';

export interface EngineFailure {
  /** The engine fails on records that hold this text; on every batch when it is empty. */
  marker: string;
  /** So many of them in one batch are needed (1). */
  atLeast?: number;
  at: 'judge' | 'writeEvents';
  failure: Error | ((time: number) => Error);
  /** Fails only so often. */
  times?: number;
}

/** The real engine, failing on records that a test marked, wherever they are looked into. */
export function failingEngine(
  inner: Engine,
  options: EngineFailure,
): { engine: Engine; failed: () => number } {
  let failed = 0;
  const fail = () => {
    failed++;
    return options.failure instanceof Error ? options.failure : options.failure(failed);
  };
  const fails = async (spool: SpoolInput): Promise<boolean> => {
    if (failed >= (options.times ?? Number.POSITIVE_INFINITY)) return false;
    if (options.marker === '') return true;
    const { from, to } = spool.rows ?? { from: 0, to: Number.POSITIVE_INFINITY };
    const isLeftAlone = ({ shard, seq, sub }: SpoolRow, row: number) =>
      spool.crashed?.includes(row) ||
      spool.crashedAt?.some(
        (place) =>
          place.shard === shard &&
          place.sequenceNumber === seq &&
          place.subsequenceNumber === (sub < 0 ? null : sub),
      );
    const marked = (await readSpool(spool)).filter(
      (of, row) => row >= from && row < to && !isLeftAlone(of, row) && of.body.includes(options.marker),
    );
    return marked.length >= (options.atLeast ?? 1);
  };
  const judge: Engine['judge'] = async (spool, limits) => {
    const doomed = await fails(spool);
    if (doomed && options.at === 'judge') throw fail();
    const batch = await inner.judge(spool, limits);
    return doomed ? failingBatch(batch, fail) : batch;
  };
  const tryOut: Engine['tryOut'] = (spool, limits) => tryOutHere({ judge }, spool, limits);
  const own = { judge, tryOut };
  const engine = new Proxy(inner, {
    get: (target, key) => (key in own ? own[key as keyof typeof own] : target[key as keyof Engine]),
  });
  return { engine, failed: () => failed };
}

function failingBatch(batch: JudgedBatch, fail: () => Error): JudgedBatch {
  return new Proxy(batch, {
    get(target, key) {
      if (key === 'writeEvents') {
        return async () => {
          throw fail();
        };
      }
      const value = target[key as keyof JudgedBatch];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
