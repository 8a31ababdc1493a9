/** What every object store must do, whatever it is made of. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Failure } from '../../src/base/base.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';

export const text = (value: string) => new TextEncoder().encode(value);
export const read = async (store: ObjectStore, location: string) =>
  new TextDecoder().decode(await store.read(location));
export const codeOf = (error: unknown) => (error instanceof Failure ? error.code : error);
export const range = (count: number) => Array.from({ length: count }, (_, index) => index);

export async function listed(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { location } of store.list(prefix)) found.push(location.slice(store.root.length));
  return found.sort();
}

export interface Tested {
  name: string;
  /** An empty store. */
  open: () => ObjectStore;
  /** What an etag tells apart: each write, or only different bytes. */
  etags: 'of writes' | 'of bytes';
}

export function describeObjectStore({ name, open, etags }: Tested): void {
  const version = (round: number) => (etags === 'of writes' ? 'same' : `version ${round}`);

  describe(`an object store ${name}`, () => {
    let scratch: string;
    beforeAll(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'object-store-contract-'));
    });
    afterAll(() => rm(scratch, { recursive: true, force: true }));

    test('gives back what was written, and what was written over it', async () => {
      const store = open();
      const location = `${store.root}/raw/events/metadata/v1.json`;
      await store.write(location, text('one'));
      expect(await read(store, location)).toBe('one');
      await store.write(location, text('another'));
      expect(await read(store, location)).toBe('another');
      expect((await store.head(location))?.size).toBe(7);
    });

    test('reads a range, and only what is there when the range reaches past the end', async () => {
      const store = open();
      const location = `${store.root}/letters`;
      await store.write(location, text('abcdefgh'));
      const part = async (offset: number, length: number) =>
        new TextDecoder().decode(await store.read(location, { offset, length }));
      expect(await part(2, 3)).toBe('cde');
      expect(await part(6, 100)).toBe('gh');
      expect(await part(8, 1)).toBe('');
      expect(await part(50, 1)).toBe('');
    });

    test('keeps its own copy of the bytes', async () => {
      const store = open();
      const bytes = text('as written');
      await store.write(`${store.root}/copy`, bytes);
      bytes.fill(0);
      (await store.read(`${store.root}/copy`)).fill(0);
      expect(await read(store, `${store.root}/copy`)).toBe('as written');
    });

    test('holds an empty object and one of 20 MB', async () => {
      const store = open();
      const big = new Uint8Array(20_000_000).map((_, index) => (index * 31) % 251);
      await store.write(`${store.root}/empty`, new Uint8Array());
      await store.write(`${store.root}/big`, big);
      expect((await store.head(`${store.root}/empty`))?.size).toBe(0);
      expect(await store.read(`${store.root}/empty`)).toHaveLength(0);
      expect(Buffer.compare(await store.read(`${store.root}/big`), big)).toBe(0);
    });

    test('says not_found for what is not there, and head says nothing', async () => {
      const store = open();
      await store.write(`${store.root}/folder/file`, text('x'));
      for (const name of ['nothing', 'folder/nothing', 'folder/file/below']) {
        const location = `${store.root}/${name}`;
        expect(await store.read(location).catch(codeOf)).toBe('object_store.not_found');
        expect(await store.head(location)).toBeUndefined();
      }
      expect(await store.head(`${store.root}/folder`)).toBeUndefined();
    });

    test('has one winner among 20 that write if absent, and keeps the winner’s bytes', async () => {
      const store = open();
      const location = `${store.root}/t/metadata/00001.json`;
      const won = await Promise.all(range(20).map((n) => store.writeIfAbsent(location, text(`writer ${n}`))));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await read(store, location)).toBe(`writer ${won.indexOf(true)}`);
      expect(await store.writeIfAbsent(location, text('late'))).toBe(false);
      expect(await read(store, location)).toBe(`writer ${won.indexOf(true)}`);
    });

    test('has one winner among 20 that replace the same version', async () => {
      const store = open();
      const location = `${store.root}/t/pointer`;
      await store.write(location, text('first'));
      const etag = (await store.head(location))!.etag;
      const won = await Promise.all(
        range(20).map((n) => store.writeIfMatch(location, text(`writer ${n}`), etag)),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await read(store, location)).toBe(`writer ${won.indexOf(true)}`);
    });

    test('does not replace an object that is gone, or one that was deleted and written again', async () => {
      const store = open();
      const location = `${store.root}/pointer`;
      expect(await store.writeIfMatch(location, text('new'), 'no such etag')).toBe(false);
      expect(await store.head(location)).toBeUndefined();
      await store.write(location, text(version(1)));
      const { etag } = (await store.head(location))!;
      await store.delete([location]);
      expect(await store.writeIfMatch(location, text('new'), etag)).toBe(false);
      await store.write(location, text(version(2)));
      expect(await store.writeIfMatch(location, text('new'), etag)).toBe(false);
      expect(await read(store, location)).toBe(version(2));
    });

    test(`changes the etag with every write${etags === 'of writes' ? ', however quickly the same bytes are written again' : ' of other bytes'}`, async () => {
      const store = open();
      const location = `${store.root}/pointer`;
      const seen = new Set<string>();
      for (const round of range(100)) {
        if (round % 3 === 0) await store.delete([location]);
        await store.write(location, text(version(round)));
        seen.add((await store.head(location))!.etag);
      }
      expect(seen.size).toBe(100);
    });

    test('loses no update of many that read, compare and replace', async () => {
      const store = open();
      const location = `${store.root}/counter`;
      await store.write(location, text('0'));
      const increment = async () => {
        for (;;) {
          const { etag } = (await store.head(location))!;
          const next = String(Number(await read(store, location)) + 1);
          if (await store.writeIfMatch(location, text(next), etag)) return;
        }
      };
      await Promise.all(range(12).map(increment));
      expect(await read(store, location)).toBe('12');
    });

    test('lists by prefix, also one that ends inside a name', async () => {
      const store = open();
      for (const name of ['a/1', 'a/2', 'a/deep/er/3', 'ab/4', 'b/5', 'top'])
        await store.write(`${store.root}/${name}`, text(name));
      expect(await listed(store, store.root)).toEqual(
        ['/a/1', '/a/2', '/a/deep/er/3', '/ab/4', '/b/5', '/top'].sort(),
      );
      expect(await listed(store, `${store.root}/a/`)).toEqual(['/a/1', '/a/2', '/a/deep/er/3']);
      expect(await listed(store, `${store.root}/a`)).toEqual(['/a/1', '/a/2', '/a/deep/er/3', '/ab/4']);
      expect(await listed(store, `${store.root}/a/deep/e`)).toEqual(['/a/deep/er/3']);
      expect(await listed(store, `${store.root}/none/`)).toEqual([]);
    });

    test('lists nothing in a store that was never written to', async () => {
      const store = open();
      expect(await listed(store, `${store.root}/`)).toEqual([]);
      await store.delete([`${store.root}/nothing`]);
    });

    test('lists size, time and etag as head gives them', async () => {
      const store = open();
      await store.write(`${store.root}/a/1`, text('four'));
      for await (const info of store.list(`${store.root}/`))
        expect(info).toEqual(await store.head(`${store.root}/a/1`));
      expect(Math.abs((await store.head(`${store.root}/a/1`))!.modifiedAt_ms - Date.now())).toBeLessThan(
        60_000,
      );
    });

    test('deletes, and deleting again is no error', async () => {
      const store = open();
      const locations = range(600).map((n) => `${store.root}/d/${n}`);
      await store.write(locations[0]!, text('x'));
      await store.write(locations[599]!, text('x'));
      await store.write(`${store.root}/d/kept`, text('x'));
      await store.delete(locations);
      await store.delete(locations);
      expect(await listed(store, store.root)).toEqual(['/d/kept']);
    });

    test('takes names with blanks, Unicode, percent signs and quotes as they are', async () => {
      const store = open();
      const names = ['event_type=a b', 'ünïcödé 表', 'a%20b', 'a+b=c&d', 'it\'s "quoted"', '#?:;'];
      for (const name of names) await store.write(`${store.root}/${name}/x.parquet`, text(name));
      expect(await listed(store, `${store.root}/`)).toEqual(names.map((name) => `/${name}/x.parquet`).sort());
      for (const name of names) expect(await read(store, `${store.root}/${name}/x.parquet`)).toBe(name);
    });

    test('moves finished local files in; the local paths are gone', async () => {
      const store = open();
      const staging = await mkdtemp(join(scratch, 'staging-'));
      const files = range(30).map((n) => ({
        localPath: join(staging, `${n}.parquet`),
        location: `${store.root}/data/day=${n % 4}/${n}.parquet`,
      }));
      for (const { localPath } of files) await writeFile(localPath, localPath);
      await store.moveIn(files);
      for (const { localPath, location } of files) expect(await read(store, location)).toBe(localPath);
      expect(await readdir(staging)).toEqual([]);
      await store.moveIn([]);
    });

    test('refuses a location outside of it', async () => {
      const store = open();
      const bad = ['/../x', '/a//b', '/a/./b', '/', '', '/.lakeward-tmp/x'];
      for (const location of [
        ...bad.map((end) => store.root + end),
        'file:///etc/passwd',
        `${store.root}x/y`,
      ]) {
        expect(await store.read(location).catch(codeOf)).toBe('object_store.bad_location');
        expect(await store.write(location, text('x')).catch(codeOf)).toBe('object_store.bad_location');
      }
    });
  });
}
