import { type Clock, silentLog } from '../../src/base/base.ts';
import {
  type Bound,
  type DataFile,
  type Lake,
  type LakeOptions,
  openLake,
  openMemoryCatalog,
  type PointerCatalog,
  type Table,
  type TableDefinition,
} from '../../src/lake/lake.ts';
import { type ObjectStore, openMemoryStore } from '../../src/object-store/object-store.ts';
import { needsForgotten } from '../../src/tables/tables.ts';

export const DAY_US = 86_400_000_000n;

/** A table of few columns, partitioned as ours are: by the day of `at` and by `kind`. */
export const SMALL: TableDefinition = {
  schema: {
    fields: [
      { id: 1, name: 'id', type: 'string', required: true },
      { id: 2, name: 'at', type: 'timestamptz', required: true },
      { id: 3, name: 'kind', type: 'string', required: false },
      { id: 4, name: 'size', type: 'int', required: false },
      { id: 5, name: 'share', type: 'double', required: false },
    ],
  },
  partition: [
    { source: 2, id: 1000, name: 'at_day', transform: 'day' },
    { source: 3, id: 1001, name: 'kind', transform: 'identity' },
  ],
  sort: [],
  properties: {},
};

export type MovedClock = Clock & { now_ms: number };

/** Time that moves only when something sleeps: backoff takes no time at all. */
export function movedClock(start_ms: number): MovedClock {
  const clock = {
    now_ms: start_ms,
    // Whole, as the system gives it; pauses are fractions.
    now: () => Math.floor(clock.now_ms),
    sleep: async (ms: number) => {
      clock.now_ms += ms;
    },
  };
  return clock;
}

/** Mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface SmallLake {
  lake: Lake;
  store: ObjectStore;
  catalog: PointerCatalog;
  clock: MovedClock;
}

interface SmallLakeOptions extends Partial<LakeOptions> {
  catalog?: PointerCatalog;
  clock?: MovedClock;
}

export function smallLake(options: SmallLakeOptions = {}): SmallLake {
  const clock = options.clock ?? movedClock(Date.UTC(2026, 0, 1));
  const store = options.store ?? openMemoryStore({ clock });
  const catalog = options.catalog ?? openMemoryCatalog();
  const lake = openLake({
    log: silentLog,
    random: seeded(7),
    needsForgotten,
    ...options,
    clock,
    store,
    catalog,
  });
  return { lake, store, catalog, clock };
}

export const nothingStaged = () => ({ summary: {}, properties: {} });

export function createSmall(lake: Lake, name = 'raw.events'): Promise<Table> {
  return lake.create(name, SMALL, { commitId: `creation of ${name}`, stage: nothingStaged });
}

export interface SmallFile {
  location?: string;
  day?: number;
  kind?: string | null;
  rows?: number;
  bounds?: Readonly<Record<number, readonly [lower: Bound, upper: Bound]>>;
  nulls?: Readonly<Record<number, number>>;
}

/** What a writer says of a file; the file itself is not looked at. */
export function smallFile(lake: Lake, table: Table, file: SmallFile = {}): DataFile {
  const { day = 20_454, kind = 'lesson', rows = 10, bounds = {}, nulls = {} } = file;
  const from = BigInt(day) * DAY_US;
  const all: [number, readonly [Bound, Bound]][] = [
    [2, [from, from + DAY_US - 1n]],
    ...Object.entries(bounds).map(([id, pair]): [number, readonly [Bound, Bound]] => [Number(id), pair]),
  ];
  return {
    location: file.location ?? lake.newFileLocation(table, `at_day=${day}/kind=${kind}`),
    specId: 0,
    partition: [day, kind],
    recordCount: rows,
    fileSize: 1_000 + rows,
    columnSizes: new Map([[1, 100]]),
    valueCounts: new Map([[1, rows]]),
    nullValueCounts: new Map(Object.entries(nulls).map(([id, count]) => [Number(id), count])),
    nanValueCounts: new Map(),
    lowerBounds: new Map(all.map(([id, [lower]]) => [id, lower])),
    upperBounds: new Map(all.map(([id, [, upper]]) => [id, upper])),
    splitOffsets: [4],
  };
}

export async function append(
  lake: Lake,
  table: Table,
  { commitId, files }: { commitId: string; files: readonly DataFile[] },
): Promise<Table> {
  const manifests = await lake.prepare(table, files);
  const outcome = await lake.commit(table, {
    commitId,
    operation: 'append',
    manifests,
    stage: nothingStaged,
  });
  if (outcome.kind !== 'committed') throw new Error(`${outcome.kind}: ${outcome.why}`);
  return outcome.table;
}

export async function locationsOf(store: ObjectStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { location } of store.list(store.root)) found.push(location);
  return found.sort();
}
