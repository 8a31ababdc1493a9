import { describe, expect, test } from 'vitest';
import { audit, rows, WHOLE } from '../../tests/support/audit.ts';
import { currentId, expireSnapshots, loaded, setMain } from '../../tests/support/edited-table.ts';
import { events } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../../tests/support/worker.ts';
import type { Table } from '../lake/lake.ts';
import { advance, QUARANTINE_NAME, RAW_NAME, tableState } from '../tables/tables.ts';

/** As a processor that dies right after its commit: what it rejected waits in raw. */
const withoutAdoption = { adopt: async () => -1 };

const quarantined = async (worker: Worker) =>
  (await rows(worker, QUARANTINE_NAME, 'decode(bytes)', 'order by 1')).map(([text]) => text);

const waiting = async ({ lake }: Worker) => tableState(await loaded(lake, RAW_NAME)).rejected;
const quarantineLedger = async ({ lake }: Worker) => tableState(await loaded(lake, QUARANTINE_NAME)).ledger;

async function start(...batches: readonly (readonly string[])[]) {
  const stream = new ScriptedStream();
  for (const batch of batches) {
    stream.put(batch);
    stream.script.push({ rows: batch.length });
  }
  const folder = await lakeFolder();
  return { stream, folder, worker: await openWorker({ folder, stream }) };
}

/** Raw as it was before anything was taken. */
async function rollBackToThePin(worker: Worker) {
  const raw = await loaded(worker.lake, RAW_NAME);
  const pin = raw.metadata.snapshots[1]!['snapshot-id'];
  await setMain(worker, RAW_NAME, pin);
  return raw;
}

describe('adopting what raw rejected', () => {
  test('adds every record once, with its bytes, its reason and where it came from', async () => {
    const { worker, stream } = await start(['bad one', ...events(1), '[]']);
    await worker.process(withoutAdoption);
    expect(await quarantined(worker)).toEqual([]);
    expect((await worker.adopt()).rows).toBe(2);
    expect(
      await rows(worker, QUARANTINE_NAME, 'decode(bytes), reason, shard_id, sequence_number', 'order by 1'),
    ).toEqual([
      ['[]', 'not_an_object', stream.records[2]!.shard, String(stream.records[2]!.sequenceNumber)],
      ['bad one', 'not_json', stream.records[0]!.shard, String(stream.records[0]!.sequenceNumber)],
    ]);
    const before = await loaded(worker.lake, QUARANTINE_NAME);
    expect((await worker.adopt()).rows).toBe(0);
    expect((await loaded(worker.lake, QUARANTINE_NAME)).metadataLocation).toBe(before.metadataLocation);
    expect(await quarantineLedger(worker)).toMatchObject({ received: 2, written: 2, duplicate: 0 });
  });

  test('does nothing where there is no raw, and where nothing was rejected', async () => {
    const { worker } = await start(events(1));
    expect(await worker.adopt()).toEqual({ upTo: -1, rows: 0 });
    await worker.process();
    expect((await worker.adopt()).rows).toBe(0);
  });

  test('by two adopters at once adds nothing twice', async () => {
    const { worker, stream, folder } = await start(['bad one'], ['bad two']);
    await worker.process(withoutAdoption);
    const other = await openWorker({ folder, stream });
    const adopted = await Promise.all([worker, other, worker].map((each) => each.adopt()));
    expect(adopted.map(({ rows }) => rows).sort()).toEqual([0, 0, 2]);
    expect(await quarantined(worker)).toEqual(['bad one', 'bad two']);
  });

  test('is made up for at the next start, before anything is taken', async () => {
    const { worker, stream, folder } = await start(['bad one', ...events(1)]);
    await worker.process(withoutAdoption);
    stream.put(['bad two']);
    let held: unknown[] | undefined;
    stream.script.push({
      rows: 1,
      before: async () => {
        held = await quarantined(worker);
      },
    });
    const restarted = await openWorker({ folder, stream });
    await restarted.process();
    await restarted.stage();
    expect(held).toEqual(['bad one']);
    expect(await audit(restarted, stream)).toEqual(WHOLE);
  });

  test('lets the next commit of raw empty what waits there', async () => {
    const { worker, stream } = await start(['bad one', ...events(1)]);
    await worker.process();
    expect((await waiting(worker)).map((r) => r.rows)).toEqual([1]);
    stream.put(events(2));
    await worker.process();
    expect(await waiting(worker)).toEqual([]);
    expect(await quarantined(worker)).toEqual(['bad one']);
  });

  test('keeps what waits in raw until it is adopted, however many commits come', async () => {
    const { worker, stream } = await start(['bad one'], ['bad two'], events(1));
    await worker.process(withoutAdoption);
    expect(await waiting(worker)).toHaveLength(2);
    stream.put(events(2));
    await worker.process();
    expect(await waiting(worker)).toEqual([]);
    expect(await quarantined(worker)).toEqual(['bad one', 'bad two']);
  });
});

describe('files that another program may be about to delete', () => {
  /** Below quarantine: what no snapshot names, as a removal of orphans plans it that is not ours. */
  async function orphans({ lake }: Worker): Promise<string[]> {
    const found: string[] = [];
    // Without a fence files would be as old as the clock of the test says.
    const search = { grace_ms: -60_000, keepManifests: [], fence: async () => {} };
    for await (const some of lake.orphans(QUARANTINE_NAME, search))
      found.push(...some.map(({ location }) => location));
    return found;
  }

  const filesOf = async ({ lake }: Worker) =>
    (await lake.files(await loaded(lake, QUARANTINE_NAME))).files.map(({ location }) => location);

  test('are not there when it is fresh: it is adopted as it is', async () => {
    const { worker } = await start(['bad one']);
    await worker.process(withoutAdoption);
    const waiting = await orphans(worker);
    await worker.adopt();
    expect(waiting).toEqual(expect.arrayContaining(await filesOf(worker)));
  });

  test('are those that wait for days: their rows are adopted in others', async () => {
    const { worker, stream } = await start(['bad one', ...events(1)]);
    await worker.process(withoutAdoption);
    const planned = await orphans(worker);
    worker.clock.advance(3 * 86_400_000);
    await worker.adopt();
    await worker.lake.store.delete(planned);
    await worker.stage();
    expect(await quarantined(worker)).toEqual(['bad one']);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('are those of a snapshot that was rolled back: their rows are adopted again in others', async () => {
    const { worker, stream } = await start(['bad one', ...events(1)]);
    await worker.process();
    const before = await loaded(worker.lake, QUARANTINE_NAME);
    await rolledBack(worker);
    const after = await expireSnapshots(worker, QUARANTINE_NAME, [currentId(before)]);
    await worker.adopt();
    await worker.lake.deleteExpired({ before, after });
    await worker.stage();
    expect(await quarantined(worker)).toEqual(['bad one']);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('are those of a snapshot that came and was rolled back while they were about to be adopted', async () => {
    const { worker, stream, folder } = await start(['bad one', ...events(1)]);
    await worker.process(withoutAdoption);
    const other = await openWorker({ folder, stream });
    let before: Table | undefined;
    let after: Table | undefined;
    worker.beforeSwap = async (table) => {
      if (table !== QUARANTINE_NAME || before !== undefined) return;
      await goneOn(other, await loaded(other.lake, QUARANTINE_NAME));
      await other.adopt();
      before = await loaded(other.lake, QUARANTINE_NAME);
      await rolledBack(other);
      after = await expireSnapshots(other, QUARANTINE_NAME, [currentId(before)]);
    };
    await worker.adopt();
    await worker.lake.deleteExpired({ before: before!, after: after! });
    await worker.stage();
    expect(await quarantined(worker)).toEqual(['bad one']);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  /** Quarantine as it was before it adopted anything, with a commit of ours on top, so that it can tell how far it is. */
  async function rolledBack(worker: Worker) {
    const { metadata } = await loaded(worker.lake, QUARANTINE_NAME);
    const before = metadata.snapshots.at(-1)!['parent-snapshot-id']!;
    await goneOn(worker, await setMain(worker, QUARANTINE_NAME, before));
  }

  const goneOn = ({ lake }: Worker, table: Table) =>
    lake.commit(table, {
      ...{ commitId: crypto.randomUUID(), operation: 'replace', manifests: [] },
      stage: (base, attempt) => advance(base, attempt, { writer: 'maintenance' }),
    });
});

describe('adopting after raw was rolled back', () => {
  test('leaves out records that quarantine holds already when they are taken again', async () => {
    const { worker, stream } = await start(['bad one', ...events(1)], ['bad two']);
    await worker.process();
    await rollBackToThePin(worker);
    stream.put(['bad three', 'bad one']);
    await worker.process();
    await worker.stage();
    // Two records of the same bytes at two positions are two records.
    expect(await quarantined(worker)).toEqual(['bad one', 'bad one', 'bad three', 'bad two']);
    expect(await quarantineLedger(worker)).toMatchObject({ received: 6, written: 4, duplicate: 2 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('adds nothing when all of it is there', async () => {
    const { worker, stream } = await start(['bad one', ...events(1)]);
    await worker.process();
    await rollBackToThePin(worker);
    await worker.process();
    await worker.stage();
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('and forward again to a branch whose records were never adopted adopts those', async () => {
    const { worker, stream } = await start(['bad one', 'bad two', ...events(1)]);
    await worker.process(withoutAdoption);
    const branch = await rollBackToThePin(worker);
    stream.script.push({ rows: 1 }, { rows: 0 });
    await worker.process();
    expect(await quarantined(worker)).toEqual(['bad one']);
    await setMain(worker, RAW_NAME, currentId(branch));
    stream.script.length = 0;
    await worker.process();
    await worker.stage();
    expect(await quarantined(worker)).toEqual(['bad one', 'bad two']);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });
});
