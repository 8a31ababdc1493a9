/** A lake is the same whatever keeps its tables: one suite over every catalog. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '../../src/base/base.ts';
import {
  type Catalog,
  type CatalogServer,
  type Change,
  type Lake,
  type NamespacedCatalog,
  openBucketCatalog,
  openLake,
  openMemoryCatalog,
  openRestCatalog,
  openSqliteCatalog,
  type PointerCatalog,
  serveCatalog,
  type Table,
} from '../../src/lake/lake.ts';
import { type ObjectStore, openDiskStore, openMemoryStore } from '../../src/object-store/object-store.ts';
import { fakeRest } from '../support/fake-rest.ts';
import { faultyFetch } from '../support/fake-rest-faults.ts';
import { type FaultyCatalog, faultyCatalog, type SwapFault } from '../support/faulty-catalog.ts';
import {
  append,
  createSmall,
  DAY_US,
  movedClock,
  nothingStaged,
  seeded,
  smallFile,
} from '../support/small-lake.ts';

const clock = movedClock(Date.UTC(2026, 0, 1));
let scratch: string;
let opened = 0;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lake-over-catalogs-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

interface Kept {
  store: ObjectStore;
  /** Of the next commits or creations through the first catalog. */
  readonly faults: SwapFault[];
  /** Whoever opens it again sees the same tables. The first one opened meets the faults. */
  open: () => Promise<Catalog>;
}

const inMemory = () => openMemoryStore({ clock });
const onDisk = () => openDiskStore({ root: join(scratch, String(++opened)) });

function keptByPointers(store: ObjectStore, open: () => PointerCatalog | Promise<PointerCatalog>): Kept {
  let first: FaultyCatalog | undefined;
  return {
    store,
    get faults() {
      return first?.faults ?? [];
    },
    async open() {
      const catalog = await open();
      if (first !== undefined) return catalog;
      first = faultyCatalog(catalog);
      return first;
    },
  };
}

function keptInBucket(store: ObjectStore): Kept {
  let seed = 0;
  return keptByPointers(store, () => openBucketCatalog({ store, clock, random: seeded(++seed) }));
}

function keptByService({ uri, fetch }: { uri: string; fetch: Fetch }, store: ObjectStore): Kept {
  const faults: SwapFault[] = [];
  const all = { uri, auth: { kind: 'none' }, clock, root: store.root } as const;
  let way = faultyFetch(fetch, faults);
  return {
    store,
    faults,
    async open() {
      const catalog = await openRestCatalog({ ...all, fetch: way, random: seeded(++opened) });
      way = fetch;
      return catalog;
    },
  };
}

const servers: CatalogServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** Our own server, on a port of its own, over that catalog. */
async function keptByOurServer(store: ObjectStore, catalog: NamespacedCatalog): Promise<Kept> {
  const ports = { clock, log: silentLog, random: seeded(++opened) };
  const server = await serveCatalog({ catalog, store, port: 0, ...ports });
  servers.push(server);
  return keptByService({ uri: server.uri, fetch: globalThis.fetch }, store);
}

const catalogs: [string, () => Kept | Promise<Kept>][] = [
  [
    'memory',
    () => {
      const catalog = openMemoryCatalog();
      return keptByPointers(inMemory(), () => catalog);
    },
  ],
  [
    'SQLite',
    () => {
      const path = join(scratch, `${++opened}.db`);
      return keptByPointers(onDisk(), () => openSqliteCatalog({ path }));
    },
  ],
  ['a bucket in memory', () => keptInBucket(inMemory())],
  ['a bucket on disk', () => keptInBucket(onDisk())],
  [
    'a REST service',
    () => {
      const store = inMemory();
      return keptByService(fakeRest({ etags: true, prefix: 'of/mine' }), store);
    },
  ],
  ['our REST server over memory', () => keptByOurServer(inMemory(), openMemoryCatalog())],
  [
    'our REST server over SQLite',
    () => keptByOurServer(onDisk(), openSqliteCatalog({ path: join(scratch, `${++opened}.db`) })),
  ],
];

const NAME = 'raw.events';
const FAULTS: SwapFault[] = ['answer-lost', 'request-lost', 'late', 'sent-twice', 'turned-away'];

async function lakeOver({ store, open }: Kept, commitAttempts = 20): Promise<Lake> {
  const catalog = await open();
  return openLake({ store, catalog, clock, log: silentLog, random: seeded(++opened), commitAttempts });
}

async function start(keep: () => Kept | Promise<Kept>) {
  const kept = await keep();
  const lake = await lakeOver(kept);
  return { kept, lake, table: await createSmall(lake, NAME) };
}

async function changeOf(lake: Lake, table: Table, commitId: string, rows = 10): Promise<Change> {
  const manifests = await lake.prepare(table, [smallFile(lake, table, { rows })]);
  return { commitId, operation: 'append', manifests, stage: nothingStaged };
}

async function rowsIn(lake: Lake): Promise<number> {
  const { files } = await lake.files((await lake.load(NAME))!);
  return files.reduce((rows, file) => rows + file.recordCount, 0);
}

describe.each(catalogs)('a lake over a catalog in %s', (_name, keep) => {
  test('creates a table with its first snapshot, once, whoever asks', async () => {
    const { kept, lake, table } = await start(keep);
    expect(table.metadata.snapshots).toHaveLength(1);
    expect(table.metadata['current-snapshot-id']).toBe(table.metadata.snapshots[0]!['snapshot-id']);
    const second = await lakeOver(kept);
    expect((await createSmall(second, NAME)).metadata).toEqual(table.metadata);
    expect(await second.list()).toEqual([NAME]);
    expect(await lake.load('raw.nothing')).toBeUndefined();
    await lake.close();
    await second.close();
  });

  test('keeps one table when many create it at once', async () => {
    const kept = await keep();
    const lakes = await Promise.all(Array.from({ length: 4 }, () => lakeOver(kept)));
    const made = await Promise.all(lakes.map((lake) => createSmall(lake, NAME)));
    expect(new Set(made.map((table) => table.metadata['table-uuid'])).size).toBe(1);
    expect((await lakes[0]!.load(NAME))!.metadata.snapshots).toHaveLength(1);
    await Promise.all(lakes.map((lake) => lake.close()));
  });

  test('loads what was committed: files, properties, whole snapshot ids', async () => {
    const { kept, lake, table } = await start(keep);
    const change = await changeOf(lake, table, 'c1');
    const outcome = await lake.commit(table, {
      ...change,
      stage: () => ({ summary: { 'lakeward.writer': 'w' }, properties: { stamp: '7' } }),
    });
    expect(outcome.kind).toBe('committed');
    const reader = await lakeOver(kept);
    const seen = (await reader.load(NAME))!;
    expect(seen.metadata.properties['stamp']).toBe('7');
    expect(seen.metadata.snapshots.map((snapshot) => snapshot['snapshot-id'])).toEqual(
      outcome.table.metadata.snapshots.map((snapshot) => snapshot['snapshot-id']),
    );
    expect(seen.metadata.snapshots[1]).toMatchObject({
      'parent-snapshot-id': table.metadata['current-snapshot-id'],
      summary: { 'lakeward.commit-id': 'c1', 'lakeward.writer': 'w', 'total-records': '10' },
    });
    expect(await rowsIn(reader)).toBe(10);
    await lake.close();
    await reader.close();
  });

  test('removes a property that a commit takes away', async () => {
    const { lake, table } = await start(keep);
    const set = async (commitId: string, base: Table, stamp: string | undefined) => {
      const stage = () => ({ summary: {}, properties: { stamp } });
      return (await lake.commit(base, { commitId, operation: 'replace', manifests: [], stage })).table;
    };
    const marked = await set('c1', table, 'x');
    expect(marked.metadata.properties['stamp']).toBe('x');
    const cleared = await set('c2', marked, undefined);
    expect(cleared.metadata.properties).not.toHaveProperty('stamp');
    await lake.close();
  });

  test('stages again on the base of the one that was faster', async () => {
    const { kept, lake, table } = await start(keep);
    const other = await lakeOver(kept);
    const change = await changeOf(lake, table, 'mine');
    const base = (await other.load(NAME))!;
    await append(other, base, { commitId: 'other', files: [smallFile(other, base, { rows: 1 })] });
    const outcome = await lake.commit(table, change);
    expect(outcome).toMatchObject({ kind: 'committed', attempts: 2 });
    expect(await rowsIn(other)).toBe(11);
    await lake.close();
    await other.close();
  });

  test('gives back the version that it knows while it is the current one', async () => {
    const { kept, lake } = await start(keep);
    const other = await lakeOver(kept);
    const first = (await lake.load(NAME))!;
    expect(await lake.load(NAME)).toBe(first);
    await append(other, (await other.load(NAME))!, { commitId: 'c', files: [smallFile(other, first)] });
    const second = (await lake.load(NAME))!;
    expect(second.metadata.snapshots).toHaveLength(2);
    expect(await lake.load(NAME)).toBe(second);
    await lake.close();
    await other.close();
  });

  test.each(FAULTS)('makes a table with one snapshot when its creation meets: %s', async (fault) => {
    const kept = await keep();
    const lake = await lakeOver(kept);
    kept.faults.push(fault);
    const table = await createSmall(lake, NAME);
    expect(kept.faults).toEqual([]);
    expect(table.metadata.snapshots).toHaveLength(1);
    expect(
      (await append(lake, table, { commitId: 'c', files: [smallFile(lake, table)] })).metadata.snapshots,
    ).toHaveLength(2);
    await lake.close();
  });

  test.each(FAULTS)('makes a commit once when it meets: %s', async (fault) => {
    const { kept, lake, table } = await start(keep);
    const change = await changeOf(lake, table, 'mine');
    kept.faults.push(fault);
    const outcome = await lake.commit(table, change);
    expect(outcome.kind).toBe('committed');
    expect(kept.faults).toEqual([]);
    expect(await rowsIn(lake)).toBe(10);
    await lake.close();
  });

  test.each<SwapFault>(['ok', ...FAULTS])(
    'gives a table a spec without fields, and takes files of both from who had it before, through: %s',
    async (fault) => {
      const { kept, lake, table } = await start(keep);
      kept.faults.push(fault);
      const found = (await lake.withOverflow(table))!;
      expect(kept.faults).toEqual([]);
      expect(found.table.metadata['partition-specs']).toMatchObject([
        { 'spec-id': 0 },
        { 'spec-id': found.specId, fields: [] },
      ]);
      expect(found.table.metadata['default-spec-id']).toBe(0);
      expect(await lake.withOverflow(found.table)).toEqual(found);
      expect((await (await lakeOver(kept)).withOverflow(table))!.specId).toBe(found.specId);

      const inside = smallFile(lake, table, { rows: 1 });
      const over = { ...smallFile(lake, table, { day: 9, rows: 5 }), specId: found.specId, partition: [] };
      const manifests = await lake.prepare(found.table, [inside, over]);
      expect(manifests.map(({ specId }) => specId).sort()).toEqual([0, found.specId]);
      const change = { commitId: 'both', operation: 'append', manifests, stage: nothingStaged } as const;
      const outcome = await lake.commit(table, change);
      expect(outcome.kind).toBe('committed');
      const onDay = (day: bigint) => [{ column: 'at', min: day * DAY_US, max: day * DAY_US + 1n }];
      const rows = async (day: bigint) =>
        (await lake.files(outcome.table, { where: onDay(day) })).files.map((file) => file.recordCount);
      expect([await rows(20_454n), await rows(9n), await rows(10n)]).toEqual([[1], [5], []]);

      const more = await append(lake, outcome.table, {
        commitId: 'more',
        files: [smallFile(lake, table), { ...over, location: `${over.location}2` }],
      });
      const merged = (await lake.mergeManifests(more))!;
      expect(merged.to.map(({ specId, existingFiles }) => [specId, existingFiles]).sort()).toEqual([
        [0, 2],
        [found.specId, 2],
      ]);
      await lake.close();
    },
  );

  test('under any faults, of many writers at once, makes every commit exactly once', async () => {
    const fault = fc.constantFrom<SwapFault>('ok', 'ok', ...FAULTS);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 12 }),
        fc.integer({ min: 1, max: 3 }),
        async (faults, writers) => {
          const kept = await keep();
          const lake = await lakeOver(kept, 60);
          const table = await createSmall(lake, NAME);
          kept.faults.push(...faults);
          const others = await Promise.all(Array.from({ length: writers - 1 }, () => lakeOver(kept, 60)));
          const made = await Promise.all(
            [lake, ...others].map(async (own, at) => {
              const rows = 10 ** at;
              const outcome = await own.commit(table, await changeOf(own, table, `writer ${at}`, rows));
              expect(outcome.kind).toBe('committed');
              return rows;
            }),
          );
          expect(await rowsIn(lake)).toBe(made.reduce((all, rows) => all + rows, 0));
          await Promise.all([lake, ...others].map((each) => each.close()));
        },
      ),
      { numRuns: 10 },
    );
  });
});
