import type { Engine, JudgedBatch } from '../../src/engine/engine.ts';

export interface WatchedEngine extends Engine {
  /** Resolves once so many spools were judged and written since the engine was opened. */
  written(batches: number): Promise<void>;
}

/** The real engine, telling when a batch is ready to be committed: the moment at which schedules are decided. */
export function watched(engine: Engine): WatchedEngine {
  let done = 0;
  let waiting: { batches: number; resolve: () => void }[] = [];
  const oneMore = () => {
    done++;
    for (const { batches, resolve } of waiting) if (batches <= done) resolve();
    waiting = waiting.filter(({ batches }) => batches > done);
  };
  return new Proxy(engine as WatchedEngine, {
    get(target, key) {
      if (key === 'written') {
        return (batches: number) =>
          batches <= done
            ? Promise.resolve()
            : new Promise<void>((resolve) => waiting.push({ batches, resolve }));
      }
      if (key !== 'judge') return target[key as keyof Engine];
      return async (...args: Parameters<Engine['judge']>): Promise<JudgedBatch> => {
        const batch = await target.judge(...args);
        const dispose = batch[Symbol.asyncDispose].bind(batch);
        batch[Symbol.asyncDispose] = async () => {
          await dispose();
          oneMore();
        };
        return batch;
      };
    },
  });
}
