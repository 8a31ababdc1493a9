import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { locationsOf, movedClock, seeded } from '../../../tests/support/small-lake.ts';
import { Failure } from '../../base/base.ts';
import { type ObjectStore, openDiskStore, openMemoryStore } from '../../object-store/object-store.ts';
import { openBucketCatalog } from './bucket.ts';

const clock = movedClock(Date.UTC(2026, 0, 1));
const open = (store: ObjectStore, seed = 1) => openBucketCatalog({ store, clock, random: seeded(seed) });
const memory = () => openMemoryStore({ clock });
const pointerOf = async (store: ObjectStore, name: string) =>
  JSON.parse(Buffer.from(await store.read(`${store.root}/.catalog/${name}.json`)).toString('utf8'));

describe('the bucket catalog', () => {
  test('keeps one small object a table, which tells where the table was before', async () => {
    const store = memory();
    const catalog = await open(store);
    await catalog.create('raw.events', 'a');
    await catalog.swap('raw.events', { from: 'a', to: 'b' });
    expect(await locationsOf(store)).toEqual(['memory://lake/.catalog/raw.events.json']);
    expect(await pointerOf(store, 'raw.events')).toMatchObject({
      table: 'raw.events',
      'metadata-location': 'b',
      'previous-metadata-location': 'a',
    });
  });

  test('is the same for two that open one store', async () => {
    const store = memory();
    const [first, second] = [await open(store, 1), await open(store, 2)];
    await first.create('raw.events', 'a');
    expect(await second.swap('raw.events', { from: 'a', to: 'b' })).toBe('swapped');
    expect(await first.swap('raw.events', { from: 'a', to: 'c' })).toBe('conflict');
    expect(await first.load('raw.events')).toEqual({ metadataLocation: 'b' });
  });

  test('does not swap a pointer that moved away and back while it was judged', async () => {
    const store = memory();
    const other = await open(store, 2);
    let between: (() => Promise<unknown>) | undefined;
    const catalog = await open({
      ...store,
      async read(location) {
        await between?.();
        between = undefined;
        return store.read(location);
      },
    });
    await catalog.create('raw.events', 'a');
    between = async () => {
      await other.swap('raw.events', { from: 'a', to: 'b' });
      await other.swap('raw.events', { from: 'b', to: 'a' });
    };
    expect(await catalog.swap('raw.events', { from: 'a', to: 'c' })).toBe('conflict');
    expect(await other.load('raw.events')).toEqual({ metadataLocation: 'a' });
  });

  test('sees that another one moved the pointer between the look and the write', async () => {
    const store = memory();
    const other = await open(store, 2);
    let before: (() => Promise<unknown>) | undefined;
    const catalog = await open({
      ...store,
      async writeIfMatch(location, bytes, etag) {
        await before?.();
        return store.writeIfMatch(location, bytes, etag);
      },
    });
    await catalog.create('raw.events', 'a');
    before = () => other.swap('raw.events', { from: 'a', to: 'b' });
    expect(await catalog.swap('raw.events', { from: 'a', to: 'c' })).toBe('conflict');
    expect(await catalog.load('raw.events')).toEqual({ metadataLocation: 'b' });
  });

  test.each([
    ['object_store.unknown', 'catalog.unknown'],
    ['object_store.access_denied', 'object_store.access_denied'],
  ])('says of a write that failed with %s: %s', async (code, expected) => {
    const store = memory();
    let broken = false;
    const fail = () => {
      if (broken) throw new Failure('it did not work', { code, fault: 'service' });
    };
    const catalog = await open({
      ...store,
      async writeIfMatch(location, bytes, etag) {
        const done = await store.writeIfMatch(location, bytes, etag);
        fail();
        return done;
      },
      async writeIfAbsent(location, bytes) {
        const done = await store.writeIfAbsent(location, bytes);
        fail();
        return done;
      },
    });
    await catalog.create('raw.events', 'a');
    broken = true;
    const swap = catalog.swap('raw.events', { from: 'a', to: 'b' });
    await expect(swap).rejects.toMatchObject({ code: expected });
    await expect(catalog.create('raw.more', 'm')).rejects.toMatchObject({ code: expected });
  });

  test('takes an error that it does not know for an uncertain one', async () => {
    const store = memory();
    const catalog = await open({
      ...store,
      async writeIfAbsent(location, bytes) {
        if (location.endsWith('.json')) throw new TypeError('socket hang up');
        return store.writeIfAbsent(location, bytes);
      },
    });
    await expect(catalog.create('raw.events', 'a')).rejects.toMatchObject({
      code: 'catalog.unknown',
      retry: 'refresh',
    });
  });

  test('does not take another object for a pointer, nor the pointer of another table', async () => {
    const store = memory();
    const catalog = await open(store);
    await catalog.create('raw.events', 'a');
    const pointer = await store.read(`${store.root}/.catalog/raw.events.json`);
    await store.write(`${store.root}/.catalog/raw.Events.json`, pointer);
    await store.write(`${store.root}/.catalog/raw.broken.json`, Buffer.from('{"metadata-lo'));
    for (const name of ['raw.Events', 'raw.broken'])
      await expect(catalog.load(name)).rejects.toMatchObject({ code: 'catalog.pointer_damaged' });
  });

  test('takes names that other programs gave', async () => {
    const catalog = await open(memory());
    const name = 'straße/ä.50% of-it';
    await catalog.create(name, 'a');
    expect(await catalog.list()).toEqual([name]);
    expect(await catalog.load(name)).toEqual({ metadataLocation: 'a' });
  });
});

describe('the bucket catalog refuses a store', () => {
  const cases: [string, RegExp, (store: ObjectStore) => Partial<ObjectStore>][] = [
    [
      'that ignores If-None-Match',
      /created twice/,
      (store) => ({ writeIfAbsent: (location, bytes) => store.write(location, bytes).then(() => true) }),
    ],
    [
      'that ignores If-Match',
      /two writers both replaced/,
      (store) => ({ writeIfMatch: (location, bytes) => store.write(location, bytes).then(() => true) }),
    ],
    [
      'that compares first and writes later',
      /two writers both replaced/,
      (store) => ({
        async writeIfMatch(location, bytes, etag) {
          const matches = (await store.head(location))?.etag === etag;
          await new Promise(setImmediate);
          if (matches) await store.write(location, bytes);
          return matches;
        },
      }),
    ],
    [
      'that takes a stale etag',
      /a stale etag was taken/,
      (store) => {
        let swaps = 0;
        return {
          writeIfMatch: (location, bytes, etag) =>
            ++swaps <= 2
              ? store.writeIfMatch(location, bytes, etag)
              : store.write(location, bytes).then(() => true),
        };
      },
    ],
    [
      'that says no to a creation and replaces all the same',
      /a creation that was refused changed/,
      (store) => ({
        async writeIfAbsent(location, bytes) {
          const absent = (await store.head(location)) === undefined;
          await store.write(location, bytes);
          return absent;
        },
      }),
    ],
    [
      'that says no to a swap and replaces all the same',
      /a swap that was refused changed/,
      (store) => ({
        async writeIfMatch(location, bytes, etag) {
          const matches = await store.writeIfMatch(location, bytes, etag);
          if (!matches) await store.write(location, bytes);
          return matches;
        },
      }),
    ],
    ['that never swaps', /could not be replaced/, () => ({ writeIfMatch: async () => false })],
    ['that never creates', /exist already/, () => ({ writeIfAbsent: async () => false })],
    ['that finds nothing', /cannot be found/, () => ({ head: async () => undefined })],
  ];

  test.each(cases)('%s, and leaves nothing behind', async (_name, why, fault) => {
    const store = memory();
    await expect(open({ ...store, ...fault(store) })).rejects.toMatchObject({
      code: 'catalog.no_conditional_writes',
      fault: 'user',
      why: expect.stringMatching(why),
    });
    expect(await locationsOf(store)).toEqual([]);
  });
});

describe('the bucket catalog for one who only asks', () => {
  const forReader = (store: ObjectStore) =>
    openBucketCatalog({ store, clock, random: seeded(2), tried: 'before-changes' });

  test('opens and answers without a write, so that it needs no right to it', async () => {
    const store = memory();
    await (await open(store)).create('raw.events', 'a');
    const denied = async () => {
      throw new Failure('denied', { code: 'object_store.access_denied', fault: 'user' });
    };
    const catalog = await forReader({
      ...store,
      writeIfAbsent: denied,
      writeIfMatch: denied,
      delete: denied,
    });
    expect(await catalog.load('raw.events')).toEqual({ metadataLocation: 'a' });
    expect(await catalog.list()).toEqual(['raw.events']);
    expect(await catalog.listNamespaces()).toEqual(['raw']);
    expect(await catalog.loadNamespace('raw')).toEqual({});
    await expect(catalog.swap('raw.events', { from: 'a', to: 'b' })).rejects.toMatchObject({
      code: 'object_store.access_denied',
    });
  });

  type Change = (catalog: Awaited<ReturnType<typeof open>>) => Promise<unknown>;
  const changes: [string, Change][] = [
    ['a table is made', (catalog) => catalog.create('raw.more', 'm')],
    ['a table is moved on', (catalog) => catalog.swap('raw.events', { from: 'a', to: 'b' })],
    ['a table is dropped', (catalog) => catalog.drop('raw.events')],
    ['a namespace is made', (catalog) => catalog.createNamespace('marts', {})],
    ['a namespace is changed', (catalog) => catalog.updateNamespace('raw', { set: { a: 'b' }, remove: [] })],
  ];
  test.each(changes)('tries the store before %s, and leaves a bad one as it is', async (_, change) => {
    const store = memory();
    const first = await open(store);
    await first.create('raw.events', 'a');
    const before = await locationsOf(store);
    const catalog = await forReader({
      ...store,
      writeIfMatch: (location, bytes) => store.write(location, bytes).then(() => true),
    });
    await expect(change(catalog)).rejects.toMatchObject({ code: 'catalog.no_conditional_writes' });
    expect(await locationsOf(store)).toEqual(before);
    expect(await first.load('raw.events')).toEqual({ metadataLocation: 'a' });
  });

  test('tries it once, and again only when that did not work out', async () => {
    const store = memory();
    let [probes, busy] = [0, true];
    const catalog = await forReader({
      ...store,
      async writeIfAbsent(location, bytes) {
        if (location.includes('/probe-') && ++probes > 0 && busy)
          throw new Failure('busy', { code: 'object_store.busy', fault: 'service', retry: 'backoff' });
        return store.writeIfAbsent(location, bytes);
      },
    });
    await expect(catalog.create('raw.events', 'a')).rejects.toMatchObject({ code: 'object_store.busy' });
    busy = false;
    expect(await catalog.create('raw.events', 'a')).toBe('created');
    const tried = probes;
    expect(await catalog.swap('raw.events', { from: 'a', to: 'b' })).toBe('swapped');
    expect(probes).toBe(tried);
  });
});

describe('the bucket catalog on a local disk', () => {
  let scratch: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'bucket-catalog-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  test('loses no move of two processes that race', async () => {
    const catalog = await open(openDiskStore({ root: scratch }));
    await catalog.create('raw.events', '0');
    const module = (path: string) => JSON.stringify(join(import.meta.dirname, path));
    const program = `
      const { systemClock } = await import(${module('../../base/base.ts')});
      const { openDiskStore } = await import(${module('../../object-store/object-store.ts')});
      const { openBucketCatalog } = await import(${module('bucket.ts')});
      const store = openDiskStore({ root: ${JSON.stringify(scratch)} });
      const catalog = await openBucketCatalog({ store, clock: systemClock, random: Math.random });
      for (let made = 0; made < 20; ) {
        const { metadataLocation: from } = await catalog.load('raw.events');
        const move = { from, to: String(Number(from) + 1) };
        if ((await catalog.swap('raw.events', move)) === 'swapped') made++;
      }`;
    const race = () =>
      new Promise<number | null>((done) =>
        spawn(process.execPath, ['--input-type=module', '-e', program], {
          stdio: ['ignore', 'ignore', 'inherit'],
        }).on('exit', done),
      );
    expect(await Promise.all([race(), race()])).toEqual([0, 0]);
    expect(await catalog.load('raw.events')).toEqual({ metadataLocation: '40' });
  });
});
