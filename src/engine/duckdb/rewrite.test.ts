import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TableDefinition } from '../../lake/lake.ts';
import { QUARANTINE, QUARANTINE_NAME, RAW, RAW_NAME, STAGING, STAGING_NAME } from '../../tables/tables.ts';
import { type Engine, openEngine } from '../engine.ts';

let folder: string;
let work: string;
let engine: Engine;
let instance: DuckDBInstance;
/** Another engine than the one under test, for making files and looking at them. */
let c: DuckDBConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rewrite-'));
  work = join(folder, 'work');
  engine = await openEngine({ workFolder: work, memory_bytes: 5e8, threads: 1 });
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  c = await instance.connect();
  await c.run("set timezone = 'UTC'");
});
afterAll(async () => {
  await engine.close();
  instance.closeSync();
  await rm(folder, { recursive: true });
});

/** 2026-01-01, as a partition value. */
const DAY = 20_454;
const NEVER = new AbortController().signal;
let files = 0;

interface Made {
  rows: number;
  type?: string;
  /** A row whose day is the one after. */
  astray?: boolean;
}

async function eventFile({ rows, type = 'lesson', astray = false }: Made) {
  const path = join(folder, `${++files}.parquet`);
  const of: Record<string, string> = {
    event_uuid: `'${files}-' || i`,
    event_name: "'lesson:' || (i * 7919) % 10",
    event_type: type.includes('\0') ? "'a' || chr(0)" : `'${type}'`,
    created_at: '0::double',
    created_datetime: `timestamptz '2026-01-01 00:00:00+00' + to_seconds((i * 31) % 86400)
      + to_days(${astray ? '(i = 0)::int' : '0'})`,
    document: `'{"n": ' || i || ', "é": "  ${files} \u{1f600}"}'`,
    subsequence_number: 'i::int',
    arrived_at: "timestamptz '2026-03-01 00:00:00+00'",
  };
  await write(path, RAW, { of, rows });
  return { location: path, fileSize: 0, recordCount: rows };
}

async function write(
  path: string,
  table: TableDefinition,
  { of, rows }: { of: Record<string, string>; rows: number },
) {
  const columns = table.schema.fields.map(({ name }) => `${of[name] ?? "'x'"} as ${name}`).join(', ');
  const ids = table.schema.fields.map(({ name, id }) => `${name}: ${id}`).join(', ');
  await c.run(`copy (select ${columns} from range(${rows}) r(i) order by i)
    to '${path}' (format parquet, field_ids {${ids}}, row_group_size 2048)`);
}

const rowsOf = async (sql: string) => (await c.runAndReadAll(sql)).getRowsJson();
const scan = (paths: readonly string[]) =>
  `read_parquet([${paths.map((p) => `'${p}'`).join(', ')}], hive_partitioning = false)`;
const leftovers = async () =>
  (await readdir(work, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());

it('rows of raw stand in the order of the files and within them, byte for byte the same', async () => {
  const made = [
    await eventFile({ rows: 5_000 }),
    await eventFile({ rows: 3 }),
    await eventFile({ rows: 9_000 }),
  ];
  const rewritten = await engine.rewrite({
    name: RAW_NAME,
    table: RAW,
    files: [made[2]!, made[0]!, made[1]!],
    partition: [DAY, 'lesson'],
    signal: NEVER,
  });
  expect(rewritten.files).toHaveLength(1);
  const { localPath, file, hint } = rewritten.files[0]!;
  expect(hint).toBe('created_datetime_day=2026-01-01/event_type=lesson');
  expect(file).toMatchObject({ specId: 0, partition: [DAY, 'lesson'], recordCount: 14_003 });
  expect(file.sortOrderId).toBeUndefined();
  expect(file.valueCounts.size).toBe(RAW.schema.fields.length);
  expect(file.lowerBounds.get(2)).toBe('lesson:0');
  const columns = RAW.schema.fields.map(({ name }) => name).join(', ');
  const expected = [made[2]!, made[0]!, made[1]!].map(({ location }) => location);
  expect(await rowsOf(`select ${columns} from ${scan([localPath!])}`)).toEqual(
    (await Promise.all(expected.map((path) => rowsOf(`select ${columns} from ${scan([path])}`)))).flat(),
  );
  const ids = await rowsOf(`select field_id from parquet_schema('${localPath}') where field_id is not null`);
  expect(ids.flat().map(Number)).toEqual(RAW.schema.fields.map(({ id }) => id));
  await rewritten[Symbol.asyncDispose]();
  expect(await leftovers()).toEqual([]);
});

it('rows of staging are sorted again', async () => {
  const made = [await eventFile({ rows: 4_000 }), await eventFile({ rows: 3_000 })];
  await using rewritten = await engine.rewrite({
    name: STAGING_NAME,
    table: STAGING,
    files: made,
    partition: [DAY, 'lesson'],
    signal: NEVER,
  });
  const { localPath, file } = rewritten.files[0]!;
  expect(file.sortOrderId).toBe(1);
  const keys = (await rowsOf(
    `select event_name, epoch_us(created_datetime)::varchar from ${scan([localPath!])}`,
  )) as [string, string][];
  expect(keys).toHaveLength(7_000);
  const order = ([a, b]: [string, string]) => `${a} ${b.padStart(20, '0')}`;
  expect(keys.map(order)).toEqual(keys.map(order).sort());
});

it('bytes that are no event stay as they are', async () => {
  const path = join(folder, 'quarantine.parquet');
  const of = {
    bytes: "'\\xFF\\x00'::blob || encode(i::varchar)",
    arrived_at: "timestamptz '2026-01-01 00:00:00+00'",
    subsequence_number: 'null::int',
  };
  await write(path, QUARANTINE, { of, rows: 10 });
  await using rewritten = await engine.rewrite({
    name: QUARANTINE_NAME,
    table: QUARANTINE,
    files: [
      { location: path, fileSize: 0, recordCount: 10 },
      { location: path, fileSize: 0, recordCount: 10 },
    ],
    partition: [DAY],
    signal: NEVER,
  });
  const held = await rowsOf(`select hex(bytes) from ${scan([rewritten.files[0]!.localPath!])}`);
  const before = await rowsOf(`select hex(bytes) from ${scan([path])}`);
  expect(held).toEqual([...before, ...before]);
});

it('a type that SQL cannot say is found in the rows', async () => {
  const type = 'a\0';
  const made = await eventFile({ rows: 3, type });
  await using rewritten = await engine.rewrite({
    name: RAW_NAME,
    table: RAW,
    files: [made],
    partition: [DAY, type],
    signal: NEVER,
  });
  expect(rewritten.files.map(({ file }) => file.partition)).toEqual([[DAY, type]]);
});

it('rows that lie in another partition than they are said to fail it, and leave nothing', async () => {
  const made = [await eventFile({ rows: 10 }), await eventFile({ rows: 10, astray: true })];
  const input = { name: RAW_NAME, table: RAW, files: made, signal: NEVER };
  await expect(engine.rewrite({ ...input, partition: [DAY, 'lesson'] })).rejects.toMatchObject({
    code: 'engine.rows_differ',
  });
  expect(await leftovers()).toEqual([]);
});

it('an aborted signal ends it, and leaves nothing', async () => {
  const made = await eventFile({ rows: 400_000 });
  const stop = new AbortController();
  const rewriting = engine.rewrite({
    name: STAGING_NAME,
    table: STAGING,
    files: [made, made],
    partition: [DAY, 'lesson'],
    signal: stop.signal,
  });
  stop.abort();
  await expect(rewriting).rejects.toMatchObject({ code: 'engine.interrupted' });
  expect(await leftovers()).toEqual([]);
});
