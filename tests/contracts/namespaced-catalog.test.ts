/** What the REST server needs of a catalog beside the pointers: namespaces, dropping, renaming, several at once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/base.ts';
import {
  type NamespacedCatalog,
  openBucketCatalog,
  openMemoryCatalog,
  openSqliteCatalog,
} from '../../src/lake/lake.ts';
import {
  type ObjectStore,
  openDiskStore,
  openMemoryStore,
  openS3Store,
} from '../../src/object-store/object-store.ts';
import { type FakeS3, startFakeS3 } from '../support/fake-s3.ts';

let scratch: string;
let s3: FakeS3;
let opened = 0;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'namespaces-'));
  s3 = await startFakeS3({ page: 7 });
});
afterAll(async () => {
  await s3.close();
  await rm(scratch, { recursive: true, force: true });
});

const newPath = () => join(scratch, `${++opened}.db`);
const inBucket = (store: ObjectStore) =>
  openBucketCatalog({ store, clock: systemClock, random: Math.random });
const onS3 = () =>
  openS3Store({
    root: `s3://lake/${++opened}`,
    endpoint: s3.endpoint,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });

interface Backend {
  name: string;
  open: () => NamespacedCatalog | Promise<NamespacedCatalog>;
  /** Whether it can change two pointers at once. */
  together: boolean;
}

const backends: Backend[] = [
  { name: 'memory', open: openMemoryCatalog, together: true },
  { name: 'SQLite', open: () => openSqliteCatalog({ path: newPath() }), together: true },
  {
    name: 'a bucket in memory',
    open: () => inBucket(openMemoryStore({ clock: systemClock })),
    together: false,
  },
  { name: 'a bucket on disk', open: () => inBucket(openDiskStore({ root: newPath() })), together: false },
  { name: 'a bucket on S3', open: () => inBucket(onS3()), together: false },
];

describe.each(backends)('a catalog with namespaces in $name', ({ open, together }) => {
  let catalog: NamespacedCatalog;
  beforeEach(async () => {
    catalog = await open();
  });
  afterEach(() => catalog.close());

  test('has those that were created, those of its tables, and those that they lie in', async () => {
    expect(await catalog.createNamespace('marts.daily', {})).toBe('created');
    await catalog.create('raw.events', 'a');
    expect(await catalog.listNamespaces()).toEqual(['marts', 'marts.daily', 'raw']);
    expect(await catalog.loadNamespace('marts')).toEqual({});
    expect(await catalog.loadNamespace('raw')).toEqual({});
    expect(await catalog.loadNamespace('mart')).toBeUndefined();
    expect(await catalog.createNamespace('raw', { owner: 'me' })).toBe('exists');
  });

  test('keeps, changes and forgets their properties', async () => {
    await catalog.createNamespace('raw', { owner: 'me', about: 'events' });
    const change = { set: { owner: 'you', more: 'ü' }, remove: ['about', 'nothing'] };
    expect(await catalog.updateNamespace('raw', change)).toBe('updated');
    expect(await catalog.loadNamespace('raw')).toEqual({ owner: 'you', more: 'ü' });
    expect(await catalog.updateNamespace('other', change)).toBe('missing');
    await catalog.create('staging.events', 'a');
    await catalog.updateNamespace('staging', { set: { owner: 'me' }, remove: [] });
    expect(await catalog.loadNamespace('staging')).toEqual({ owner: 'me' });
  });

  test('drops only those that hold nothing', async () => {
    await catalog.createNamespace('a', {});
    await catalog.createNamespace('a.b', {});
    await catalog.createNamespace('a_b', {});
    await catalog.create('a.b.t', 'x');
    expect(await catalog.dropNamespace('a')).toBe('not-empty');
    expect(await catalog.dropNamespace('a.b')).toBe('not-empty');
    await catalog.drop('a.b.t');
    expect(await catalog.dropNamespace('a.b')).toBe('dropped');
    expect(await catalog.dropNamespace('a')).toBe('dropped');
    expect(await catalog.dropNamespace('a')).toBe('missing');
    expect(await catalog.listNamespaces()).toEqual(['a_b']);
  });

  test('drops a table once; its name is free then', async () => {
    await catalog.create('raw.events', 'a');
    expect(await catalog.drop('raw.events')).toBe('dropped');
    expect(await catalog.drop('raw.events')).toBe('missing');
    expect(await catalog.swap('raw.events', { from: 'a', to: 'b' })).toBe('conflict');
    expect(await catalog.load('raw.events')).toBeUndefined();
    expect(await catalog.list()).toEqual([]);
    expect(await catalog.create('raw.events', 'b')).toBe('created');
    expect(await catalog.create('raw.events', 'c')).toBe('exists');
    expect(await catalog.load('raw.events')).toEqual({ metadataLocation: 'b' });
    expect(await catalog.swap('raw.events', { from: 'b', to: 'c' })).toBe('swapped');
  });

  test('says by what it lacks that it cannot change two pointers at once', () => {
    const can = [catalog.rename, catalog.swapAll].map((method) => method !== undefined);
    expect(can).toEqual([together, together]);
  });

  // A catalog whose tables have a pointer each cannot move two of them at once.
  const whereTogether = together ? test : () => {};
  whereTogether('renames a table, into another namespace too, but never over one', async () => {
    await catalog.create('raw.events', 'a');
    await catalog.create('raw.more', 'b');
    expect(await catalog.rename?.({ from: 'raw.events', to: 'old.events' })).toBe('renamed');
    expect(await catalog.load('raw.events')).toBeUndefined();
    expect(await catalog.load('old.events')).toEqual({ metadataLocation: 'a' });
    expect(await catalog.rename?.({ from: 'raw.more', to: 'old.events' })).toBe('exists');
    expect(await catalog.rename?.({ from: 'raw.events', to: 'x.y' })).toBe('missing');
    expect(await catalog.list()).toEqual(['old.events', 'raw.more']);
  });

  whereTogether('moves several pointers, or none of them', async () => {
    await catalog.create('raw.a', '1');
    await catalog.create('raw.b', '1');
    const all = (...moves: [string, string | undefined][]) =>
      catalog.swapAll?.(moves.map(([name, from]) => ({ name, from, to: '2' })));
    expect(await all(['raw.a', '1'], ['raw.b', 'other'])).toBe('conflict');
    expect(await all(['raw.a', '1'], ['raw.b', undefined])).toBe('conflict');
    expect(await catalog.load('raw.a')).toEqual({ metadataLocation: '1' });
    expect(await all(['raw.a', '1'], ['raw.b', '1'], ['new.c', undefined])).toBe('swapped');
    const found = await Promise.all(['raw.a', 'raw.b', 'new.c'].map((name) => catalog.load(name)));
    expect(found).toEqual(Array(3).fill({ metadataLocation: '2' }));
  });

  test('takes the names of other programs’ tables', async () => {
    await catalog.create('größe %_.my-table', 'a');
    expect(await catalog.load('größe %_.my-table')).toEqual({ metadataLocation: 'a' });
    expect(await catalog.listNamespaces()).toEqual(['größe %_']);
    await expect(catalog.create('raw', 'a')).rejects.toMatchObject({ code: 'lake.bad_table_name' });
    await expect(catalog.create('raw..events', 'a')).rejects.toMatchObject({ code: 'lake.bad_table_name' });
  });
});

describe('namespaces in SQLite', () => {
  test('have the layout of Iceberg’s JdbcCatalog, whose marker is no property', async () => {
    const path = newPath();
    const catalog = openSqliteCatalog({ path });
    await catalog.createNamespace('raw', { owner: 'me' });
    expect(await catalog.loadNamespace('raw')).toEqual({ owner: 'me' });
    await expect(catalog.createNamespace('other', { exists: 'no' })).rejects.toMatchObject({ fault: 'user' });
    await expect(catalog.updateNamespace('raw', { set: {}, remove: ['exists'] })).rejects.toMatchObject({
      code: 'catalog.reserved_property',
    });
    await catalog.close();
    const file = new DatabaseSync(path);
    const rows = file.prepare('SELECT * FROM iceberg_namespace_properties ORDER BY property_key').all();
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { catalog_name: 'lakeward', namespace: 'raw', property_key: 'exists', property_value: 'true' },
      { catalog_name: 'lakeward', namespace: 'raw', property_key: 'owner', property_value: 'me' },
    ]);
    file.close();
  });

  test('are another catalog’s when the name of the catalog is another', async () => {
    const path = newPath();
    const [ours, theirs] = [openSqliteCatalog({ path }), openSqliteCatalog({ path, catalogName: 'theirs' })];
    await ours.createNamespace('raw', {});
    await theirs.create('raw.events', 'a');
    expect(await ours.dropNamespace('raw')).toBe('dropped');
    expect(await theirs.listNamespaces()).toEqual(['raw']);
    await ours.close();
    await theirs.close();
  });

  test('hold views too: one keeps its namespace, and its name', async () => {
    const path = newPath();
    const catalog = openSqliteCatalog({ path });
    await catalog.create('raw.events', 'a');
    const file = new DatabaseSync(path);
    file.exec(`INSERT INTO iceberg_tables VALUES ('lakeward', 'views', 'v', 'there', NULL, 'VIEW')`);
    file.close();
    expect(await catalog.list()).toEqual(['raw.events']);
    expect(await catalog.dropNamespace('views')).toBe('not-empty');
    expect(await catalog.rename?.({ from: 'raw.events', to: 'views.v' })).toBe('exists');
    expect(await catalog.drop('views.v')).toBe('missing');
    await catalog.close();
  });
});
