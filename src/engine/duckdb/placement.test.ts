import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TableDefinition } from '../../lake/lake.ts';
import { type Placement, SMALL_ROWS } from '../../tables/tables.ts';
import type { LocalFile } from '../engine.ts';
import { connection } from './duckdb.ts';
import { writePartitioned } from './write.ts';

let folder: string;
let instance: DuckDBInstance;
let c: DuckDBConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placement-'));
  instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
  c = await connection(instance);
});
afterAll(async () => {
  instance.closeSync();
  await rm(folder, { recursive: true });
});

const TABLE: TableDefinition = {
  schema: {
    fields: [
      { id: 1, name: 'day', type: 'int', required: true },
      { id: 2, name: 'type', type: 'string', required: true },
      { id: 3, name: 'n', type: 'int', required: true },
    ],
  },
  partition: [],
  sort: [],
  properties: {},
};
const OVERFLOW_SPEC = 7;

interface Sizes {
  day: number;
  type: string;
  rows: number;
}

const TYPES = ['a', 'b', 'c', 'd', 'e', "it's", 'nul\0'];
const sizes = fc.uniqueArray(
  fc.record({
    day: fc.integer({ min: -1, max: 6 }),
    type: fc.constantFrom(...TYPES),
    rows: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3_000 })),
  }),
  { selector: ({ day, type }) => JSON.stringify([day, type]), minLength: 1, maxLength: 40 },
);
const bounds = fc.record({
  filesMost: fc.integer({ min: 1, max: 30 }),
  typesMost: fc.integer({ min: 0, max: 8 }),
  types: fc.subarray(TYPES).map((some) => new Set(some)),
  rowsLeast: fc.constantFrom(0, 0, 3, 500),
  smallMost: fc.constantFrom(40, 40, 0, 5),
});
type Bounds = Omit<Placement, 'overflowSpec'>;

async function written(partitions: readonly Sizes[], placement: Placement) {
  const own = join(folder, `batch-${crypto.randomUUID()}`);
  await mkdir(own);
  const text = (type: string) => `'${type.replaceAll("'", "''").replaceAll('\0', "' || chr(0) || '")}'`;
  const rows = partitions.map(
    ({ day, type, rows }) =>
      `select ${day} as day, ${text(type)} as type, i::int as n from range(${rows}) r(i)`,
  );
  const files = await writePartitioned(c, {
    table: TABLE,
    select: `select *, day as __day, type as __type from (${rows.join(' union all ')})`,
    partitionBy: ['__day', '__type'],
    typeKey: '__type',
    placement,
    folder: own,
    hint: () => 'own',
  });
  const held = await Promise.all(files.map(async (each) => ({ ...each, sizes: await sizesIn(each) })));
  await rm(own, { recursive: true });
  return held;
}

async function sizesIn({ localPath }: LocalFile): Promise<Sizes[]> {
  const scan = `read_parquet('${localPath}', hive_partitioning = false)`;
  const found = await c.runAndReadAll(`select day, type, count(*)::int, count(distinct n)::int from ${scan}
    group by all order by type, day`);
  return found.getRowsJson().map(([day, type, rows, distinct]) => {
    expect(distinct).toBe(rows);
    return { day: Number(day), type: String(type), rows: Number(rows) };
  });
}

const inOrder = (some: readonly Sizes[]) =>
  some.toSorted((a, b) => a.day - b.day || (a.type < b.type ? -1 : Number(a.type > b.type)));

function fits(partitions: readonly Sizes[], { filesMost, typesMost, types, ...bound }: Bounds): boolean {
  const fresh = new Set(partitions.map(({ type }) => type)).difference(types).size;
  const inBounds = partitions.length <= filesMost && (fresh === 0 || types.size + fresh <= typesMost);
  return inBounds && !areTooMany(partitions, bound);
}

function areTooMany(partitions: readonly Sizes[], { smallMost }: Pick<Bounds, 'smallMost'>): boolean {
  return partitions.filter(({ rows }) => rows < SMALL_ROWS).length > smallMost!;
}

it('every row is in a file of its partition or of the overflow, within the bounds, and the smallest overflow', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, bounds, async (partitions, bound) => {
      const files = await written(partitions, { ...bound, overflowSpec: async () => OVERFLOW_SPEC });
      expect(files.length).toBeLessThanOrEqual(Math.max(bound.filesMost, 1));
      // Each partition is whole in one file.
      expect(inOrder(files.flatMap((each) => each.sizes))).toEqual(inOrder(partitions));
      const own = files.filter(({ file }) => file.specId === 0);
      const over = files.filter(({ file }) => file.specId === OVERFLOW_SPEC);
      expect(own.length + over.length).toBe(files.length);
      for (const { file, sizes } of own)
        expect(sizes).toEqual([{ day: file.partition[0], type: file.partition[1], rows: file.recordCount }]);
      for (const { file, hint } of over)
        expect({ ...file, hint }).toMatchObject({ partition: [], hint: 'overflow' });
      if (fits(partitions, bound)) {
        expect(over).toEqual([]);
        return;
      }

      if (areTooMany(partitions, bound))
        for (const { file } of own) expect(file.recordCount).toBeGreaterThanOrEqual(SMALL_ROWS);
      const types = new Set(own.flatMap((each) => each.sizes.map(({ type }) => type)));
      const fresh = types.difference(bound.types).size;
      expect(fresh === 0 || bound.types.size + fresh <= bound.typesMost).toBe(true);
      const mightHave = over
        .flatMap((each) => each.sizes)
        .filter(({ type, rows }) => bound.types.has(type) && rows >= bound.rowsLeast)
        .filter(({ rows }) => rows >= SMALL_ROWS || !areTooMany(partitions, bound));
      // One of fewer than 32 is kept for what overflows.
      if (mightHave.length > 0) expect(own).toHaveLength(Math.max(0, bound.filesMost - 1));
      const least = Math.min(...own.map(({ file }) => file.recordCount));
      for (const { type, rows } of over.flatMap((each) => each.sizes))
        if (bound.types.has(type)) expect(rows).toBeLessThanOrEqual(least);
    }),
    { numRuns: 60, seed: 4_096 },
  );
}, 120_000);

it('overflow files are in order of type, then day, and share no partition', async () => {
  const partitions = Array.from({ length: 60 }, (_, i) => ({
    day: i % 15,
    type: TYPES[i % 4]!,
    rows: 1_000 + i,
  }));
  const files = await written(partitions, {
    ...{ filesMost: 10, overflowMost: 8, typesMost: 10, types: new Set<string>() },
    overflowSpec: async () => OVERFLOW_SPEC,
  });
  const over = files.filter(({ file }) => file.specId === OVERFLOW_SPEC);
  expect(files).toHaveLength(over.length + 2);
  expect(over.length).toBeGreaterThan(3);
  const places = over.map(({ sizes }) =>
    sizes.map(({ type, day }) => `${type} ${String(day).padStart(2, '0')}`),
  );
  const ranges = places.map((each) => each.toSorted()).toSorted(([a], [b]) => (a! < b! ? -1 : 1));
  for (const [i, range] of ranges.entries()) if (i > 0) expect(range[0]! > ranges[i - 1]!.at(-1)!).toBe(true);
  for (const { file, sizes } of over) {
    expect(file.lowerBounds.get(2)).toBe(sizes[0]!.type);
    expect(file.upperBounds.get(1)).toBe(Math.max(...sizes.map(({ day }) => day)));
  }
});

it('where there can be no overflow every partition has its own file', async () => {
  const partitions = Array.from({ length: 20 }, (_, day) => ({ day, type: 'a', rows: 2 }));
  const files = await written(partitions, {
    ...{ filesMost: 5, typesMost: 10, types: new Set<string>() },
    overflowSpec: async () => undefined,
  });
  expect(files.map(({ file }) => file.specId)).toEqual(Array(20).fill(0));
});
