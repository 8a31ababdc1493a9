import { describe, expect, test } from 'vitest';
import { append, createSmall, locationsOf, smallFile, smallLake } from '../../../tests/support/small-lake.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';
import { type Lake, openBucketCatalog, openMemoryCatalog } from '../lake.ts';

const LEFT = { code: 'lake.table_left', docs: 'docs/how-to/recover.md' };

/** A table with rows. */
async function filled(lake: Lake, name = 'raw.events') {
  const table = await createSmall(lake, name);
  return append(lake, table, { commitId: 'c', files: [smallFile(lake, table)] });
}

/** The same store under a catalog that knows nothing. */
const afterLoss = (store: ObjectStore) => smallLake({ store, catalog: openMemoryCatalog() }).lake;

async function inBucket() {
  const { store, clock } = smallLake();
  const catalog = await openBucketCatalog({ store, clock, random: Math.random });
  return { store, catalog, lake: smallLake({ store, catalog, clock }).lake };
}

describe('a table whose catalog is lost', () => {
  test('is not begun anew over its files, at any attempt', async () => {
    const { lake, store } = smallLake();
    await filled(lake);
    const before = await locationsOf(store);
    const anew = afterLoss(store);
    for (let attempt = 0; attempt < 2; attempt++) await expect(createSmall(anew)).rejects.toMatchObject(LEFT);
    expect(await locationsOf(store)).toEqual(before);
    expect(await anew.list()).toEqual([]);
  });

  test('is known by its folder also where that is its own', async () => {
    const { lake, store, catalog } = smallLake();
    const first = await filled(lake);
    await (catalog as ReturnType<typeof openMemoryCatalog>).drop('raw.events');
    const second = await filled(lake);
    const ofFirst = (await locationsOf(store)).filter((each) =>
      each.startsWith(`${first.metadata.location}/`),
    );
    await store.delete(ofFirst);
    await expect(createSmall(afterLoss(store))).rejects.toMatchObject({
      ...LEFT,
      why: expect.stringContaining(second.metadata.location),
    });
  });

  test('keeps no other from being made, however alike their names are', async () => {
    const { lake, store } = smallLake();
    await filled(lake, 'marts.daily_active');
    const table = await createSmall(afterLoss(store), 'marts.daily');
    expect(table.metadata.location).toBe('memory://lake/marts/daily');
  });

  test('over a bucket is told from one that was dropped, whatever else the catalog names', async () => {
    const { store, catalog, lake } = await inBucket();
    await filled(lake, 'staging.events');
    const { metadata } = await filled(lake);
    await store.delete([`${store.root}/.catalog/raw.events.json`]);
    await expect(createSmall(lake)).rejects.toMatchObject(LEFT);
    await store.write(`${store.root}/.catalog/raw.events.json`, Buffer.alloc(0));
    expect((await createSmall(lake)).metadata.location).toMatch(`${metadata.location}-`);
    await catalog.drop('raw.events');
    expect((await createSmall(lake)).metadata.location).toMatch(`${metadata.location}-`);
  });
});

describe('a table that was dropped', () => {
  test('is made anew in a folder of its own: nobody takes files of the old one for orphans of the new', async () => {
    const { lake, store, catalog, clock } = smallLake();
    const old = await filled(lake);
    const before = await locationsOf(store);
    await (catalog as ReturnType<typeof openMemoryCatalog>).drop('raw.events');
    const anew = await filled(lake);
    expect(anew.metadata.location).not.toBe(old.metadata.location);
    clock.now_ms += 30 * 86_400_000;
    const search = { grace_ms: 1, keepManifests: [] };
    for await (const found of lake.orphans('raw.events', search)) expect(found).toEqual([]);
    expect(await locationsOf(store)).toEqual(expect.arrayContaining(before));
  });

  test('is known as that where the catalog forgets what it dropped, by others that it names', async () => {
    const { lake, store, catalog } = smallLake();
    const { wasDropped: _, ...forgetful } = catalog as ReturnType<typeof openMemoryCatalog>;
    await filled(lake);
    await filled(lake, 'staging.events');
    await forgetful.drop('raw.events');
    const anew = await createSmall(smallLake({ store, catalog: forgetful }).lake);
    expect(anew.metadata.location).toMatch(/^memory:\/\/lake\/raw\/events-[0-9a-f-]{36}$/);
  });
});

describe('a table that is made for the first time', () => {
  test('lies in the plain folder, also after a creation that ended before the catalog was told', async () => {
    const { lake, store } = smallLake();
    const catalog = openMemoryCatalog();
    const dying = { ...catalog, create: () => new Promise<never>(() => {}) };
    void createSmall(smallLake({ store, catalog: dying }).lake);
    while ((await locationsOf(store)).length < 2) await new Promise(setImmediate);
    const table = await createSmall(lake);
    expect(table.metadata.location).toBe('memory://lake/raw/events');
  });

  test('is that of who was faster, which holds rows by now', async () => {
    const { lake: other, store, catalog } = smallLake();
    let isFirst = true;
    const late = {
      ...catalog,
      async load(name: string) {
        const found = await catalog.load(name);
        if (isFirst) await filled(other);
        isFirst = false;
        return found;
      },
    };
    const table = await createSmall(smallLake({ store, catalog: late }).lake);
    expect(table.metadata.snapshots).toHaveLength(2);
  });
});
