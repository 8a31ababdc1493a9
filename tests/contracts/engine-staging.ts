/** What staging relies on, whichever engine reads raw and writes its files. */
import { describe, expect, test } from 'vitest';
import type { Engine, RawFile } from '../../src/engine/engine.ts';
import { identityOf } from '../../src/event/event.ts';
import { RAW_NAME, STAGING_NAME } from '../../src/tables/tables.ts';
import { audit, rows, WHOLE } from '../support/audit.ts';
import { loaded } from '../support/edited-table.ts';
import { event, uuidOf } from '../support/events.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { watched } from '../support/watched-engine.ts';
import { lakeFolder, openWorker } from '../support/worker.ts';

export type OpenEngine = (folder: string) => Promise<Engine>;

/** Texts that are an identity, nearly one, or none at all. */
const IDENTITIES = [
  '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70',
  '0190B6A2-7C4E-7D3A-8F10-2B3C4D5E6F71',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ...['abc', '42', 'käse', '日本', 'a\u0000b', "it's", 'back\\slash', 'x'.repeat(3000), 'Order-7', 'order-7'],
  '0190b6a27c4e7d3a8f102b3c4d5e6f70',
  '{0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70}',
  ' 0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70',
  '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70\n',
  '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70\r',
  '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f7g',
  '0190b6a2-7c4e7-d3a-8f10-2b3c4d5e6f70',
];

const record = (event_uuid: string, fields: Record<string, unknown> = {}) =>
  JSON.stringify({ event_uuid, event_name: 'a:b', created_at: Date.UTC(2026, 0, 15) / 1000, ...fields });

/** A lake whose raw table holds these records, a commit for each list, with every repeat still in it. */
async function filled(batches: readonly (readonly string[])[], shards = 1) {
  const stream = new ScriptedStream({ shards });
  const folder = await lakeFolder();
  const worker = await openWorker({ folder, stream });
  const add = async (bodies: readonly string[]) => {
    stream.put(bodies);
    // A new process each: none has judged the others' batches.
    await worker.process({ maxIds: 0 });
  };
  for (const batch of batches) await add(batch);
  return { folder, stream, worker, add };
}

type Filled = Awaited<ReturnType<typeof filled>>;

async function rawFiles({ worker: { lake } }: Filled): Promise<RawFile[]> {
  const { files } = await lake.files(await loaded(lake, RAW_NAME));
  return files.map((file) => ({ ...file, sequenceNumber: file.sequenceNumber!, rows: file.recordCount }));
}

/** A staging worker with the engine under test. */
const staging = async (open: OpenEngine, { folder, stream }: Filled, stagingIds = 0) =>
  openWorker({ folder, stream, stagingIds, engine: watched(await open(folder)) });

const staged = (lake: Filled, columns: string) =>
  rows(lake.worker, STAGING_NAME, columns, 'order by event_uuid');

export function stagingContract(open: OpenEngine): void {
  test('identities are those of the identity function, word for word', async () => {
    const lake = await filled([IDENTITIES.map((uuid) => record(uuid))]);
    const engine = await open(lake.folder);
    await using batch = await engine.readRaw(await rawFiles(lake));
    const { count, rows: rids, keys } = await batch.identities();
    expect(count).toBe(IDENTITIES.length);
    expect([...rids].sort((a, b) => a - b)).toEqual(IDENTITIES.map((_, i) => i));
    const words = Array.from({ length: count }, (_, i) => [...keys.subarray(i * 4, i * 4 + 4)]);
    expect(words.map(String).sort()).toEqual(IDENTITIES.map((uuid) => String(wordsOf(uuid))).sort());
  });

  describe.each([
    ['asks the table', 0],
    ['holds identities in memory', 100_000],
  ])('when staging %s', (_, stagingIds) => {
    test('of equals the first to be committed stays', async () => {
      const note = (n: number, text: string) => event(n, { note: text });
      const lake = await filled(
        [
          [note(1, 'first'), note(2, 'first')],
          [note(2, 'second'), note(3, 'first'), note(1, 'second')],
          [note(1, 'third'), note(3, 'second')],
        ],
        2,
      );
      const stager = await staging(open, lake, stagingIds);
      expect(await stager.stage()).toMatchObject({ received: 7, written: 3, duplicate: 4 });
      const kept = await staged(lake, "event_uuid, document->>'note'");
      expect(kept).toEqual([1, 2, 3].map((n) => [uuidOf(n), 'first']));
      expect(await audit(lake.worker, lake.stream)).toEqual(WHOLE);
    });

    test('an event that staging holds is never written again, in whatever case its UUID comes', async () => {
      const lake = await filled([[event(1), event(2), record('Order-7')]]);
      const stager = await staging(open, lake, stagingIds);
      expect(await stager.stage()).toMatchObject({ written: 3, duplicate: 0 });
      await lake.add([event(2), event(3), record(IDENTITIES[1]!), record('Order-7'), record('order-7')]);
      expect(await stager.stage()).toMatchObject({ written: 3, duplicate: 2 });
      await lake.add([record(IDENTITIES[1]!.toLowerCase()), event(1)]);
      expect(await stager.stage()).toMatchObject({ written: 0, duplicate: 2 });
      expect(await stager.stage()).toMatchObject({ received: 0, commits: 0 });
      expect((await staged(lake, 'event_uuid')).length).toBe(6);
    });
  });

  test('repeats come in the order of commit, arrival, shard and number, those without them last', async () => {
    const stream = new ScriptedStream({ shards: 2 });
    const folder = await lakeFolder();
    const worker = await openWorker({ folder, stream });
    const arrived_ms = Date.UTC(2026, 0, 15, 12);
    // Numbers grow by a digit on the way; each batch is a process, so that raw holds them all.
    const arrivals = [5, 0, 0, 0, 5, 9].map((later) => arrived_ms + later);
    for (const [i, at] of arrivals.entries()) {
      for (let n = 0; n < 5; n++) stream.putAt(event(1000 + i * 10 + n), { shard: 0, arrived_ms: at });
      stream.putAt(event(1), { shard: i % 2, arrived_ms: at });
      await worker.process({ maxIds: 0 });
    }
    const lake = { folder, stream, worker, add: async () => {} };
    const files = await rawFiles(lake);
    const newest = Math.max(...files.map(({ sequenceNumber }) => sequenceNumber));
    // As if the last of them had been committed first, and all others in one.
    const together = files.map((file) => ({
      ...file,
      sequenceNumber: file.sequenceNumber === newest ? 1 : 2,
    }));
    await using batch = await (await open(folder)).readRaw(together);
    const repeated = await batch.repeated();
    const byRow = new Map<number, number>();
    let first = 0;
    for (const file of together) {
      const path = worker.lake.store.localPath(file.location)!;
      const sql = `select epoch_ms(arrived_at) - ${arrived_ms}, file_row_number, shard_id
        from read_parquet('${path}', file_row_number = true) where event_uuid = '${uuidOf(1)}'`;
      for (const [later, row] of await read(lake, sql)) byRow.set(first + Number(row), Number(later));
      first += file.rows;
    }
    expect([...repeated.rows].map((row) => byRow.get(row))).toEqual([9, 0, 0, 0, 5, 5]);
    expect(repeated.count).toBe(6);
  });

  test('columns come out as they went in', async () => {
    const bodies = [
      record('a', { created_at: 1_768_478_400.123456, event_name: 'payment:order:completed', n: 1.5 }),
      ` ${record('b', { event_name: 'ping', text: 'naïve\u0000日本 \\ "q"' })} `,
      record('c', { created_at: '2026-01-15T23:59:59.999999Z', event_name: 'a%2F/b:x' }),
    ];
    const lake = await filled([bodies]);
    await (await staging(open, lake)).stage();
    const columns =
      '* replace (epoch_us(created_datetime) as created_datetime, epoch_us(arrived_at) as arrived_at)';
    const raw = await rows(lake.worker, RAW_NAME, columns, 'order by event_uuid');
    expect(raw.length).toBe(3);
    expect(await staged(lake, columns)).toEqual(raw);
  });

  test('files are of one day and type, sorted, with statistics that are true', async () => {
    const names = ['lesson:started', 'lesson:ended', 'payment:done', 'it'];
    const lake = await filled([
      Array.from({ length: 400 }, (_, i) =>
        record(`id ${i}`, {
          event_name: names[(i * 7) % 4],
          created_at: Date.UTC(2026, 0, 14) / 1000 + ((i * 7919) % 172_800),
        }),
      ),
    ]);
    await (await staging(open, lake)).stage();
    const table = await loaded(lake.worker.lake, STAGING_NAME);
    const { files } = await lake.worker.lake.files(table);
    const places = files.map(({ partition }) => String(partition));
    expect(places.length).toBe(6);
    expect(new Set(places).size).toBe(6);
    for (const file of files) {
      const path = lake.worker.lake.store.localPath(file.location)!;
      const [[count, early, late, least, most, unsorted]] = (await read(
        lake,
        `select count(*), min(epoch_us(created_datetime)), max(epoch_us(created_datetime)), min(event_name),
          max(event_name), count(*) filter (prev_name is not null and (event_name, created_datetime) < (prev_name, prev_time))
         from (select *, lag(event_name) over (order by file_row_number) prev_name,
             lag(created_datetime) over (order by file_row_number) prev_time
           from read_parquet('${path}', file_row_number = true, hive_partitioning = false))`,
      )) as [unknown[]];
      expect(Number(unsorted)).toBe(0);
      expect(file.sortOrderId).toBe(1);
      expect(file.recordCount).toBe(Number(count));
      expect([file.lowerBounds.get(6), file.upperBounds.get(6)].map(String)).toEqual([
        String(early),
        String(late),
      ]);
      expect([file.lowerBounds.get(2), file.upperBounds.get(2)]).toEqual([least, most]);
      expect([file.valueCounts.get(1), file.nullValueCounts.get(1)]).toEqual([file.recordCount, 0]);
      expect(file.lowerBounds.has(7)).toBe(false);
      expect(file.columnSizes.get(7)).toBeGreaterThan(0);
      const ids = await read(
        lake,
        `select name, field_id from parquet_schema('${path}') where type is not null order by field_id`,
      );
      expect(ids.map(([, id]) => Number(id))).toEqual(table.metadata.schemas[0]!.fields.map(({ id }) => id));
    }
  });
}

async function read({ worker: { engine } }: Filled, sql: string): Promise<unknown[][]> {
  const found: unknown[][] = [];
  for await (const chunk of (await engine.query(sql)).chunks()) found.push(...(chunk as unknown[][]));
  return found;
}

/** As both engines keep a key: lower half first, little endian, the sign bit flipped so that keys sort. */
function wordsOf(uuid: string): number[] {
  const digits = identityOf(uuid);
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setBigUint64(0, BigInt(`0x${digits.slice(16)}`), true);
  bytes.setBigUint64(8, BigInt(`0x${digits.slice(0, 16)}`) ^ (1n << 63n), true);
  return [0, 4, 8, 12].map((at) => bytes.getUint32(at, true));
}
