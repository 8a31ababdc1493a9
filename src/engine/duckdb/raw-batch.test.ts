import { copyFile, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RAW } from '../../tables/tables.ts';
import { type Engine, type LakeFile, openEngine, type RawFile, type WrittenFile } from '../engine.ts';

let folder: string;
let work: string;
let engine: Engine;
let instance: DuckDBInstance;
/** Another engine than the one under test, for making files and looking at them. */
let c: DuckDBConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'raw-batch-'));
  work = join(folder, 'work');
  engine = await openEngine({ workFolder: work, memory_bytes: 1e9, threads: 1 });
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  c = await instance.connect();
  await c.run("set timezone = 'UTC'");
});
afterAll(async () => {
  await engine.close();
  instance.closeSync();
  await rm(folder, { recursive: true });
});

const at = (path: string) => ({ location: `file://${path}`, fileSize: 0 });
const pathOf = ({ location }: LakeFile) => location.slice('file://'.length);

/** A file of raw from a select; what it does not name has a usual value. */
async function rawFile(select: string, { sequenceNumber = 1 } = {}): Promise<RawFile> {
  const path = join(folder, `${crypto.randomUUID()}.parquet`);
  const usual: Record<string, string> = {
    event_uuid: "'u'",
    event_name: "'lesson:started'",
    event_type: "split_part(event_name, ':', 1)",
    event_subtype: "split_part(event_name, ':', 2)",
    created_datetime: "timestamptz '2026-01-03 12:00:00+00'",
    created_at: 'epoch(created_datetime)',
    document: "'{}'",
    arrived_at: "timestamptz '2026-01-03 12:00:01+00'",
    shard_id: "'shardId-000000000000'",
    sequence_number: "'1'",
    subsequence_number: 'null::int',
    stream: "'arn:s@1'",
  };
  const given = new Set((await c.runAndReadAll(`from (${select}) limit 0`)).columnNames());
  const added = Object.entries(usual).filter(([name]) => !given.has(name));
  const all = added.reduce((sql, [name, value]) => `select *, ${value} as ${name} from (${sql})`, select);
  const ids = RAW.schema.fields.map(({ name, id }) => `${name}: ${id}`).join(', ');
  const columns = RAW.schema.fields.map(({ name }) => name).join(', ');
  await c.run(`copy (select ${columns} from (${all})) to '${path}' (format parquet, field_ids {${ids}})`);
  const [count] = (await c.runAndReadAll(`select count(*) from '${path}'`)).getRowsJson()[0]!;
  return { ...at(path), sequenceNumber, rows: Number(count) };
}

const rowsOf = async (sql: string) => (await c.runAndReadAll(sql)).getRowsJson();
const pathList = (files: readonly WrittenFile[]) => `[${files.map((f) => `'${f.localPath}'`).join(', ')}]`;
const scan = (files: readonly WrittenFile[]) => `read_parquet(${pathList(files)}, hive_partitioning = false)`;

describe('of files that say their partitions', () => {
  it('every row is written, where it belongs, also when a file says another partition', async () => {
    const right = await rawFile("select 'a' as event_uuid, 'lesson:x' as event_name");
    const wrong = await rawFile("select 'b' as event_uuid, 'payment:x' as event_name");
    const [day] = (await rowsOf("select ('2026-01-03'::date - '1970-01-01'::date)::int"))[0]!.map(Number);
    await using batch = await engine.readRaw([
      { ...right, partition: [day!, 'lesson'] },
      { ...wrong, partition: [day!, 'lesson'] },
    ]);
    const files = await batch.writeSorted(new Int32Array(0));
    expect(files.map((f) => f.file.partition).sort()).toEqual([
      [day, 'lesson'],
      [day, 'payment'],
    ]);
    expect(await rowsOf(`select event_uuid from ${scan(files)} order by 1`)).toEqual([['a'], ['b']]);
  });
});

describe('of rows with one identity', () => {
  const UUID = '0b6a3f5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b';

  it('the one that was committed first is first, whatever else it says', async () => {
    const files = [
      await rawFile("select timestamptz '2020-01-01 00:00:00+00' as arrived_at", { sequenceNumber: 10 }),
      await rawFile("select timestamptz '2026-01-01 00:00:00+00' as arrived_at", { sequenceNumber: 9 }),
    ];
    await using batch = await engine.readRaw(files);
    expect(batch.rows).toBe(2);
    expect([...(await batch.repeated()).rows]).toEqual([1, 0]);
  });

  it('within one commit arrival decides, then stream, shard, number as an integer, place in the aggregate', async () => {
    const rows = [
      // arrived, stream, shard, sequence number, subsequence number
      ['01', 'b', '1', '9', '0'],
      ['01', 'a', '2', '9', '0'],
      ['01', 'a', '1', '100', '0'],
      ['01', 'a', '1', '99', '1'],
      ['01', 'a', '1', '99', 'null'],
      ['01', 'a', '1', '99', '10'],
      ['01', 'a', '1', '99', '2'],
      ['00', 'z', '9', '99999', '9'],
    ] as const;
    const values = rows.map(
      ([second, stream, shard, number, sub], i) =>
        `(${i}, timestamptz '2026-01-01 00:00:${second}+00', '${stream}', '${shard}', '${number}', ${sub}::int)`,
    );
    const file = await rawFile(`select * exclude (i) from (values ${values.join(', ')})
      t(i, arrived_at, stream, shard_id, sequence_number, subsequence_number) order by i`);
    await using batch = await engine.readRaw([file]);
    expect([...(await batch.repeated()).rows]).toEqual([7, 4, 3, 6, 5, 2, 1, 0]);
  });

  it('rows that stand alone are left out, and spellings of one UUID are one', async () => {
    const file = await rawFile(
      `select unnest(['${UUID}', 'alone', '${UUID.toUpperCase()}', 'Alone', 'ünï', 'ünï']) as event_uuid`,
    );
    await using batch = await engine.readRaw([file]);
    const { count, rows } = await batch.repeated();
    expect(count).toBe(4);
    expect([...rows].sort()).toEqual([0, 2, 4, 5]);
  });
});

describe('what history holds', () => {
  const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, 'a')}`;

  it('is found in whatever file it stands, in any spelling of a UUID, and by the exact text of anything else', async () => {
    const mine = [uuid(1), uuid(2), uuid(3).toUpperCase(), 'order-7', 'Order-8', 'ünï', '42', 'new'];
    await using batch = await engine.readRaw([
      await rawFile(`select unnest([${mine.map((u) => `'${u}'`).join(', ')}]) as event_uuid`),
    ]);
    const history = [
      await rawFile(`select unnest(['${uuid(1)}', 'x', 'order-8']) as event_uuid`),
      await rawFile(`select unnest(['${uuid(3)}', 'order-7', 'ünï', '042']) as event_uuid`),
      await rawFile("select 'w' || i as event_uuid from range(5000) r(i)"),
    ];
    const held = await batch.heldBy(history);
    expect([...held].sort()).toEqual([0, 2, 3, 5]);
    expect([...(await batch.heldBy([]))]).toEqual([]);
  });

  it('cannot be asked when a file of it is damaged: that is a failure, never a shorter answer', async () => {
    await using batch = await engine.readRaw([
      await rawFile("select 'a' || i as event_uuid from range(10000) r(i)"),
    ]);
    const good = await rawFile("select 'a' || i as event_uuid from range(10000) r(i)");
    const bad = join(folder, 'bad.parquet');
    await writeFile(bad, 'PAR1 this is no Parquet file PAR1');
    await expect(batch.heldBy([good, at(bad)])).rejects.toEqual(
      expect.objectContaining({ name: 'Failure', code: 'engine.unreadable', fault: 'user' }),
    );
  });
});

describe('files of staging', () => {
  const DAY = "timestamptz '2026-01-03 00:00:00+00'";
  const many = () =>
    rawFile(`select 'u' || i as event_uuid, 'lesson:' || ((i * 7919) % 60) as event_name,
      ${DAY} + to_microseconds((i * 271828183) % 86400000000) as created_datetime,
      '{"n":' || i || ',"text":"ünï"}' as document, (i % 5 = 0)::int as subsequence_number
      from range(310000) r(i)`);

  it('are sorted by name and time through all their row groups, as their sort order says', async () => {
    await using batch = await engine.readRaw([await many()]);
    const files = await batch.writeSorted(new Int32Array(0));
    expect(files.map(({ file }) => [file.recordCount, file.partition, file.sortOrderId])).toEqual([
      [310_000, [20_456, 'lesson'], 1],
    ]);
    const groups = await rowsOf(
      `select count(distinct row_group_id) from parquet_metadata(${pathList(files)})`,
    );
    expect(Number(groups[0]![0])).toBeGreaterThanOrEqual(3);
    const unsorted = await rowsOf(`select count(*) from (
        select (event_name, created_datetime) as here, lag((event_name, created_datetime)) over (order by file_row_number) as before
        from read_parquet(${pathList(files)}, file_row_number = true))
      where before > here`);
    expect(unsorted).toEqual([['0']]);
  });

  it('hold every row that was not dropped, with every column as it was', async () => {
    const raw = await many();
    const checksum = `count(*), bit_xor(hash(${RAW.schema.fields.map((f) => f.name).join(', ')}))`;
    for (const dropped of [[], [309_999], Array.from({ length: 5_000 }, (_, i) => i * 3)]) {
      await using batch = await engine.readRaw([raw]);
      const files = await batch.writeSorted(Int32Array.from(dropped));
      const gone = dropped.length === 0 ? '[-1]' : `[${dropped.join(', ')}]`;
      const expected =
        await rowsOf(`select ${checksum} from read_parquet('${pathOf(raw)}', file_row_number = true)
        where file_row_number not in (select unnest(${gone}))`);
      expect(await rowsOf(`select ${checksum} from ${scan(files)}`)).toEqual(expected);
    }
  });

  it('are none when all rows are dropped', async () => {
    await using batch = await engine.readRaw([
      await rawFile("select 'u' || i as event_uuid from range(3000) r(i)"),
    ]);
    expect(await batch.writeSorted(Int32Array.from({ length: 3000 }, (_, i) => i))).toEqual([]);
  });

  it('are one for each day and type, with values that no path can hold', async () => {
    const types = ['a/b', '007', '..', '__HIVE_DEFAULT_PARTITION__', 'x'.repeat(300), "it's", 'null', 'Ünï'];
    const names = types.map((type) => `'${type.replaceAll("'", "''")}:x'`).join(', ');
    const files = await Promise.all(
      [3, 4].map((day) =>
        rawFile(
          `select unnest([${names}]) as event_name, timestamptz '2026-01-0${day} 23:59:59.999999+00' as created_datetime`,
        ),
      ),
    );
    await using batch = await engine.readRaw(files);
    const written = await batch.writeSorted(new Int32Array(0));
    const expected = [3, 4].flatMap((day) => types.map((type) => [20_453 + day, type, 1]));
    expect(written.map(({ file }) => [...file.partition, file.recordCount]).sort()).toEqual(expected.sort());
    for (const one of written) {
      const [, type] = one.file.partition;
      expect(await rowsOf(`select event_type from ${scan([one])}`)).toEqual([[type]]);
    }
  });

  it('leave nothing behind in the work folder', async () => {
    const before = await readdir(work);
    const batch = await engine.readRaw([await rawFile("select 'u' || i as event_uuid from range(100) r(i)")]);
    const files = await batch.writeSorted(new Int32Array(0));
    expect(files.length).toBe(1);
    await batch[Symbol.asyncDispose]();
    expect(await readdir(work)).toEqual(before);
  });
});

it('raw that cannot be read is a failure that names what to do', async () => {
  const gone = { ...at(join(folder, 'gone.parquet')), sequenceNumber: 1, rows: 1 };
  await expect(engine.readRaw([gone])).rejects.toEqual(
    expect.objectContaining({
      name: 'Failure',
      code: 'engine.unreadable',
      fault: 'user',
      why: expect.stringContaining('gone.parquet'),
    }),
  );
});

it('identities of files that are damaged further on are a failure, not fewer identities', async () => {
  const good = await rawFile("select 'u' || i as event_uuid from range(3000) r(i)");
  const bad = join(folder, 'cut.parquet');
  await copyFile(pathOf(good), bad);
  // Within the pages of the first column; the footer stays whole.
  const file = await open(bad, 'r+');
  await file.write(Buffer.alloc(400, 0xff), 0, 400, 100);
  await file.close();
  const read = async () => {
    let count = 0;
    for await (const chunk of engine.identitiesOf([good, at(bad), good], 0)) count += chunk.count;
    return count;
  };
  await expect(read()).rejects.toEqual(
    expect.objectContaining({ name: 'Failure', code: 'engine.unreadable' }),
  );
});
