import { describe, expect, type MockInstance, test, vi } from 'vitest';
import { audit, rows, WHOLE } from '../../tests/support/audit.ts';
import { deleteAllRows, loaded, setMain } from '../../tests/support/edited-table.ts';
import { event, events, uuidOf } from '../../tests/support/events.ts';
import { faultyCatalog } from '../../tests/support/faulty-catalog.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { BOUNDS, lakeFolder, openWorker, type Worker } from '../../tests/support/worker.ts';
import { type Clock, silentLog } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import type { Lake } from '../lake/lake.ts';
import { RAW_NAME, STAGING_NAME, tableState } from '../tables/tables.ts';
import { stageEvents } from './staging.ts';

/** Raw with every repeat still in it: a commit for each list, and a window that remembers next to nothing. */
async function filled(stagingIds: number, batches: readonly (readonly string[])[]) {
  const stream = new ScriptedStream();
  const folder = await lakeFolder();
  const worker = await openWorker({ folder, stream, stagingIds });
  for (const batch of batches) {
    stream.put(batch);
    // A new process each: none has judged the others' batches.
    await worker.process({ maxIds: 0 });
  }
  return { stream, folder, worker };
}

const ledger = async ({ lake }: Worker) => tableState(await loaded(lake, STAGING_NAME)).ledger;
const snapshotIds = async ({ lake }: Worker, name: string) =>
  (await loaded(lake, name)).metadata.snapshots.map((s) => s['snapshot-id']);

describe.each([
  ['with an index in memory', 100_000],
  ['with an index whose memory is full after two events', 2],
  ['that asks the table', 0],
])('staging %s', (_, stagingIds) => {
  const start = (...batches: readonly (readonly string[])[]) => filled(stagingIds, batches);

  test('holds every event once: the copy that was committed first', async () => {
    const { worker, stream } = await start(
      events(1, 2),
      [event(2, { note: 'changed' }), event(3)],
      [event(1, { note: 'changed' }), event(3, { note: 'changed' })],
    );
    expect(await rows(worker, RAW_NAME, 'count(*)')).toEqual([[6]]);
    expect(await worker.stage()).toMatchObject({ received: 6, written: 3, duplicate: 3, commits: 1 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
    const documents = await rows(worker, STAGING_NAME, 'document', 'order by event_uuid');
    expect(documents.flat()).toEqual(events(1, 2, 3));
  });

  test('drops what it holds already, over portions and over runs', async () => {
    const { worker, stream } = await start(events(1, 2), events(2, 3), events(1, 4));
    expect(await worker.stage({ maxRows: 2 })).toMatchObject({ written: 4, duplicate: 2, commits: 3 });
    stream.put(events(4, 1, 5));
    await worker.process({ maxIds: 0 });
    expect(await worker.stage()).toMatchObject({ written: 1, duplicate: 2, commits: 1 });
    expect(await worker.stage()).toMatchObject({ received: 0, commits: 0 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('moves on past a portion of nothing but repeats', async () => {
    const { worker } = await start(events(1), events(1));
    await worker.stage({ maxRows: 1 });
    expect(await ledger(worker)).toMatchObject({ received: 2, written: 1, duplicate: 1 });
    expect(await worker.stage()).toMatchObject({ commits: 0 });
  });

  test('takes identities that differ in case only for one if they are UUIDs', async () => {
    const text = '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70';
    const named = (event_uuid: string) => event(0).replace(uuidOf(0), event_uuid);
    const { worker } = await start(
      [named(text), named('Order-7')],
      [named(text.toUpperCase()), named('order-7')],
    );
    expect(await worker.stage()).toMatchObject({ written: 3, duplicate: 1 });
  });

  test('by several stagers at once doubles nothing', async () => {
    const { worker, stream, folder } = await start(events(1, 2), events(2, 3), events(1, 4));
    const other = await openWorker({ folder, stream, stagingIds });
    await Promise.all([worker, other, worker].map((each) => each.stage({ maxRows: 1 })));
    expect(await ledger(worker)).toMatchObject({ received: 6, written: 4, duplicate: 2 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('after a rollback of raw reads again, and doubles nothing', async () => {
    const { worker, stream } = await start(events(1), events(2, 3));
    await worker.stage();
    await setMain(worker, RAW_NAME, (await snapshotIds(worker, RAW_NAME))[2]!);
    stream.put(events(3, 4));
    await worker.process({ maxIds: 0 });
    expect(await worker.stage()).toMatchObject({ written: 1 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('rolled back itself writes again what that undid', async () => {
    const { worker, stream } = await start(events(1, 2), events(2, 3));
    await worker.stage({ maxRows: 2 });
    await setMain(worker, STAGING_NAME, (await snapshotIds(worker, STAGING_NAME))[1]!);
    expect(await rows(worker, STAGING_NAME, 'count(*)')).toEqual([[2]]);
    expect(await worker.stage()).toMatchObject({ received: 2, written: 1, duplicate: 1 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('forgets what another program deleted, and writes it again', async () => {
    const { worker, stream } = await start(events(1, 2));
    await worker.stage();
    await deleteAllRows(worker, STAGING_NAME);
    stream.put(events(1, 2));
    await worker.process({ maxIds: 0 });
    expect(await worker.stage()).toMatchObject({ received: 2, written: 2 });
    expect(await ledger(worker)).toMatchObject({ written: 4, foreign: -2 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test.each(['answer-lost', 'request-lost', 'late', 'sent-twice', 'turned-away'] as const)(
    'doubles and loses nothing when a commit’s answer is: %s',
    async (fault) => {
      const { worker, stream, folder } = await start(events(1, 2), events(2, 3));
      await worker.stage({ maxRows: 1 });
      stream.put(events(3, 4));
      await worker.process({ maxIds: 0 });
      let broken: ReturnType<typeof faultyCatalog> | undefined;
      const other = await openWorker({
        folder,
        stream,
        stagingIds,
        wrapCatalog: (catalog) => {
          broken = faultyCatalog(catalog);
          return broken;
        },
      });
      broken!.faults.push(fault);
      await other.stage();
      expect(broken!.faults).toEqual([]);
      await worker.stage();
      expect(await audit(worker, stream)).toEqual(WHOLE);
      expect(await ledger(worker)).toMatchObject({ received: 6, written: 4, duplicate: 2 });
    },
  );
});

test('staging that is refused again and again does not wait for its next try when it is stopped', async () => {
  const { worker } = await filled(0, [events(1)]);
  const stop = new AbortController();
  const clock: Clock = {
    now: () => worker.clock.now(),
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        signal?.addEventListener('abort', () => resolve());
        stop.abort();
      }),
  };
  const lake: Lake = {
    ...worker.lake,
    commit: async (table) => ({ kind: 'refused', why: 'another stager was faster', table }),
  };
  const options = { lake, engine: worker.engine, clock, log: silentLog, writer: 'test', bounds: BOUNDS };
  const staged = await stageEvents({
    ...options,
    newId: () => crypto.randomUUID(),
    random: () => 0,
    maxRows: 10,
    signal: stop.signal,
  });
  expect(staged).toMatchObject({ written: 0, commits: 0 });
});

describe('the index of identities', () => {
  /** A new process reads raw for its window, which may hold nothing new. */
  const filesRead = (read: MockInstance<Engine['identitiesOf']>) =>
    read.mock.calls.reduce((sum, [files]) => sum + files.length, 0);

  test('reads back nothing of what this process brought itself', async () => {
    const { worker, stream } = await filled(100_000, [events(1, 2), events(2, 3), events(1, 4)]);
    const read = vi.spyOn(worker.engine, 'identitiesOf');
    expect(await worker.stage({ maxRows: 2 })).toMatchObject({ written: 4, duplicate: 2, commits: 3 });
    stream.put(events(4, 1, 5));
    await worker.process({ maxIds: 0 });
    expect(await worker.stage()).toMatchObject({ written: 1, duplicate: 2 });
    expect(filesRead(read)).toBe(0);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('reads what another stager brought in between, and knows both', async () => {
    const { worker, stream, folder } = await filled(100_000, [events(1, 2)]);
    const other = await openWorker({ folder, stream, stagingIds: 100_000 });
    await worker.stage();
    stream.put(events(2, 3));
    await other.process({ maxIds: 0 });
    await other.stage();
    const read = vi.spyOn(worker.engine, 'identitiesOf');
    stream.put(events(1, 2, 3, 4));
    await worker.process({ maxIds: 0 });
    expect(await worker.stage()).toMatchObject({ written: 1, duplicate: 3 });
    expect(filesRead(read)).toBe(1);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('takes nothing of another batch, asked for before the commit was made, for its own', async () => {
    const { worker, stream } = await filled(100_000, [events(1, 2)]);
    const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let other: Promise<unknown> | undefined;
    worker.beforeSwap = async (table) => {
      if (table !== STAGING_NAME || other !== undefined) return;
      // The other is asked for more rows, and is refused because of this commit.
      other = held.promise;
      stream.put(events(3));
      await worker.process({ maxIds: 0 });
      const readRaw = worker.engine.readRaw.bind(worker.engine);
      vi.spyOn(worker.engine, 'readRaw').mockImplementationOnce(async (files) => {
        const batch = await readRaw(files);
        const repeated = batch.repeated.bind(batch);
        batch.repeated = async () => {
          asked.resolve();
          await held.promise;
          return repeated();
        };
        return batch;
      });
      other = worker.stage();
      await asked.promise;
    };
    expect(await worker.stage()).toMatchObject({ written: 2 });
    held.resolve();
    await other;
    expect(await rows(worker, STAGING_NAME, 'count(*)')).toEqual([[3]]);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });
});
