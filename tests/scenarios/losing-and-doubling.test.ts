/**
 * The classic ways to lose or double events, each as a schedule. Every schedule runs twice: with the product, and with
 * a naive control that it is known to break. A control that comes out whole means that the schedule no longer bites.
 */
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/base/base.ts';
import type { Lake, PointerCatalog } from '../../src/lake/lake.ts';
import { type ProcessorOptions, processStream } from '../../src/processor/processor.ts';
import { advance, RAW_NAME } from '../../src/tables/tables.ts';
import { audit, WHOLE } from '../support/audit.ts';
import { event, events, uuidOf } from '../support/events.ts';
import { type FaultyCatalog, faultyCatalog } from '../support/faulty-catalog.ts';
import { runNaive } from '../support/naive/processor.ts';
import { PowerLost, PowerSupply } from '../support/power-loss.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../support/worker.ts';

type Run = (worker: Worker) => Promise<unknown>;

const product: Run = (worker) => worker.process();
const control: Run = (worker) => runNaive(worker.options());

/** What the catalog says when it did nothing, for certain. */
const turnedAway = () =>
  new Failure('the catalog is overloaded', { code: 'catalog.busy', fault: 'service', retry: 'backoff' });

async function finish(worker: Worker, stream: ScriptedStream) {
  await worker.adopt();
  await worker.stage();
  return audit(worker, stream);
}

describe('a window that remembers an id whose commit did not happen', () => {
  /**
   * The first batch's commit fails for good when the second is judged and written. Swap numbers of raw: the product's
   * first one pins the start.
   */
  async function failing(run: Run, stream: ScriptedStream, atFailure: () => void = () => {}) {
    const worker = await openWorker({ folder: await lakeFolder(), stream, commitAttempts: 2 });
    const pinned = run === product ? 1 : 0;
    worker.beforeSwap = async (table, times) => {
      if (table !== RAW_NAME || times <= pinned || times > pinned + 2) return;
      await worker.engine.written(2);
      if (times === pinned + 2) atFailure();
      throw turnedAway();
    };
    await run(worker);
    if (run === product) expect(stream.spoolsOpen).toBe(0);
    return finish(worker, stream);
  }

  test('two batches in flight: the one behind the failed one is judged again too', async () => {
    const schedule = () => {
      const stream = new ScriptedStream();
      stream.put(events(1, 2, 1, 3));
      stream.script.push({ rows: 2 }, { rows: 2 });
      return stream;
    };
    expect(await failing(product, schedule())).toEqual(WHOLE);
    expect((await failing(control, schedule())).missing).toEqual([uuidOf(3)]);
  });

  test('two shards: a repeat on the other shard is not dropped for the batch that failed', async () => {
    const schedule = () => {
      const stream = new ScriptedStream({ shards: 2 });
      stream.put(events(1), { shard: 0 });
      stream.put(events(1, 2), { shard: 1 });
      stream.script.push({ rows: 1, shard: 0 }, { rows: 2, shard: 1 });
      return stream;
    };
    // The failed batch cannot be read again: retention has passed over it.
    const run = async (which: Run) => {
      const stream = schedule();
      return failing(which, stream, () => stream.trim(0, 1));
    };
    expect(await run(product)).toEqual(WHOLE);
    expect((await run(control)).missing).toEqual([uuidOf(1)]);
  });

  test('rotation of generations between probe and failure', async () => {
    const schedule = () => {
      const stream = new ScriptedStream({ step_ms: 3_600_000 });
      stream.put([event(1, { created_at: 1_768_480_000 }), event(2, { created_at: 1_768_483_000 })]);
      stream.script.push({ rows: 1 }, { rows: 1 });
      return stream;
    };
    expect(await failing(product, schedule())).toEqual(WHOLE);
    expect((await failing(control, schedule())).missing).toContain(uuidOf(1));
  });

  test('a takeover: another worker committed part of what this one judged', async () => {
    const run = async (which: Run) => {
      const stream = new ScriptedStream();
      stream.put(events(1, 2, 3));
      const folder = await lakeFolder();
      const worker = await openWorker({ folder, stream });
      const other = await openWorker({ folder, stream });
      const pinned = which === product ? 1 : 0;
      stream.script.push({ rows: 3 });
      worker.beforeSwap = async (table, times) => {
        if (table !== RAW_NAME || times !== pinned + 1) return;
        // One record, and then nothing: the other worker dies with its shard half read.
        stream.script.push({ rows: 1 }, { rows: 0 });
        await other.process();
        stream.script.length = 0;
      };
      await which(worker);
      return finish(worker, stream);
    };
    expect(await run(product)).toEqual(WHOLE);
    expect((await run(control)).missing).toEqual([uuidOf(2), uuidOf(3)]);
  });
});

describe('an answer that got lost after the commit landed, then a conflict, then cleanup', () => {
  /** The first commit of rows lands, its answer is lost, and another program commits before anybody looks again. */
  const losingOneAnswer =
    (rival: (lake: Lake) => Promise<void>) =>
    (lake: Lake): Lake => {
      let lost = false;
      return {
        ...lake,
        commit: async (table, change) => {
          const outcome = await lake.commit(table, change);
          if (lost || table.name !== RAW_NAME || change.manifests.length === 0) return outcome;
          lost = true;
          await rival(lake);
          throw new Failure('the catalog does not answer', {
            code: 'lake.commit_unknown',
            fault: 'service',
            retry: 'refresh',
          });
        },
      };
    };

  /** A commit of somebody else that changes nothing: the table has moved on all the same. */
  const rival = async (lake: Lake) => {
    const raw = (await lake.load(RAW_NAME))!;
    await lake.commit(raw, {
      commitId: crypto.randomUUID(),
      operation: 'replace',
      manifests: [],
      stage: (base, attempt) => advance(base, attempt, { writer: 'rival' }),
    });
  };

  const putThree = () => {
    const stream = new ScriptedStream();
    stream.put([...events(1, 2), 'no event']);
    return stream;
  };

  test('the files of a commit whose fate was unknown are not cleaned up', async () => {
    const run = async (which: Run) => {
      const stream = putThree();
      const folder = await lakeFolder();
      await which(await openWorker({ folder, stream, wrapLake: losingOneAnswer(rival) }));
      return finish(await openWorker({ folder, stream }), stream);
    };
    expect(await run(product)).toEqual(WHOLE);
    // Raw names files that are gone: not even staging can read it any more.
    await expect(run(control)).rejects.toThrow(/reading raw failed/);
  });

  test('the same, with the answer lost between us and the catalog: the commit is found, and made once', async () => {
    const stream = putThree();
    const folder = await lakeFolder();
    const other = await openWorker({ folder, stream });
    let broken: FaultyCatalog | undefined;
    const wrapCatalog = (catalog: PointerCatalog) => {
      broken = faultyCatalog(catalog);
      return broken;
    };
    const worker = await openWorker({ folder, stream, wrapCatalog });
    worker.beforeSwap = async (table, times) => {
      if (table !== RAW_NAME || times !== 2) return;
      // This swap is made and not answered; the rival is there before the table is loaded again.
      const load = broken!.load;
      broken!.load = async (name) => {
        broken!.load = load;
        await rival(other.lake);
        return load(name);
      };
    };
    broken!.beforeSwap = async (times) => {
      if (times === 2) broken!.faults.push('answer-lost');
    };
    await worker.process();
    expect(broken!.faults).toEqual([]);
    expect(await finish(other, stream)).toEqual(WHOLE);
    const raw = (await other.lake.load(RAW_NAME))!;
    const writers = raw.metadata.snapshots.map((s) => s.summary['lakeward.writer']);
    expect(writers).toEqual(['worker', 'worker', 'worker', 'rival']);
  });
});

describe('data files that are not durable when they are named', () => {
  test('a power cut right after any commit to raw loses nothing', async () => {
    const run = async (which: Run, afterSwap: number) => {
      const stream = new ScriptedStream();
      stream.put([...events(1, 2), 'no event', ...events(3, 1)]);
      stream.script.push({ rows: 2 }, { rows: 2 });
      const folder = await lakeFolder();
      const power = new PowerSupply();
      let swaps = 0;
      const wrapCatalog = (inner: PointerCatalog): PointerCatalog => {
        const catalog = power.catalog(inner);
        return {
          ...catalog,
          swap: async (name, move) => {
            const swapped = await catalog.swap(name, move);
            if (name === RAW_NAME && ++swaps === afterSwap) await power.cut();
            return swapped;
          },
        };
      };
      const worker = await openWorker({ folder, stream, wrapStore: power.store, wrapCatalog });
      await expect(which(worker)).rejects.toThrow(PowerLost);
      const restarted = await openWorker({ folder, stream });
      await which(restarted);
      return finish(restarted, stream);
    };
    const hasty: Run = (worker) => runNaive(worker.options(), { namesFiles: 'at once' });
    for (const afterSwap of [1, 2, 3]) expect(await run(product, afterSwap)).toEqual(WHOLE);
    await expect(run(hasty, 1)).rejects.toThrow(/reading raw failed/);
  });
});

describe('a stream re-created under its old name', () => {
  /** The new stream’s numbers begin where the old one’s began: the old positions lie ahead of all that is in it. */
  const byName: Run = (worker) => runNaive(worker.options(), { streamKey: ({ arn }) => arn });

  test('while nothing ran: it is read from its own beginning', async () => {
    const run = async (which: Run) => {
      const stream = new ScriptedStream();
      stream.put(events(1, 2, 3));
      const folder = await lakeFolder();
      await which(await openWorker({ folder, stream }));
      stream.recreate();
      stream.put([...events(4, 2), 'no event']);
      const restarted = await openWorker({ folder, stream });
      await which(restarted);
      return finish(restarted, stream);
    };
    expect(await run(product)).toEqual(WHOLE);
    expect((await run(byName)).missing).toEqual([uuidOf(4)]);
  });

  test('while it was being read: the reader notices and starts over with the new one', async () => {
    const stream = new ScriptedStream({ holdsPartialBatches: 'until stopped' });
    stream.put(events(1, 2));
    stream.script.push({ rows: 2 });
    const worker = await openWorker({ folder: await lakeFolder(), stream });
    const stop = new AbortController();
    const holding = stream.whenHolding();
    const first = Promise.withResolvers<void>();
    const options = worker.options({ signal: stop.signal, onCommit: () => first.resolve() });
    delete options.until_ms;
    const running = processStream(options);
    await first.promise;
    stream.recreate();
    stream.put(events(3, 1));
    await holding;
    stop.abort();
    await running;
    expect(await finish(worker, stream)).toEqual(WHOLE);
    expect(stream.spoolsOpen).toBe(0);
  });
});

describe('a start with a restart before the first event', () => {
  test('loses nothing: where to begin was pinned by the first, empty commit', async () => {
    const run = async (which: Run) => {
      const stream = new ScriptedStream();
      const folder = await lakeFolder();
      await which(await openWorker({ folder, stream }));
      stream.put(events(1, 2));
      const restarted = await openWorker({ folder, stream });
      await which(restarted);
      return finish(restarted, stream);
    };
    expect(await run(product)).toEqual(WHOLE);
    const atLatest: Run = (worker) => runNaive(worker.options(), { begins: () => worker.stream.latest() });
    expect((await run(atLatest)).missing).toEqual([uuidOf(1), uuidOf(2)]);
  });

  test('keeps the start that was pinned, whatever the next one is told', async () => {
    const stream = new ScriptedStream();
    const folder = await lakeFolder();
    const worker = await openWorker({ folder, stream });
    await worker.process();
    stream.put(events(1));
    const later = `AT_TIMESTAMP:${Date.UTC(2030, 0, 1)}` as const;
    await worker.process({ start: later });
    expect(await finish(worker, stream)).toEqual(WHOLE);
    expect(stream.takes.map(({ pin }) => pin)).toEqual(['TRIM_HORIZON', 'TRIM_HORIZON']);
  });

  test('at a timestamp takes what arrived from then on, and no shard at its end', async () => {
    const stream = new ScriptedStream({ shards: 2 });
    stream.put(events(1, 2));
    const from = stream.acknowledged.at(-1)!.arrived_ms + 1;
    const folder = await lakeFolder();
    const worker = await openWorker({ folder, stream });
    await worker.process({ start: `AT_TIMESTAMP:${from}` });
    stream.put(events(3, 4, 5));
    await worker.process();
    await worker.stage();
    const { missing, strange } = await audit(worker, stream);
    expect({ missing, strange }).toEqual({ missing: [uuidOf(1), uuidOf(2)], strange: [] });
  });
});

describe('SIGTERM in mid-batch', () => {
  const interrupted = async (run: (options: ProcessorOptions) => Promise<unknown>) => {
    const stream = new ScriptedStream({ holdsPartialBatches: 'until stopped' });
    const folder = await lakeFolder();
    const worker = await openWorker({ folder, stream });
    const stop = new AbortController();
    const options = worker.options({ signal: stop.signal });
    delete options.until_ms;
    stream.put([...events(1, 2, 3), 'no event', ...events(2)]);
    const holding = stream.whenHolding();
    const running = run(options);
    await holding;
    stop.abort();
    await running;
    return { stream, folder };
  };

  test('commits what was taken, and takes none of it again at the next start', async () => {
    const { stream, folder } = await interrupted(processStream);
    const restarted = await openWorker({ folder, stream });
    expect(await finish(restarted, stream)).toEqual(WHOLE);
    stream.put(events(4));
    await restarted.process();
    expect(await finish(restarted, stream)).toEqual(WHOLE);
    expect(stream.spoolsOpen).toBe(0);
  });

  test('a reader that saves its position before its rows loses them', async () => {
    const { stream, folder } = await interrupted((options) =>
      runNaive(options, { savesPositions: 'when read' }),
    );
    const restarted = await openWorker({ folder, stream });
    await restarted.process();
    const { missing } = await finish(restarted, stream);
    expect(missing).toEqual([uuidOf(1), uuidOf(2), uuidOf(3)]);
  });

  test.each([2, 3, 4])('while a commit is on its way (swap %i of raw) finishes it', async (swap) => {
    const stream = new ScriptedStream();
    stream.put(events(1, 2, 3, 1));
    stream.script.push({ rows: 1 }, { rows: 1 }, { rows: 1 });
    const folder = await lakeFolder();
    const worker = await openWorker({ folder, stream });
    const stop = new AbortController();
    worker.beforeSwap = (table, times) => {
      if (table === RAW_NAME && times === swap) stop.abort();
    };
    await worker.process({ signal: stop.signal });
    const restarted = await openWorker({ folder, stream });
    await restarted.process();
    expect(await finish(restarted, stream)).toEqual(WHOLE);
    expect(stream.spoolsOpen).toBe(0);
  });
});
