import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../base/base.ts';
import { CompactReader } from './compact-reader.ts';
import { footerLength, parseFooter } from './footer.ts';
import { remoteFiles } from './remote-files.ts';

let folder: string;
let instance: DuckDBInstance;
let c: DuckDBConnection;
let location: string;
let fileSize: number;

/** 20 row groups of 2,048 rows, sorted by name as staging is, about 60 bytes of text a row. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-plan-'));
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  c = await instance.connect();
  await c.run("set timezone = 'UTC'");
  location = join(folder, 'a.parquet');
  await c.run(`copy (select 'payment:order:' || lpad((i // 4096)::varchar, 3, '0') as name, i::bigint as number,
      i::integer as small, i / 2 as real, timestamptz '2026-01-01 00:00:00+00' + to_microseconds(i * 1000001) as moment,
      sha256(i::varchar) as document, {x: i} as nested
    from range(40960) r(i)) to '${location}'
    (format parquet, row_group_size 2048, field_ids {name: 1, number: 2, small: 3, real: 4, moment: 5, document: 6})`);
  fileSize = (await stat(location)).size;
});
afterAll(async () => {
  instance.closeSync();
  await rm(folder, { recursive: true });
});

const fromDisk = async (path: string): Promise<Uint8Array> => readFile(path);

async function opened({ most_bytes = 1e9, bytesOf = fromDisk } = {}) {
  const read = { bytes: 0, requests: 0 };
  const files = remoteFiles({
    folder: await mkdtemp(join(folder, 'copies-')),
    most_bytes,
    async read(path, { offset, length }) {
      const bytes = (await bytesOf(path)).subarray(offset, offset + length);
      read.bytes += bytes.length;
      read.requests++;
      return bytes;
    },
  });
  return { files, read };
}

const rows = async (sql: string) => (await c.runAndReadAll(sql)).getRowsJson();
const file = () => ({ location, fileSize });
const micros = (i: number) => BigInt(Date.UTC(2026, 0, 1)) * 1000n + BigInt(i) * 1000001n;

async function parsed() {
  const bytes = await readFile(location);
  const length = footerLength(bytes.subarray(-8));
  return parseFooter(bytes.subarray(-8 - length, -8), bytes.length - 8 - length);
}

it('a footer says its columns, and of every row group where it lies and what it holds', async () => {
  const footer = await parsed();
  expect(footer.columns).toEqual([
    ...['name', 'number', 'small', 'real', 'moment', 'document'].map((name, i) => ({ name, id: i + 1 })),
    expect.objectContaining({ name: 'nested' }),
  ]);
  expect(footer.groups.map(({ rows }) => rows)).toEqual(Array.from({ length: 20 }, () => 2048));
  const [name, number, small, real, at, document, nested] = footer.groups[3]!.chunks;
  expect(name).toMatchObject({ lower: 'payment:order:001', upper: 'payment:order:001' });
  expect(number).toMatchObject({ lower: 6144n, upper: 8191n });
  expect(small).toMatchObject({ lower: 6144, upper: 8191 });
  expect(real).toMatchObject({ lower: 3072 });
  expect(real).not.toHaveProperty('upper');
  expect(at).toMatchObject({ lower: micros(6144), upper: micros(8191) });
  expect(document!.ranges[0]!.to - document!.ranges[0]!.from).toBeGreaterThan(2048 * 64);
  expect(nested).not.toHaveProperty('lower');
});

/** The file's bytes without the field `column_orders` of its footer, as writers before Parquet 2.4 left it out. */
async function withoutOrders(): Promise<Buffer> {
  const bytes = await readFile(location);
  const from = bytes.length - 8 - footerLength(bytes.subarray(-8));
  const footer = bytes.subarray(from, -8);
  const reader = new CompactReader(footer);
  let field = { from: 0, to: 0 };
  reader.struct((id, type) => {
    const at = reader.at;
    reader.skip(type);
    if (id === 7) field = { from: at - 1, to: reader.at };
    return true;
  });
  expect(field.to).toBeGreaterThan(field.from);
  const cut = Buffer.concat([footer.subarray(0, field.from), footer.subarray(field.to)]);
  const trailer = Buffer.from(bytes.subarray(-8));
  trailer.writeUInt32LE(cut.length);
  return Buffer.concat([bytes.subarray(0, from), cut, trailer]);
}

it('bounds are not believed where the file does not say by which order they are any', async () => {
  const bytes = await withoutOrders();
  const { files } = await opened({ bytesOf: async () => bytes });
  const need = { anyOf: [[{ column: 'number', id: 2, min: 40_000n }]], columns: [{ id: 2, name: 'number' }] };
  const held = await files.hold([{ location: 'unordered', fileSize: bytes.length }], need);
  expect(held.stats).toMatchObject({ rowGroups: { listed: 20, needed: 20 } });
  expect(await rows(`select count(*), max(number) from '${held.paths[0]}'`)).toEqual([['40960', '40959']]);
  held.release();
});

describe('a file read in part', () => {
  it('of one name and hour fetches less than 15% of its bytes, and has every row that is asked for', async () => {
    const { files, read } = await opened();
    const anyOf = [
      [
        { column: 'name', id: 1, in: ['payment:order:004'] },
        { column: 'moment', id: 5, max: micros(17_000) },
      ],
    ];
    const held = await files.hold([file()], { anyOf });
    const where = `name = 'payment:order:004' and number <= 17000`;
    expect(
      await rows(`select count(*), sum(number), max(document) from '${held.paths[0]}' where ${where}`),
    ).toEqual(await rows(`select count(*), sum(number), max(document) from '${location}' where ${where}`));
    expect(held.stats).toMatchObject({ files: 1, rowGroups: { listed: 20, needed: 1 } });
    expect(held.stats!.bytes.fetched).toBe(read.bytes);
    expect(read.bytes).toBeLessThan(fileSize * 0.15);
    held.release();
  });

  it('answers as the whole file does, whatever is asked', async () => {
    const { files } = await opened();
    const bound = fc.integer({ min: -10, max: 41_000 });
    const filter = fc.oneof(
      fc.record({ column: fc.constant('number'), id: fc.constant(2), min: bound.map(BigInt) }),
      fc.record({ column: fc.constant('small'), id: fc.constant(3), max: bound }),
      fc.record({ column: fc.constant('moment'), id: fc.constant(5), max: bound.map(micros) }),
      fc.record({ column: fc.constant('real'), id: fc.constant(4), min: bound }),
      fc.record({
        column: fc.constant('name'),
        id: fc.constant(1),
        in: fc.array(
          bound.map((i) => `payment:order:${String(Math.floor(i / 4096)).padStart(3, '0')}`),
          {
            minLength: 1,
            maxLength: 2,
          },
        ),
      }),
    );
    const sqlOf = ({
      column,
      ...wanted
    }: {
      column: string;
      min?: unknown;
      max?: unknown;
      in?: string[];
    }) => {
      const value = (v: unknown) => (column === 'moment' ? `make_timestamp(${v})::timestamptz` : String(v));
      if (wanted.in) return `name in (${wanted.in.map((v) => `'${v}'`).join(', ')})`;
      return 'min' in wanted ? `${column} >= ${value(wanted.min)}` : `${column} <= ${value(wanted.max)}`;
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(filter, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }),
        fc.subarray(['document', 'number', 'real']),
        async (anyOf, also) => {
          const where = anyOf.map((all) => `(${all.map(sqlOf).join(' and ')})`).join(' or ');
          const used = [...new Set([...also, ...anyOf.flat().map(({ column }) => column)])];
          const columns = used.map((name) => ({ name }));
          const held = await files.hold([file()], { anyOf, columns });
          const picked = used.map((name) => `min(${name}), count(${name})`).join(', ');
          const sql = (path: string) => `select count(*), ${picked} from '${path}' where ${where}`;
          expect(await rows(sql(held.paths[0]!))).toEqual(await rows(sql(location)));
          held.release();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('whose other columns are asked for later fetches these, and nothing twice', async () => {
    const { files, read } = await opened();
    const first = await files.hold([file()], { columns: [{ id: 2, name: 'number' }] });
    const once = read.bytes;
    expect(once).toBeLessThan(fileSize / 2);
    const again = await files.hold([file()], { columns: [{ id: 2, name: 'number' }] });
    expect(read.bytes).toBe(once);
    const more = await files.hold([file()], { columns: [{ id: 6, name: 'document' }] });
    expect(more.paths).toEqual(first.paths);
    expect(await rows(`select sum(number), max(document) from '${more.paths[0]}'`)).toEqual(
      await rows(`select sum(number), max(document) from '${location}'`),
    );
    for (const held of [first, again, more]) held.release();
  });

  it('of which nothing is needed has no rows', async () => {
    const { files } = await opened();
    const held = await files.hold([file()], { anyOf: [[{ column: 'number', id: 2, min: 50_000n }]] });
    expect(await rows(`select count(*), max(document) from '${held.paths[0]}'`)).toEqual([['0', null]]);
    held.release();
  });
});

it('a file whose columns are not read is counted by its footer alone', async () => {
  const { files, read } = await opened();
  const held = await files.hold([file()], { columns: [] });
  expect(await rows(`select count(*) from '${held.paths[0]}'`)).toEqual([['40960']]);
  expect(read).toEqual({ bytes: 64 * 1024, requests: 1 });
  held.release();
});

it('a file that was kept when it was written is not fetched at all', async () => {
  const { files, read } = await opened();
  await files.keep(location, 'elsewhere');
  const elsewhere = { location: 'elsewhere', fileSize };
  for (const need of [undefined, { columns: [{ id: 2, name: 'number' }] }]) {
    const held = await files.hold([elsewhere], need);
    expect(await rows(`select sum(number) from '${held.paths[0]}'`)).toEqual([[String((40960 * 40959) / 2)]]);
    held.release();
  }
  expect(read.bytes).toBe(0);
});

describe('copies that do not fit', () => {
  it('make room for each other when nobody holds them', async () => {
    const { files, read } = await opened({ most_bytes: fileSize * 1.5 });
    const other = join(folder, 'b.parquet');
    await c.run(`copy (from '${location}') to '${other}' (format parquet)`);
    const both = [file(), { location: other, fileSize: (await stat(other)).size }];
    for (const each of [...both, ...both]) {
      const held = await files.hold([each]);
      expect(await rows(`select count(*) from '${held.paths[0]}'`)).toEqual([['40960']]);
      held.release();
    }
    expect(read.bytes).toBe(2 * (both[0]!.fileSize + both[1]!.fileSize));
  });

  it('are refused while they are held, with what to do about it', async () => {
    const { files } = await opened({ most_bytes: fileSize / 2 });
    await expect(files.hold([file()])).rejects.toMatchObject({
      code: 'engine.no_room',
      hint: expect.any(String),
    });
    const held = await files.hold([file()], { columns: [{ id: 2, name: 'number' }] });
    expect(await rows(`select max(number) from '${held.paths[0]}'`)).toEqual([['40959']]);
    held.release();
  });
});

it('a store that dies in the middle of a large file is asked for nothing more of it', async () => {
  const asked: number[] = [];
  const files = remoteFiles({
    folder: await mkdtemp(join(folder, 'copies-')),
    most_bytes: 1e9,
    async read(_, { offset }) {
      asked.push(offset);
      if (offset > 0) throw new Failure('it is away', { code: 'test.away', fault: 'service' });
      return new Uint8Array(4 * 1024 * 1024);
    },
  });
  const large = { location: 'large', fileSize: 400 * 1024 * 1024 };
  await expect(files.hold([large])).rejects.toMatchObject({ code: 'test.away' });
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(asked.length).toBeLessThan(20);
});

describe('a file that is damaged', () => {
  it('fails to be held with its name, wherever it was cut or changed', async () => {
    const bytes = await readFile(location);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4_000 }),
        fc.integer({ min: 1, max: 255 }),
        async (back, change) => {
          const copy = Buffer.from(bytes);
          copy[copy.length - 1 - back]! ^= change;
          const { files } = await opened({ bytesOf: async () => copy });
          const need = { anyOf: [[{ column: 'number', id: 2, min: 1n }]] };
          // Damage that leaves a footer is found when the engine reads; nothing hangs, nothing else is thrown.
          const held = await files.hold([file()], need).catch((error: unknown) => error);
          if (held instanceof Error) expect(held).toMatchObject({ code: expect.stringMatching(/^engine\./) });
          else (held as { release(): void }).release();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('that is shorter than the table says fails so', async () => {
    const { files } = await opened();
    await expect(files.hold([{ location, fileSize: fileSize + 5 }])).rejects.toMatchObject({
      code: 'engine.unreadable',
      why: 'it is shorter than the table says',
    });
  });
});
