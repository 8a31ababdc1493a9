/**
 * Values at the edges of every type, as our writer and pyiceberg write them: what manifests say of the same rows, and
 * that no plan of either, for any question, leaves out a file with a row that is asked for.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog, systemClock } from '../../src/base/base.ts';
import { type Engine, openEngine, storeFiles } from '../../src/engine/engine.ts';
import {
  type Field,
  type FileFilter,
  type Lake,
  openLake,
  openSqliteCatalog,
  type Table,
} from '../../src/lake/lake.ts';
import { openDiskStore } from '../../src/object-store/object-store.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { nothingStaged } from '../support/small-lake.ts';

const python = await pythonWith('iceberg');

const FIELDS: readonly Field[] = (
  [
    ...[['n', 'int'] as const, ['at', 'timestamptz'] as const, ['plain', 'timestamp'] as const],
    ...[['day', 'date'] as const, ['b', 'boolean'] as const, ['i', 'int'] as const, ['l', 'long'] as const],
    ...[
      ['f', 'float'] as const,
      ['d', 'double'] as const,
      ['s', 'string'] as const,
      ['x', 'binary'] as const,
    ],
    ...[['small', 'decimal(9, 2)'] as const, ['large', 'decimal(38, 10)'] as const],
  ] as const
).map(([name, type], i) => ({ id: i + 1, name, type, required: false }));
const DAY_MS = 86_400_000;

/**
 * Code points on both sides of every length of UTF-8, after the surrogates, and the last one. Not the one before them:
 * pyiceberg (0.12) counts it up to a surrogate, and cannot write that.
 */
const point = fc.constantFrom(
  ...[0x20, 0x2f, 0x3d, 0x41, 0x61, 0x7f, 0x80, 0x7ff, 0x800, 0xe000, 0xffff],
  ...[0x1_0000, 0x1_f600, 0x10_fffe, 0x10_ffff],
);
const text = fc
  .oneof(
    { weight: 3, arbitrary: fc.array(point, { maxLength: 20 }) },
    // Around the sixteen code points that a bound may have, with what cannot be counted up behind them.
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.nat(4), fc.constantFrom(0x10_ffff, 0x1_f600, 0xe000))
        .map(([more, last]) => Array<number>(14 + more).fill(last)),
    },
  )
  .map((points) => String.fromCodePoint(...points));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.nat(4).map((more) => new Uint8Array(14 + more).fill(0xff)),
);
/** Microseconds; 1970 and both sides of it, and the years that every program has. */
const moment = fc.oneof(
  fc.constantFrom(0, -1, 1, -86_400_000_000, -86_400_000_001, 86_399_999_999),
  fc.integer({ min: -2_000_000_000_000_000, max: 4_000_000_000_000_000 }),
);
const number = fc.oneof(
  fc.constantFrom(Number.NaN, 0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.double(),
);
const single = number.map(Math.fround);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 5, nil: null });

const rows = fc.array(
  fc.record({
    at: maybe(moment),
    plain: maybe(moment),
    day: maybe(fc.integer({ min: -25_000, max: 40_000 })),
    b: maybe(fc.boolean()),
    i: maybe(fc.oneof(fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0, -1), fc.integer())),
    l: maybe(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    f: maybe(single),
    d: maybe(number),
    s: maybe(text),
    x: maybe(bytes),
    small: maybe(fc.bigInt({ min: -999_999_999n, max: 999_999_999n })),
    large: maybe(fc.bigInt({ min: -(10n ** 38n - 1n), max: 10n ** 38n - 1n })),
  }),
  { minLength: 1, maxLength: 8 },
);
type Row = typeof rows extends fc.Arbitrary<(infer R)[]> ? R : never;

const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');
const decimal = (unscaled: bigint, scale: number) => {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
};
const floating = (value: number, type: string) =>
  Object.is(value, -0) ? `'-0'::${type}` : `'${String(value).replace('Infinity', 'inf')}'::${type}`;

/** Bytes decoded, so that no value has to be quoted. */
function literalOf(row: Row, name: keyof Row): string {
  const value = row[name];
  if (value === null) return 'null';
  switch (name) {
    case 'at':
      return `make_timestamp(${String(value)})::timestamptz`;
    case 'plain':
      return `make_timestamp(${String(value)})`;
    case 'day':
      return `date '1970-01-01' + (${String(value)})::integer`;
    case 'f':
      return floating(value as number, 'float');
    case 'd':
      return floating(value as number, 'double');
    case 's':
      return `decode(unhex('${hex(Buffer.from(value as string))}'))`;
    case 'x':
      return `unhex('${hex(value as Uint8Array)}')`;
    case 'small':
      return `'${decimal(value as bigint, 2)}'::decimal(9, 2)`;
    case 'large':
      return `'${decimal(value as bigint, 10)}'::decimal(38, 10)`;
    default:
      return String(value);
  }
}

const NAMES = FIELDS.slice(1).map(({ name }) => name as keyof Row);
const sqlOf = (some: readonly Row[]) =>
  `select * from (values ${some
    .map((row, n) => `(${[n, ...NAMES.map((name) => literalOf(row, name))].join(', ')})`)
    .join(', ')}) as t(${FIELDS.map(({ name }) => `"${name}"`).join(', ')})`;

/** A range over one column, of values that rows have: as pyiceberg is told it, and as we are. */
interface Question {
  column: string;
  value: unknown;
  filter: FileFilter;
  operator: 'gte' | 'lte' | 'eq';
}

const OPERATORS = ['gte', 'lte', 'eq'] as const;

function questionsOf(some: readonly Row[]): Question[] {
  return some.flatMap((row) =>
    (['at', 'day', 'i', 'l', 'd', 's'] as const).flatMap((column, at) => {
      const value = row[column];
      if (value === null || Number.isNaN(value)) return [];
      const bound = column === 'at' ? BigInt(value as number) : value;
      const operator = OPERATORS[(at + some.length) % 3]!;
      const filter = {
        ...{ column },
        ...(operator === 'gte' && { min: bound }),
        ...(operator === 'lte' && { max: bound }),
        ...(operator === 'eq' && { in: [bound] }),
      } as FileFilter;
      const said = typeof value === 'bigint' || !Number.isFinite(value) ? String(value) : value;
      return [{ column, value: Object.is(value, -0) ? '-0' : said, filter, operator }];
    }),
  );
}

interface Difference {
  case: number;
  field: string;
  column: string;
  ours: unknown;
  theirs: unknown;
}

interface Answer {
  /** Of every case and question: files that it plans of our table, and those in which a row matches. */
  plans: { planned: string[]; matching: string[] }[][];
  differences: Difference[];
}

const CASES = 24;

describeWith(python, 'values at the edges of their types', () => {
  let folder: string;
  let lake: Lake;
  let engine: Engine;
  let cases: { table: Table; questions: Question[] }[];
  let answer: Answer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'values-'));
    const store = openDiskStore({ root: join(folder, 'lake') });
    const catalog = openSqliteCatalog({ path: join(folder, 'catalog.sqlite') });
    lake = openLake({ store, catalog, clock: systemClock, log: silentLog, random: Math.random });
    engine = await openEngine({ workFolder: join(folder, 'engine'), memory_bytes: 500e6, threads: 1 });
    const samples = fc.sample(rows, { numRuns: CASES, seed: 20_261_129 });
    cases = [];
    for (const [i, some] of samples.entries()) cases.push(await written(`values.case_${i}`, some));
    answer = await python.run<Answer>(join(import.meta.dirname, 'compare_values.py'), {
      folder,
      cases: cases.map(({ table, questions }) => ({
        metadata: table.metadataLocation,
        questions: questions.map(({ column, operator, value }) => ({ column, operator, value })),
      })),
    });
  });
  afterAll(async () => {
    await engine?.close();
    await lake?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Two commits of half of the rows, so that there is something to leave out. */
  async function written(name: string, some: readonly Row[]) {
    let table = await lake.create(
      name,
      {
        schema: { fields: FIELDS },
        partition: [{ source: 2, id: 1000, name: 'at_day', transform: 'day' }],
        sort: [],
        properties: {},
      },
      { commitId: crypto.randomUUID(), stage: nothingStaged },
    );
    const half = Math.ceil(some.length / 2);
    for (const part of [some.slice(0, half), some.slice(half)]) {
      if (part.length === 0) continue;
      const write = { name: 'values', table: name, views: [], sql: sqlOf(part), fields: FIELDS };
      await using answer = await engine.transform({ ...write, partition: { column: 'at' } });
      const stored = await storeFiles(lake, { table, files: answer.files });
      const outcome = await lake.commit(table, {
        commitId: crypto.randomUUID(),
        operation: 'append',
        manifests: await lake.prepare(table, stored),
        stage: nothingStaged,
      });
      table = outcome.table;
    }
    return { table, questions: questionsOf(some) };
  }

  test('manifests say of them what those of pyiceberg say', () => {
    expect(answer.differences).toEqual([]);
  });

  test('no plan leaves out a file with a row that is asked for, ours as little as its', async () => {
    let asked = 0;
    for (const [i, { table, questions }] of cases.entries()) {
      for (const [at, { filter, ...question }] of questions.entries()) {
        const { planned, matching } = answer.plans[i]![at]!;
        const { files } = await lake.files(table, { where: [filter] });
        const ours = files.map(({ location }) => location);
        expect({ question, missing: matching.filter((file) => !planned.includes(file)) }).toEqual({
          question,
          missing: [],
        });
        expect({ question, missing: matching.filter((file) => !ours.includes(file)) }).toEqual({
          question,
          missing: [],
        });
        asked += matching.length;
      }
    }
    expect(asked).toBeGreaterThan(CASES);
  });

  test('partitions are the days, also those before 1970', async () => {
    let before = 0;
    for (const { table } of cases) {
      for (const { partition, lowerBounds, upperBounds } of (await lake.files(table)).files) {
        const [day] = partition;
        const bounds = [lowerBounds.get(2), upperBounds.get(2)];
        if (day === null) expect(bounds).toEqual([undefined, undefined]);
        else {
          const days = bounds.map((us) => Math.floor(Number(us) / 1000 / DAY_MS));
          expect(days).toEqual([day, day]);
          if (Number(day) < 0) before++;
        }
      }
    }
    expect(before).toBeGreaterThan(0);
  });
});
