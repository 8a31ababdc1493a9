import { describe, expect, test } from 'vitest';
import {
  append,
  createSmall,
  locationsOf,
  nothingStaged,
  type SmallLake,
  smallFile,
  smallLake,
} from '../../../tests/support/small-lake.ts';
import type { Change, DataFile, Table } from '../lake.ts';

const HOUR_MS = 3_600_000;

let changes = 0;
async function change({ lake }: SmallLake, table: Table, part: Partial<Change>): Promise<Table> {
  const whole = {
    commitId: `change ${++changes}`,
    operation: 'replace',
    manifests: [],
    stage: nothingStaged,
  };
  const outcome = await lake.commit(table, { ...whole, ...part } as Change);
  if (outcome.kind !== 'committed') throw new Error(outcome.why);
  return outcome.table;
}

/** Appends one file of a row, which really lies in the store. */
async function appendStored(small: SmallLake, table: Table, day: number) {
  const file = smallFile(small.lake, table, { day, rows: 1 });
  await small.store.write(file.location, Buffer.from('rows'));
  return { file, table: await append(small.lake, table, { commitId: file.location, files: [file] }) };
}

async function threeFiles() {
  const small = smallLake();
  let table = await createSmall(small.lake);
  const files: DataFile[] = [];
  for (const day of [1, 2, 3]) {
    const appended = await appendStored(small, table, day);
    table = appended.table;
    files.push(appended.file);
  }
  return { ...small, small, table, files };
}

const idsOf = (table: Table) => table.metadata.snapshots.map((snapshot) => snapshot['snapshot-id']);
const dataOf = (locations: string[]) => locations.filter((location) => location.endsWith('.parquet'));

describe('files of expired snapshots', () => {
  test('go when nothing retained needs them, and every retained snapshot stays whole', async () => {
    const { small, lake, store, table, files } = await threeFiles();
    const removed = await change(small, table, { operation: 'overwrite', remove: [files[0]!] });
    const merge = (await lake.mergeManifests(removed))!;
    const merged = await change(small, removed, { merge });
    const after = await change(small, merged, { expire: idsOf(merged).slice(0, -1) });
    const before = await locationsOf(store);
    const deleted = await lake.deleteExpired({ before: merged, after });
    const left = await locationsOf(store);
    expect(deleted).toEqual({ files: before.length - left.length, dataFiles: 1 });
    expect(dataOf(left)).toEqual([files[1]!.location, files[2]!.location].sort());
    for (const snapshotId of idsOf(after))
      expect((await lake.files(after, { snapshotId })).files).toHaveLength(2);
    expect(left.filter((location) => location.includes('/snap-'))).toHaveLength(2);
  });

  test('stay when a retained snapshot from before their removal needs them', async () => {
    const { small, lake, store, table, files } = await threeFiles();
    const removed = await change(small, table, { operation: 'overwrite', remove: [files[0]!] });
    const kept = table.metadata['current-snapshot-id'];
    const after = await change(small, removed, { expire: idsOf(removed).filter((id) => id !== kept) });
    expect(await lake.deleteExpired({ before: removed, after })).toMatchObject({ dataFiles: 0 });
    expect(dataOf(await locationsOf(store))).toHaveLength(3);
    expect((await lake.files(after, { snapshotId: kept! })).files).toHaveLength(3);
  });

  test('stay, all of them, when something retained cannot be read', async () => {
    const { small, lake, store, table, files } = await threeFiles();
    const removed = await change(small, table, { operation: 'overwrite', remove: [files[0]!] });
    const after = await change(small, removed, { expire: idsOf(removed).slice(0, -1) });
    await store.delete([after.metadata.snapshots.at(-1)!['manifest-list']]);
    const before = await locationsOf(store);
    await expect(lake.deleteExpired({ before: removed, after })).rejects.toMatchObject({
      code: 'object_store.not_found',
    });
    expect(await locationsOf(store)).toEqual(before);
  });

  test('that are manifest lists alone go without a look at what others refer to', async () => {
    const { small, lake, store, catalog, table } = await threeFiles();
    const waiting = await lake.prepare(table, [smallFile(lake, table, { day: 9, rows: 1 })]);
    const keepManifests = waiting.map(({ location }) => location);
    const after = await change(small, table, { expire: idsOf(table).slice(0, -1) });
    const read: string[] = [];
    const watched = {
      ...store,
      read: (location: string) => {
        read.push(location);
        return store.read(location);
      },
    };
    const deleted = await smallLake({ store: watched, catalog }).lake.deleteExpired({
      ...{ before: table, after, keepManifests },
    });
    expect(deleted.files).toBe(table.metadata.snapshots.length - 1);
    expect(read).not.toContain(keepManifests[0]);
    expect(await locationsOf(store)).toEqual(expect.arrayContaining(keepManifests));
  });

  test('of other places are left alone: another program owns them', async () => {
    const small = smallLake();
    const { lake, store } = small;
    const table = await createSmall(lake);
    const foreign = smallFile(lake, table, { location: 'memory://lake/elsewhere/data.parquet', rows: 1 });
    await store.write(foreign.location, Buffer.from('rows'));
    const added = await append(lake, table, { commitId: 'foreign', files: [foreign] });
    const removed = await change(small, added, { operation: 'overwrite', remove: [foreign] });
    const after = await change(small, removed, { expire: idsOf(removed).slice(0, -1) });
    expect(await lake.deleteExpired({ before: removed, after })).toMatchObject({ dataFiles: 0 });
    expect(await locationsOf(store)).toContain(foreign.location);
  });
});

describe('orphans', () => {
  const search = { grace_ms: HOUR_MS, keepManifests: [] };
  const orphansOf = async ({ lake }: SmallLake, part = {}) => {
    const found: string[] = [];
    for await (const some of lake.orphans('raw.events', { ...search, ...part })) {
      found.push(...some.map((orphan) => orphan.location));
    }
    return found.sort();
  };

  test('are files that no snapshot and no metadata refers to, once they are old enough', async () => {
    const { small, store, table, clock } = await threeFiles();
    const stray = [
      `${table.metadata.location}/data/stray.parquet`,
      `${table.metadata.location}/metadata/m.avro`,
    ];
    for (const location of stray) await store.write(location, Buffer.from('x'));
    clock.now_ms += HOUR_MS;
    expect(await orphansOf(small)).toEqual([]);
    clock.now_ms += 1;
    expect(await orphansOf(small)).toEqual(stray);
  });

  test('are told by the store’s clock, never by ours, where they will be deleted', async () => {
    const { small, lake, store, table, clock } = await threeFiles();
    const stray = `${table.metadata.location}/data/stray.parquet`;
    await store.write(stray, Buffer.from('x'));
    // A store that stands still while this machine's clock runs away.
    const now_ms = clock.now_ms;
    const still: SmallLake['store'] = {
      ...store,
      head: async (location) => {
        const info = await store.head(location);
        return info && { ...info, modifiedAt_ms: now_ms };
      },
    };
    clock.now_ms += 10 * HOUR_MS;
    const other = smallLake({ store: still, catalog: small.catalog, clock });
    expect(await orphansOf(other, { fence: async () => {} })).toEqual([]);
    expect((await lake.files(table)).files).toHaveLength(3);
  });

  test('are found without a right to write by who will not delete them', async () => {
    const { small, store, table, clock } = await threeFiles();
    const stray = `${table.metadata.location}/data/stray.parquet`;
    await store.write(stray, Buffer.from('x'));
    clock.now_ms += 2 * HOUR_MS;
    const denied = async () => expect.fail('nothing is to be changed');
    const readOnly = { ...store, write: denied, writeIfAbsent: denied, writeIfMatch: denied, delete: denied };
    const reader = smallLake({ store: readOnly, catalog: small.catalog, clock });
    expect(await orphansOf(reader)).toEqual([stray]);
  });

  test('are not what a rolled back or older snapshot still holds', async () => {
    const { small, table, files, clock } = await threeFiles();
    await change(small, table, { operation: 'overwrite', remove: files });
    clock.now_ms += 2 * HOUR_MS;
    expect(await orphansOf(small)).toEqual([]);
  });

  test('are not what was committed while they were looked for', async () => {
    const { small, lake, store, table, clock } = await threeFiles();
    const late = smallFile(lake, table, { day: 9, rows: 1 });
    await store.write(late.location, Buffer.from('rows'));
    clock.now_ms += 2 * HOUR_MS;
    const listing: SmallLake['store'] = {
      ...store,
      async *list(prefix) {
        yield* store.list(prefix);
        await append(lake, table, { commitId: 'late', files: [late] });
      },
    };
    expect(await orphansOf(smallLake({ store: listing, catalog: small.catalog, clock }))).toEqual([]);
  });

  test('are not what a manifest names that another table waits for', async () => {
    const { small, lake, store, table, clock } = await threeFiles();
    const waiting = smallFile(lake, table, { day: 9, rows: 1 });
    await store.write(waiting.location, Buffer.from('rows'));
    const [manifest] = await lake.prepare(table, [waiting]);
    clock.now_ms += 2 * HOUR_MS;
    expect(await orphansOf(small)).toEqual([waiting.location, manifest!.location].sort());
    expect(await orphansOf(small, { keepManifests: [manifest!.location] })).toEqual([]);
  });

  test('are not files of a table that lies below this one', async () => {
    const { small, lake, clock } = await threeFiles();
    const below = await createSmall(lake, 'raw.events.more');
    clock.now_ms += 2 * HOUR_MS;
    expect(below.metadata.location.startsWith('memory://lake/raw/events/')).toBe(true);
    expect(await orphansOf(small)).toEqual([]);
  });
});
