import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RAW } from '../../tables/tables.ts';
import { type Engine, type LocalFile, openEngine, type RawBatch, type RawFile } from '../engine.ts';

let folder: string;
let work: string;
let engine: Engine;
let instance: DuckDBInstance;
/** Another engine than the one under test, for making files and looking at them. */
let c: DuckDBConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-sorted-'));
  work = join(folder, 'work');
  engine = await openEngine({ workFolder: work, memory_bytes: 5e8, threads: 1, lanes: 2 });
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  c = await instance.connect();
  await c.run("set timezone = 'UTC'");
});
afterAll(async () => {
  await engine.close();
  instance.closeSync();
  await rm(folder, { recursive: true });
});

/** 2026-01-01 and the days after it, as partition values. */
const DAY = 20_454;
let files = 0;

interface Made {
  /** Rows by their real place: [days after the first, type]. */
  rows: readonly (readonly [number, string])[];
  partition?: [number, string] | undefined;
  /** Each row so many times: work enough for two lanes. */
  times?: number;
}

async function rawFile({ rows, partition, times = 1 }: Made): Promise<RawFile> {
  const path = join(folder, `${++files}.parquet`);
  const values = rows.map(([day, type], i) => `(${i}, ${day}, '${type}')`).join(', ');
  const of: Record<string, string> = {
    event_uuid: `'${files}-' || i || '-' || copy`,
    event_name: "type || ':' || (copy * 7919) % 10",
    event_type: 'type',
    created_at: '0::double',
    created_datetime: "timestamptz '2026-01-01 00:00:00+00' + to_days(day) + to_seconds(copy % 86400)",
    document: "'{}'",
    subsequence_number: 'copy::int',
    arrived_at: "timestamptz '2026-03-01 00:00:00+00'",
  };
  const columns = RAW.schema.fields.map(({ name }) => `${of[name] ?? "'x'"} as ${name}`).join(', ');
  const ids = RAW.schema.fields.map(({ name, id }) => `${name}: ${id}`).join(', ');
  await c.run(`copy (select ${columns} from (values ${values}) t(i, day, type), range(${times}) r(copy)
    order by i, copy) to '${path}' (format parquet, field_ids {${ids}})`);
  return {
    location: `file://${path}`,
    fileSize: 0,
    sequenceNumber: 1,
    rows: rows.length * times,
    ...(partition && { partition: [DAY + partition[0], partition[1]] }),
  };
}

const rowsOf = async (sql: string) => (await c.runAndReadAll(sql)).getRowsJson();
const pathOf = ({ location }: { location: string }) => location.slice('file://'.length);
const scan = (paths: readonly string[]) =>
  `read_parquet([${paths.map((p) => `'${p}'`).join(', ')}], hive_partitioning = false, filename = true,
    file_row_number = true)`;
const DAY_OF = "created_datetime::date - '1970-01-01'::date";

async function filesLeft(): Promise<string[]> {
  const entries = await readdir(work, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function disposed<Result>(batch: RawBatch, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } finally {
    await batch[Symbol.asyncDispose]();
  }
}

/** What each file says of itself beside what is in it. */
async function placesOf(written: readonly LocalFile[]) {
  const inFiles = await rowsOf(`select filename, ${DAY_OF}, event_type, count(*)
    from ${scan(written.map((f) => f.localPath))} group by all order by all`);
  const said = written.map(({ localPath, file }) => [
    localPath,
    String(file.partition[0]),
    file.partition[1],
    String(file.recordCount),
  ]);
  return { inFiles, said: said.sort(([a], [b]) => (a! < b! ? -1 : 1)) };
}

const place = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('lesson', 'payment', 'it'));
const made = fc.record({
  rows: fc.array(place, { minLength: 1, maxLength: 5 }),
  // True, false or not said at all: files of ours tell the truth, those of other programs may not.
  partition: fc.option(place, { nil: undefined }),
});
const honest = place.chain((at) =>
  fc.array(fc.constant(at), { minLength: 1, maxLength: 5 }).map((rows) => ({ rows, partition: at })),
);

it('every row that was not dropped is once in a file of its own day and type, whatever its file says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(honest, made), { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      fc.infiniteStream(fc.nat({ max: 3 })),
      async (given, large, dice) => {
        const raw: RawFile[] = [];
        for (const file of given) raw.push(await rawFile({ ...file, times: large ? 3_000 : 1 }));
        const batch = await engine.readRaw(raw);
        const drop = Int32Array.from(Array.from({ length: batch.rows }, (_, i) => i)).filter(
          () => dice.next().value === 0,
        );
        await disposed(batch, async () => {
          const written = (await batch.writeSorted(drop)) as LocalFile[];
          expect(written.reduce((sum, { file }) => sum + file.recordCount, 0)).toBe(batch.rows - drop.length);
          if (written.length === 0) return;
          const { inFiles, said } = await placesOf(written);
          expect(inFiles).toEqual(said);

          const inOrder = await rowsOf(`select event_uuid from ${scan(raw.map(pathOf))}
            order by list_position([${raw.map((f) => `'${pathOf(f)}'`).join(', ')}], filename), file_row_number`);
          const gone = new Set(drop);
          expect(
            (await rowsOf(`select event_uuid from ${scan(written.map((f) => f.localPath))}`)).sort(),
          ).toEqual(inOrder.filter((_, row) => !gone.has(row)).sort());
        });
        expect(await filesLeft()).toEqual([]);
      },
    ),
    { numRuns: 25, seed: 36 },
  );
}, 120_000);

it('a partition of honest files is one file, in order, however many files of raw and slices there were', async () => {
  const raw: RawFile[] = [];
  for (const day of [0, 1, 2, 3, 0, 1, 2, 3])
    raw.push(await rawFile({ rows: [[day, 'lesson']], partition: [day, 'lesson'], times: 4_000 }));
  const batch = await engine.readRaw(raw);
  await disposed(batch, async () => {
    const written = (await batch.writeSorted(new Int32Array(0))) as LocalFile[];
    expect(written.map(({ file }) => [file.partition[0], file.recordCount]).sort()).toEqual(
      [0, 1, 2, 3].map((day) => [DAY + day, 8_000]),
    );
    const unsorted = await rowsOf(`select count(*) from (
      select (event_name, created_datetime) as here,
        lag((event_name, created_datetime)) over (partition by filename order by file_row_number) as before
      from ${scan(written.map((f) => f.localPath))}) where before > here`);
    expect(unsorted).toEqual([['0']]);
  });
});

it('a file that cannot be read fails the write; nothing is left, and the next batch finds its folder empty', async () => {
  const raw: RawFile[] = [];
  for (const day of [0, 1, 2, 3])
    raw.push(await rawFile({ rows: [[day, 'lesson']], partition: [day, 'lesson'], times: 8_000 }));
  for (const bad of raw) {
    const copy = join(folder, 'good.parquet');
    await copyFile(pathOf(bad), copy);
    const batch = await engine.readRaw(raw);
    await writeFile(pathOf(bad), 'PAR1 this is no Parquet file PAR1');
    await disposed(batch, () =>
      expect(batch.writeSorted(new Int32Array(0))).rejects.toEqual(
        expect.objectContaining({ name: 'Failure', code: 'engine.unreadable' }),
      ),
    );
    expect(await filesLeft()).toEqual([]);
    await copyFile(copy, pathOf(bad));
  }
  const batch = await engine.readRaw(raw);
  await disposed(batch, async () => {
    const written = (await batch.writeSorted(Int32Array.of(0))) as LocalFile[];
    expect((await placesOf(written)).inFiles.map(([, , , rows]) => rows).sort()).toEqual([
      '7999',
      '8000',
      '8000',
      '8000',
    ]);
  });
});
