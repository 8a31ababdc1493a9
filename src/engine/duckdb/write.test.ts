import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bound, TableDefinition } from '../../lake/lake.ts';
import { RAW } from '../../tables/tables.ts';
import type { LocalFile } from '../engine.ts';
import { connection } from './duckdb.ts';
import { microseconds, partitionHint, writePartitioned } from './write.ts';

let folder: string;
let instance: DuckDBInstance;
let c: DuckDBConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-'));
  instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
  c = await connection(instance);
});
afterAll(async () => {
  instance.closeSync();
  await rm(folder, { recursive: true });
});

/** Every type that our tables have, and two more; partitioned by a text that may be null. */
const TABLE: TableDefinition = {
  schema: {
    fields: [
      { id: 1, name: 'kind', type: 'string', required: false },
      { id: 2, name: 'text', type: 'string', required: false },
      { id: 3, name: 'at', type: 'timestamptz', required: false },
      { id: 4, name: 'share', type: 'double', required: false },
      { id: 5, name: 'small', type: 'int', required: false },
      { id: 60, name: 'large', type: 'long', required: false },
      { id: 7, name: 'bytes', type: 'binary', required: false },
      { id: 8, name: 'document', type: 'string', required: false },
    ],
  },
  partition: [{ source: 1, id: 1000, name: 'kind', transform: 'identity' }],
  sort: [],
  properties: {},
};

async function write(
  select: string,
  table = TABLE,
  partitionBy: readonly string[] = ['__kind'],
): Promise<LocalFile[]> {
  const own = await mkdtemp(join(folder, 'batch-'));
  return writePartitioned(c, {
    table,
    select,
    partitionBy,
    folder: own,
    hint: (v) => partitionHint(['kind'], v),
  });
}

const rowsOf = async (sql: string) => (await c.runAndReadAll(sql)).getRowsJson();
const scan = ({ localPath }: LocalFile) => `read_parquet('${localPath}', hive_partitioning = false)`;
const points = (text: string) => [...text].slice(0, 16).join('');

describe('what is said of a file', () => {
  const SELECT = `select * replace (nullif(text, 'none') as text), kind as __kind from (
    select 'k' || (i % 3) as kind,
      case i % 5 when 0 then 'none' when 1 then 'Ünï日本😀' || i when 2 then repeat('x', 300 + i) || i
        when 3 then 'a' || chr(0) || chr(10) || '''"' || i else '' end as text,
      timestamptz '1969-12-31 23:59:59.999999+00' + to_microseconds(i * 86400000001) as at,
      case when i % 7 = 0 then null else i / 7 - 3 end as share,
      case when i % 3 = 1 then null else i - 500 end::integer as small,
      9007199254740993 + i as large, from_hex(printf('%08x', i)) as bytes, '{"n":' || i || '}' as document
    from range(1000) r(i))`;

  it('is what a scan of it says', async () => {
    const files = await write(SELECT);
    expect(files.map(({ file }) => file.partition).sort()).toEqual([['k0'], ['k1'], ['k2']]);
    for (const written of files) {
      const { file } = written;
      const [[rows]] = (await rowsOf(`select count(*) from ${scan(written)}`)) as [[string]];
      expect(file.recordCount).toBe(Number(rows));
      for (const { id, name, type } of TABLE.schema.fields) {
        const value = type === 'timestamptz' ? `epoch_us("${name}")` : `"${name}"`;
        const [[nulls, min, max]] = (await rowsOf(
          `select count(*) filter (where "${name}" is null), min(${value})::varchar, max(${value})::varchar from ${scan(written)}`,
        )) as [[string, string | null, string | null]];
        expect({ name, values: file.valueCounts.get(id), nulls: file.nullValueCounts.get(id) }).toEqual({
          name,
          values: file.recordCount,
          nulls: Number(nulls),
        });
        expect(file.columnSizes.get(id)).toBeGreaterThan(0);
        const [lower, upper] = [file.lowerBounds.get(id), file.upperBounds.get(id)];
        if (name === 'document' || name === 'bytes' || min === null || max === null) {
          expect([lower, upper]).toEqual([undefined, undefined]);
        } else if (type !== 'string') {
          expect([lower, upper]).toEqual([min, max].map((text) => exact(type, text)));
        } else {
          // Manifests keep 16 characters, and raise the last one of an upper bound that they cut.
          if (lower !== undefined)
            expect(String(lower) <= min || points(String(lower)) <= points(min)).toBe(true);
          if (upper !== undefined) expect(points(String(upper)) >= points(max)).toBe(true);
        }
      }
    }
  });

  it('says of short texts exactly what they are, whatever is in them', async () => {
    const texts = [
      '',
      'a\u0000b',
      'line\nbreak',
      `it's "quoted"`,
      'Ünï日本😀',
      '\\x00',
      'NULL',
      'x'.repeat(200),
    ];
    for (const text of texts) {
      const sql = text
        .split('\u0000')
        .map((t) => `'${t.replaceAll("'", "''")}'`)
        .join(' || chr(0) || ');
      const [written] = await write(`select ${SELECTED.replace('TEXT', sql)}`);
      expect([written!.file.lowerBounds.get(2), written!.file.upperBounds.get(2)]).toEqual([text, text]);
    }
  });

  it('gives no bound that is none: infinite times, NaN, nothing but nulls', async () => {
    const [written] =
      await write(`select 'k' as kind, 'k' as __kind, null::varchar as text, 'infinity'::timestamptz as at,
      'nan'::double as share, null::integer as small, null::bigint as large, null::blob as bytes, null::varchar as document`);
    const { lowerBounds, upperBounds, nanValueCounts, nullValueCounts } = written!.file;
    expect([...lowerBounds.keys(), ...upperBounds.keys()]).toEqual([1, 1]);
    // Zero would say that there is none.
    expect(nanValueCounts.get(4)).toBeUndefined();
    expect(nullValueCounts.get(2)).toBe(1);
  });

  it('names its columns by field id', async () => {
    const [written] = await write(SELECT);
    const ids = await rowsOf(
      `select name, field_id from parquet_schema('${written!.localPath}') where type is not null order by field_id`,
    );
    expect(ids).toEqual(
      [...TABLE.schema.fields].sort((a, b) => a.id - b.id).map(({ name, id }) => [name, String(id)]),
    );
  });
});

const SELECTED = `'k' as kind, 'k' as __kind, TEXT as text, timestamptz '2026-01-01 00:00:00+00' as at, 1.5 as share,
  1 as small, 1::bigint as large, '\\x00'::blob as bytes, '{}' as document`;

describe('partitions', () => {
  it('are a file each, also hundreds of them in one write', async () => {
    const files =
      await write(`select * exclude (i), kind as __kind from (select 'k' || (i % 600) as kind, i::varchar as text,
      timestamptz '2026-01-01 00:00:00+00' as at, 1.5 as share, 1 as small, i as large, null::blob as bytes, '' as document, i
      from range(30000) r(i))`);
    expect(files.length).toBe(600);
    expect(new Set(files.map(({ file }) => file.partition[0])).size).toBe(600);
    expect(files.every(({ file }) => file.recordCount === 50)).toBe(true);
    // Slices use the same folders again; that of a batch is searched whenever it is released.
    expect(new Set(files.map(({ localPath }) => dirname(localPath))).size).toBeLessThanOrEqual(250);
  });

  it('keep null, texts that mean null to others, and what no path can hold apart', async () => {
    const kinds = [
      null,
      '__HIVE_DEFAULT_PARTITION__',
      'null',
      'NULL',
      '',
      '..',
      'a/b',
      'a b',
      'ä',
      'A',
      'a',
      'y'.repeat(3000),
    ];
    const rows = kinds.map((kind, i) => `(${kind === null ? 'null' : `'${kind}'`}, ${i})`).join(', ');
    const files =
      await write(`select kind, kind as __kind, i::varchar as text, timestamptz '2026-01-01 00:00:00+00' as at,
      1.5 as share, i as small, i::bigint as large, null::blob as bytes, '' as document from (values ${rows}) t(kind, i)`);
    const read = await Promise.all(
      files.map(async (written) => [
        written.file.partition[0],
        ...(await rowsOf(`select kind, small from ${scan(written)}`)),
      ]),
    );
    const byNumber = read.toSorted((a, b) => Number((a[1] as unknown[])[1]) - Number((b[1] as unknown[])[1]));
    expect(byNumber).toEqual(kinds.map((kind, i) => [kind, [kind, i]]));
  });

  it('are none without rows', async () => {
    expect(await write(`select ${SELECTED.replace('TEXT', "''")} where false`)).toEqual([]);
  });
});

it('a required column without a value is our bug, and said before anything is committed', async () => {
  const columns = RAW.schema.fields.map(({ name, type }) => {
    const sql =
      type === 'timestamptz'
        ? "timestamptz '2026-01-01 00:00:00+00'"
        : type === 'double'
          ? '1.0::double'
          : type === 'int'
            ? '1'
            : "'x'";
    return `${name === 'event_uuid' ? 'null::varchar' : sql} as ${name}`;
  });
  await expect(write(`select ${columns.join(', ')}, 1 as __kind`, RAW)).rejects.toEqual(
    expect.objectContaining({ code: 'engine.required_is_null', fault: 'ourselves' }),
  );
});

it('a folder with quotes and patterns in its name is written to like any other', async () => {
  const odd = join(folder, "a*b [1] it's?");
  await mkdir(odd);
  const files = await writePartitioned(c, {
    table: TABLE,
    select: `select ${SELECTED.replace('TEXT', "'t'")}`,
    partitionBy: ['__kind'],
    folder: odd,
    hint: () => 'k',
  });
  expect(files.map(({ localPath }) => localPath.startsWith(odd))).toEqual([true]);
});

describe('moments as DuckDB prints them', () => {
  it.each([
    ['2026-01-01 00:00:00.123456+00', 1_767_225_600_123_456n],
    ['1969-12-31 23:59:59.9+00', -100_000n],
    ['0044-03-15 00:00:00+00', BigInt(Date.parse('0044-03-15')) * 1000n],
    ['12026-01-01 00:00:00+00', BigInt(Date.parse('+012026-01-01')) * 1000n],
    ['290000-01-01 00:00:00+00', undefined],
    ['infinity', undefined],
    ['0044-03-15 (BC) 00:00:00+00', undefined],
  ])('%s', (text, us) => {
    expect(microseconds(text)).toBe(us);
  });
});

function exact(type: string, text: string): Bound {
  return type === 'int' || type === 'double' ? Number(text) : BigInt(text);
}
