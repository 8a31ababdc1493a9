import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/base.ts';
import {
  openBucketCatalog,
  openMemoryCatalog,
  openSqliteCatalog,
  type PointerCatalog,
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
  scratch = await mkdtemp(join(tmpdir(), 'catalog-'));
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
const backends: [string, () => PointerCatalog | Promise<PointerCatalog>][] = [
  ['memory', openMemoryCatalog],
  ['SQLite', () => openSqliteCatalog({ path: newPath() })],
  ['a bucket in memory', () => inBucket(openMemoryStore({ clock: systemClock }))],
  ['a bucket on disk', () => inBucket(openDiskStore({ root: newPath() }))],
  ['a bucket on S3', () => inBucket(onS3())],
];

describe.each(backends)('a catalog in %s', (_name, open) => {
  test('knows no table until one is created', async () => {
    const catalog = await open();
    expect(await catalog.load('raw.events')).toBeUndefined();
    expect(await catalog.list()).toEqual([]);
    expect(await catalog.create('raw.events', 'a')).toBe('created');
    expect(await catalog.load('raw.events')).toEqual({ metadataLocation: 'a' });
    await catalog.close();
  });

  test('lists its tables by name, those of other namespaces too', async () => {
    const catalog = await open();
    for (const name of ['staging.events', 'raw.events', 'marts.lessons']) await catalog.create(name, name);
    expect(await catalog.list()).toEqual(['marts.lessons', 'raw.events', 'staging.events']);
    await catalog.close();
  });

  test('does not create a table a second time, and keeps the first', async () => {
    const catalog = await open();
    await catalog.create('raw.events', 'a');
    expect(await catalog.create('raw.events', 'b')).toBe('exists');
    expect(await catalog.load('raw.events')).toEqual({ metadataLocation: 'a' });
    await catalog.close();
  });

  test('moves a pointer only from where it is', async () => {
    const catalog = await open();
    await catalog.create('raw.events', 'a');
    expect(await catalog.swap('raw.events', { from: 'a', to: 'b' })).toBe('swapped');
    expect(await catalog.swap('raw.events', { from: 'a', to: 'c' })).toBe('conflict');
    expect(await catalog.load('raw.events')).toEqual({ metadataLocation: 'b' });
    expect(await catalog.swap('raw.nothing', { from: 'a', to: 'c' })).toBe('conflict');
    await catalog.close();
  });

  test('lets one of many win, and tells each of the others', async () => {
    const catalog = await open();
    await catalog.create('raw.events', 'start');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => catalog.swap('raw.events', { from: 'start', to: `by ${i}` })),
    );
    expect(answers.filter((answer) => answer === 'swapped')).toHaveLength(1);
    const winner = answers.indexOf('swapped');
    expect(await catalog.load('raw.events')).toEqual({ metadataLocation: `by ${winner}` });
    await catalog.close();
  });

  test('takes names with several levels', async () => {
    const catalog = await open();
    await catalog.create('a.b.c', 'x');
    expect(await catalog.load('a.b.c')).toEqual({ metadataLocation: 'x' });
    expect(await catalog.list()).toEqual(['a.b.c']);
    await catalog.close();
  });
});

describe('the SQLite catalog', () => {
  test('is the same for two that open one file, and for one that opens it again', async () => {
    const path = newPath();
    const [first, second] = [openSqliteCatalog({ path }), openSqliteCatalog({ path })];
    await first.create('raw.events', 'a');
    expect(await second.swap('raw.events', { from: 'a', to: 'b' })).toBe('swapped');
    expect(await first.swap('raw.events', { from: 'a', to: 'c' })).toBe('conflict');
    await first.close();
    await second.close();
    const again = openSqliteCatalog({ path });
    expect(await again.load('raw.events')).toEqual({ metadataLocation: 'b' });
    await again.close();
  });

  test('has the layout of Iceberg’s JdbcCatalog, with the namespace registered', async () => {
    const path = newPath();
    const catalog = openSqliteCatalog({ path });
    await catalog.create('raw.events', 'a');
    await catalog.swap('raw.events', { from: 'a', to: 'b' });
    await catalog.close();
    const file = new DatabaseSync(path);
    expect({ ...file.prepare('SELECT * FROM iceberg_tables').get() }).toEqual({
      catalog_name: 'lakeward',
      table_namespace: 'raw',
      table_name: 'events',
      metadata_location: 'b',
      previous_metadata_location: 'a',
      iceberg_type: 'TABLE',
    });
    expect({ ...file.prepare('SELECT * FROM iceberg_namespace_properties').get() }).toEqual({
      catalog_name: 'lakeward',
      namespace: 'raw',
      property_key: 'exists',
      property_value: 'true',
    });
    file.close();
  });

  test('opens a file that an older program made, without a column for the type', async () => {
    const path = newPath();
    const file = new DatabaseSync(path);
    file.exec(`CREATE TABLE iceberg_tables (catalog_name TEXT, table_namespace TEXT, table_name TEXT,
      metadata_location TEXT, previous_metadata_location TEXT, PRIMARY KEY (catalog_name, table_namespace, table_name))`);
    file.exec(`INSERT INTO iceberg_tables VALUES ('lakeward', 'raw', 'events', 'a', NULL)`);
    file.close();
    const catalog = openSqliteCatalog({ path });
    expect(await catalog.swap('raw.events', { from: 'a', to: 'b' })).toBe('swapped');
    expect(await catalog.create('raw.more', 'm')).toBe('created');
    expect(await catalog.list()).toEqual(['raw.events', 'raw.more']);
    await catalog.close();
  });

  test('says that nothing was changed while another process writes, and that a retry can help', async () => {
    const path = newPath();
    const catalog = openSqliteCatalog({ path, busyTimeout_ms: 1 });
    await catalog.create('raw.events', 'a');
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(catalog.swap('raw.events', { from: 'a', to: 'b' })).rejects.toMatchObject({
      code: 'catalog.busy',
      retry: 'backoff',
    });
    other.exec('ROLLBACK');
    other.close();
    expect(await catalog.swap('raw.events', { from: 'a', to: 'b' })).toBe('swapped');
    await catalog.close();
  });

  test('opened to be read changes nothing, and leaves nothing beside the file', async () => {
    const folder = join(scratch, `${++opened}`);
    await mkdir(folder);
    const path = join(folder, 'catalog.sqlite');
    expect(() => openSqliteCatalog({ path, readOnly: true })).toThrow();
    const owner = openSqliteCatalog({ path });
    await owner.create('raw.events', 'a');
    const reader = openSqliteCatalog({ path, readOnly: true });
    await owner.swap('raw.events', { from: 'a', to: 'b' });
    expect(await reader.load('raw.events')).toEqual({ metadataLocation: 'b' });
    await expect(reader.create('raw.more', 'm')).rejects.toMatchObject({ code: 'catalog.read_only' });
    await owner.close();
    await reader.close();
    expect(await readdir(folder)).toEqual(['catalog.sqlite']);
  });

  test('opened to be read has no tables where the file has none', async () => {
    const path = newPath();
    await writeFile(path, '');
    const catalog = openSqliteCatalog({ path, readOnly: true });
    expect([await catalog.list(), await catalog.listNamespaces()]).toEqual([[], []]);
    await catalog.close();
  });

  test('is read by who may not write it, and tells who wants to that it is the file’s rights', async () => {
    const folder = join(scratch, `${++opened}`);
    await mkdir(folder);
    await chmod(scratch, 0o755);
    const path = join(folder, 'catalog.sqlite');
    const owner = openSqliteCatalog({ path });
    await owner.create('raw.events', 'a');
    await owner.close();
    const asked = async () =>
      JSON.parse(
        (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', AS_ANOTHER, path])).stdout,
      ) as unknown;
    await chmod(path, 0o444);
    for (const rights of [0o777, 0o555]) {
      await chmod(folder, rights);
      expect(await asked()).toEqual({ list: ['raw.events'], refused: 'catalog.read_only', fault: 'user' });
      expect(await readdir(folder)).toEqual(['catalog.sqlite']);
    }
    await chmod(folder, 0o777);
  });

  test('says whose problem it is when its folder is missing or the file is something else', async () => {
    expect(() => openSqliteCatalog({ path: join(scratch, 'no', 'such', 'folder.db') })).toThrow(
      expect.objectContaining({ code: 'catalog.cannot_open', fault: 'user' }),
    );
    expect(() => openSqliteCatalog({ path: scratch })).toThrow(expect.objectContaining({ fault: 'user' }));
    const damaged = newPath();
    await writeFile(damaged, 'no database, but longer than the header of one is: '.repeat(10));
    for (const readOnly of [false, true])
      expect(() => openSqliteCatalog({ path: damaged, readOnly })).toThrow(
        expect.objectContaining({ code: 'catalog.damaged', fault: 'user', retry: 'never' }),
      );
  });
});

/** Without the right to write: root, who always has it, becomes another user once everything is loaded. */
const AS_ANOTHER = `
  const { openSqliteCatalog } = await import(${JSON.stringify(new URL('../../src/lake/lake.ts', import.meta.url).href)});
  const path = process.argv[1];
  if (process.getuid() === 0) process.setuid(65534);
  const catalog = openSqliteCatalog({ path, readOnly: true });
  const list = await catalog.list();
  await catalog.close();
  try {
    await openSqliteCatalog({ path }).close();
  } catch ({ code: refused, fault }) {
    console.log(JSON.stringify({ list, refused, fault }));
  }
`;
