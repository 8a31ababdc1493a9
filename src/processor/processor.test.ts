import { describe, expect, test } from 'vitest';
import { audit, WHOLE } from '../../tests/support/audit.ts';
import { deleteAllRows, foreignSnapshot, loaded, setMain } from '../../tests/support/edited-table.ts';
import { event, events } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../../tests/support/worker.ts';
import { Failure } from '../base/base.ts';
import type { TakeOptions, Taking } from '../stream/stream.ts';
import { RAW_NAME, tableState } from '../tables/tables.ts';
import { processStream } from './processor.ts';

/** One batch for each list of records. */
async function start(...batches: readonly (readonly string[])[]) {
  const stream = new ScriptedStream();
  for (const batch of batches) {
    stream.put(batch);
    stream.script.push({ rows: batch.length });
  }
  const folder = await lakeFolder();
  return { stream, folder, worker: await openWorker({ folder, stream }) };
}

const ledger = async ({ lake }: Worker) => tableState(await loaded(lake, RAW_NAME)).ledger;
const positions = async ({ lake }: Worker) =>
  Object.values(tableState(await loaded(lake, RAW_NAME)).positions)[0];

async function staged(worker: Worker, stream: ScriptedStream) {
  await worker.adopt();
  await worker.stage();
  return audit(worker, stream);
}

describe('a processor', () => {
  test('pins the start with an empty commit, and then makes one commit for a batch', async () => {
    const { worker, stream } = await start(events(1, 2), ['no event'], events(3, 1));
    const told: unknown[] = [];
    const { commits } = await worker.process({ onCommit: ({ tally }) => told.push(tally) });
    expect(commits).toBe(4);
    expect(told).toMatchObject([
      { received: 2, written: 2 },
      { received: 1, quarantined: 1 },
      { received: 2, written: 1, duplicate: 1 },
    ]);
    const last = String(stream.records.at(-1)!.sequenceNumber);
    expect(await positions(worker)).toEqual({ '*': 'TRIM_HORIZON', [stream.records[0]!.shard]: last });
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });

  test('takes no more than it can commit: of many batches that wait it has two in hand', async () => {
    const { worker, stream } = await start(...Array.from({ length: 12 }, (_, i) => events(i)));
    const inHand: number[] = [];
    // As long as the engine took for the first, reading could have brought them all.
    worker.beforeSwap = (table) => void (table === RAW_NAME && inHand.push(stream.spoolsOpen));
    await worker.process();
    expect(Math.max(...inHand)).toBe(2);
    expect(stream.spoolsOpen).toBe(0);
  });

  test('moves positions for a batch of nothing but repeats or what is no event', async () => {
    const { worker, stream } = await start(events(1), events(1, 1), ['no event']);
    await worker.process();
    expect(await ledger(worker)).toMatchObject({ received: 4, written: 1, duplicate: 2, quarantined: 1 });
    const again = await worker.process();
    expect(again.commits).toBe(0);
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });

  test('drops repeats of what raw holds after a restart: the window is rebuilt from it', async () => {
    const { worker, stream, folder } = await start(events(1, 2, 3));
    await worker.process();
    stream.put([...events(2, 4), event(3, { note: 'changed' })]);
    const restarted = await openWorker({ folder, stream });
    await restarted.process();
    expect(await ledger(restarted)).toMatchObject({ written: 4, duplicate: 2, conflicting: 1 });
  });

  test('does not take a shard for read that was only looked at', async () => {
    const { worker, stream } = await start(events(1), events(2));
    const takeAll = stream.take.bind(stream);
    stream.take = async (options: TakeOptions): Promise<Taking> => {
      const taking = await takeAll(options);
      const next = taking.next.bind(taking);
      taking.next = async () => {
        const spool = await next();
        const looked = ['empty-shard', { from: options.pin, to: options.pin }] as const;
        return spool && { ...spool, ranges: new Map([...spool.ranges, looked]) };
      };
      return taking;
    };
    await worker.process();
    expect(Object.keys((await positions(worker))!)).toEqual(['*', stream.records[0]!.shard]);
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });
});

describe('a processor whose table changes under it', () => {
  /** Runs right before the commit of the second batch, when that batch is ready. */
  async function disturbed(disturb: (worker: Worker) => Promise<unknown>) {
    const { worker, stream } = await start(events(1), events(1, 2));
    worker.beforeSwap = async (table, times) => {
      if (table !== RAW_NAME || times !== 3) return;
      await disturb(worker);
    };
    await worker.process();
    return { worker, stream };
  }

  test('judges again when rows that it dropped repeats for were deleted', async () => {
    const { worker, stream } = await disturbed((at) => deleteAllRows(at, RAW_NAME));
    expect(await ledger(worker)).toMatchObject({ written: 3, duplicate: 0, foreign: -1 });
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });

  test('takes again what a rollback undid', async () => {
    const { worker, stream } = await disturbed(async (at) => {
      const raw = await loaded(at.lake, RAW_NAME);
      await setMain(at, RAW_NAME, raw.metadata.snapshots[1]!['snapshot-id']);
    });
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });

  test('judges again when an earlier batch in flight, whose repeats it dropped, was rolled back', async () => {
    const stream = new ScriptedStream({ shards: 2 });
    stream.put(events(1), { shard: 0 });
    stream.put(events(1, 2), { shard: 1 });
    stream.script.push({ rows: 1 }, { rows: 2 });
    const worker = await openWorker({ folder: await lakeFolder(), stream });
    worker.beforeSwap = async (table, times) => {
      if (table !== RAW_NAME) return;
      if (times === 2) await worker.engine.written(2);
      if (times !== 3) return;
      const raw = await loaded(worker.lake, RAW_NAME);
      await setMain(worker, RAW_NAME, raw.metadata.snapshots[1]!['snapshot-id']);
    };
    const told: unknown[] = [];
    await worker.process({
      onCommit: ({ tally: { written, duplicate } }) => told.push([written, duplicate]),
    });
    // The first was rolled back; no commit drops its repeat before the event is there again.
    expect(told[0]).toEqual([1, 0]);
    expect(told[1]).not.toEqual([1, 1]);
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });

  test('keeps its judgement when others only appended', async () => {
    const { worker, stream } = await disturbed((at) => foreignSnapshot(at, RAW_NAME, {}));
    expect(stream.takes).toHaveLength(1);
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });

  test('does not commit a batch that waited so long that its files may be gone', async () => {
    const { worker, stream } = await start(events(1), events(2));
    worker.beforeSwap = async (table, times) => {
      if (table !== RAW_NAME || times !== 2) return;
      await worker.engine.written(2);
      worker.clock.advance(2 * 86_400_000);
    };
    await worker.process();
    expect(stream.takes).toHaveLength(2);
    expect(stream.spoolsOpen).toBe(0);
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });
});

describe('a processor in trouble', () => {
  test('that slept over its preparation does not commit files that may be gone', async () => {
    const stream = new ScriptedStream();
    stream.put(events(1));
    const early: string[] = [];
    const worker = await openWorker({
      folder: await lakeFolder(),
      stream,
      wrapLake: (lake) => ({
        ...lake,
        async prepare(table, files) {
          const manifests = await lake.prepare(table, files);
          if (early.length > 0) return manifests;
          early.push(...files.map((file) => file.location));
          worker.clock.advance(4 * 86_400_000);
          return manifests;
        },
      }),
    });
    await worker.process();
    const { files } = await worker.lake.files(await loaded(worker.lake, RAW_NAME));
    expect(early).toHaveLength(1);
    expect(files.map((file) => file.location)).not.toContain(early[0]);
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });

  test('goes on after failures that pass, from where the table stands', async () => {
    const { worker, stream } = await start(events(1), events(2));
    let failures = 3;
    const passing = async () => {
      if (failures-- > 0)
        throw new Failure('busy', { code: 'test.busy', fault: 'service', retry: 'backoff' });
      return (await worker.adopt()).upTo;
    };
    await worker.process({ adopt: passing });
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });

  test('waits for a stream that was there and is gone, and ends where there never was one', async () => {
    const { worker, stream } = await start(events(1));
    const missing = async () => {
      throw new Failure('there is no stream', { code: 'stream.not_found', fault: 'user' });
    };
    const [describe, stop] = [stream.describe.bind(stream), new AbortController()];
    let [commits, asked] = [0, 0];
    const told: string[] = [];
    const options = worker.options({
      signal: stop.signal,
      onRetry: ({ code }) => void told.push(code),
      onCommit: () => {
        if (++commits === 2) return stop.abort();
        stream.describe = () => (++asked > 3 ? describe() : missing());
        stream.recreate();
        stream.put(events(2));
      },
    });
    delete options.until_ms;
    await processStream(options);
    expect(told).toEqual(Array(3).fill('stream.not_found'));
    expect(await staged(worker, stream)).toEqual(WHOLE);

    stream.describe = missing;
    await expect(processStream(options)).rejects.toMatchObject({ code: 'stream.not_found' });
  });

  test('gives up at once on what no retry can mend', async () => {
    const { worker } = await start(events(1));
    const broken = async () => {
      throw new Failure('broken', { code: 'test.broken', fault: 'user' });
    };
    await expect(worker.process({ adopt: broken })).rejects.toMatchObject({ code: 'test.broken' });
  });

  test('takes nothing while what it rejected cannot be adopted', async () => {
    const { worker, stream } = await start(['no event'], events(1));
    const stop = new AbortController();
    let calls = 0;
    const failing = async () => {
      if (++calls === 1) return (await worker.adopt()).upTo;
      if (calls === 6) stop.abort();
      throw new Failure('busy', { code: 'test.busy', fault: 'service', retry: 'backoff' });
    };
    await worker.process({ adopt: failing, signal: stop.signal });
    expect(await ledger(worker)).toMatchObject({ received: 1, quarantined: 1 });
    expect(stream.takes).toHaveLength(1);
    await worker.process();
    expect(await staged(worker, stream)).toEqual(WHOLE);
  });
});
