import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeS3, startFakeS3 } from '../../tests/support/fake-s3.ts';
import { type Fault, type FaultyProxy, startFaultyProxy } from '../../tests/support/faulty-proxy.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import { type Files, nodeFiles } from './files.ts';
import { openS3Store, type S3StoreOptions } from './s3.ts';

const MIB = 1024 * 1024;
const bytes = new TextEncoder().encode('bytes');
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };

let s3: FakeS3;
let proxy: FaultyProxy;
let folder: string;
beforeEach(async () => {
  s3 = await startFakeS3({ page: 100 });
  proxy = await startFaultyProxy(s3.endpoint);
  folder = await mkdtemp(join(tmpdir(), 's3-store-'));
});
afterEach(async () => {
  await proxy.close();
  await s3.close();
  await rm(folder, { recursive: true, force: true });
});

const open = (over: Partial<S3StoreOptions> = {}) =>
  openS3Store({
    ...{ root: 's3://lake/here', endpoint: proxy.endpoint, credentials },
    clock: new VirtualClock({ running: true }),
    ...over,
  });
const objects = () => s3.buckets.get('lake')!;
const failureOf = (action: Promise<unknown>) =>
  action.then(
    () => undefined,
    (error) => error,
  );
async function staged(sizes: readonly number[]) {
  const files = sizes.map((_, n) => ({
    localPath: join(folder, String(n)),
    location: `s3://lake/here/${n}`,
  }));
  for (const [n, { localPath }] of files.entries())
    await writeFile(localPath, Buffer.alloc(sizes[n]!, n + 1));
  return files;
}

describe('a root', () => {
  test('is a bucket, with or without a prefix, with or without a slash at its end', async () => {
    for (const [root, key] of [
      ['s3://lake', 'x'],
      ['s3://lake/', 'x'],
      ['s3://lake/a/b', 'a/b/x'],
      ['s3://lake/a/b/', 'a/b/x'],
    ] as const) {
      const store = open({ root });
      expect(store.root).toBe(root.replace(/\/$/, ''));
      await store.write(`${store.root}/x`, bytes);
      expect(objects().delete(key)).toBe(true);
    }
  });

  test('of another kind is refused at once', () => {
    for (const root of ['lake', 's3://', 's3:///x', 'file:///lake', 's3://lake//x', 's3://lake/../x'])
      expect(() => open({ root })).toThrow(
        expect.objectContaining({ code: 'config.bad_store_url', fault: 'user' }),
      );
  });
});

describe('a list', () => {
  test('is as long as it takes many pages', async () => {
    for (let n = 0; n < 250; n++)
      objects().set(`here/${n}`, { bytes: Buffer.alloc(n), etag: '"e"', modifiedAt_ms: 0 });
    const sizes: number[] = [];
    for await (const { size } of open().list('s3://lake/here/')) sizes.push(size);
    expect(sizes.sort((a, b) => a - b)).toEqual(Array.from({ length: 250 }, (_, n) => n));
    expect(s3.requests).toHaveLength(3);
  });

  test('leaves out the folder markers of consoles, and what is beside the root', async () => {
    for (const key of ['here/', 'here/folder/', 'here/folder/x', 'hereafter/x', 'here//y'])
      objects().set(key, { bytes: Buffer.alloc(0), etag: '"e"', modifiedAt_ms: 0 });
    const found: string[] = [];
    for await (const { location } of open().list('s3://lake/here')) found.push(location);
    expect(found).toEqual(['s3://lake/here/folder/x']);
  });
});

describe('deleting', () => {
  const locations = (count: number) => Array.from({ length: count }, (_, n) => `s3://lake/here/${n}`);

  test('goes in requests of a thousand', async () => {
    for (let n = 0; n < 2500; n++)
      objects().set(`here/${n}`, { bytes: Buffer.alloc(0), etag: '"e"', modifiedAt_ms: 0 });
    await open().delete(locations(2500));
    expect(objects().size).toBe(0);
    expect(s3.requests).toHaveLength(3);
  });

  test('names a key that was not deleted though the request succeeded, and deletes the others', async () => {
    for (let n = 0; n < 5; n++)
      objects().set(`here/${n}`, { bytes: Buffer.alloc(0), etag: '"e"', modifiedAt_ms: 0 });
    s3.undeletable.set('here/3', 'AccessDenied');
    const failure = await failureOf(open().delete(locations(5)));
    expect(failure).toMatchObject({ code: 'object_store.access_denied', fault: 'user' });
    expect(failure.message).toContain('s3://lake/here/3');
    expect([...objects().keys()]).toEqual(['here/3']);
  });

  test('asks again for those keys only that the store had no time for', async () => {
    s3.undeletable.set('here/3', 'InternalError');
    let asked = 0;
    proxy.choose = () => {
      if (++asked === 3) s3.undeletable.clear();
      return undefined;
    };
    await open().delete(locations(5));
    const keys = proxy.seen.map(({ body }) => body.toString().match(/<Key>/g)?.length);
    expect(keys).toEqual([5, 1, 1]);
  });
});

test('a body shorter than its range is read again', async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    const body = ++asked < 3 ? 'half o' : 'half or all';
    response.writeHead(206, { 'content-length': body.length, 'content-range': 'bytes 0-10/500' }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const store = open({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const found = await store.read(`${store.root}/x`, { offset: 0, length: 11 });
  expect(new TextDecoder().decode(found)).toBe('half or all');
  expect(asked).toBe(3);
  server.closeAllConnections();
  server.close();
});

describe('moving files in', () => {
  test('keeps to its bounds of requests and of bytes in memory, whatever the files', async () => {
    let held = 0;
    let most = 0;
    const files: Files = {
      ...nodeFiles,
      read: async (path, range) => {
        const part = await nodeFiles.read(path, range);
        held += part.length;
        most = Math.max(most, held);
        return part;
      },
    };
    proxy.choose = ({ method, body }) => {
      if (method === 'PUT') held -= body.length;
      return undefined;
    };
    const moves = await staged([11, 0.1, 5, 17, 0, 6, 0.2, 5.1].map((size) => (size * MIB) | 0));
    const limits = { requests: 3, part_bytes: 5 * MIB, uploadMemory_bytes: 12 * MIB };
    await open({ files, limits }).moveIn(moves);
    expect(proxy.atOnce_max).toBeLessThanOrEqual(3);
    expect(most).toBeLessThanOrEqual(12 * MIB);
    expect(
      [...objects()]
        .map(
          ([
            key,
            {
              bytes: [first],
              ...object
            },
          ]) => [key, first, object.etag.includes('-')],
        )
        .sort(),
    ).toEqual([
      ['here/0', 1, true],
      ['here/1', 2, false],
      ['here/2', 3, false],
      ['here/3', 4, true],
      ['here/4', undefined, false],
      ['here/5', 6, true],
      ['here/6', 7, false],
      ['here/7', 8, true],
    ]);
    expect(await readdir(folder)).toEqual([]);
  });

  test('waits for an upload that is on its way longer than for an answer that is all there is to wait for', async () => {
    objects().set('here/x', { bytes: Buffer.from('there'), etag: '"e"', modifiedAt_ms: 0 });
    const store = open({ limits: { silence_ms: 50 } });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    let reads = 0;
    proxy.choose = async ({ method }) => {
      if (method === 'GET') return ++reads === 1 ? 'no answer' : undefined;
      // Meanwhile a read finds its connection silent, gives it up, and reads again.
      expect(Buffer.from(await store.read('s3://lake/here/x')).toString()).toBe('there');
      release();
      return undefined;
    };
    const moved = store.moveIn(await staged([MIB]));
    await held;
    await moved;
    expect(proxy.seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'PUT']);
  });

  test('keeps all local files until every one is in the store, so that it can be done again', async () => {
    const moves = await staged([10, 20, 30]);
    proxy.choose = ({ url }) => (url.includes('/2') ? 'internal error' : undefined);
    expect(await failureOf(open().moveIn(moves))).toMatchObject({ retry: 'backoff' });
    expect(await readdir(folder)).toHaveLength(3);
    proxy.choose = () => undefined;
    await open().moveIn(moves);
    expect(await readdir(folder)).toEqual([]);
    expect(objects().size).toBe(3);
  });

  test('of a file that becomes shorter meanwhile fails, and leaves no upload behind', async () => {
    const [move] = await staged([11 * MIB]);
    const files: Files = { ...nodeFiles, read: (path) => nodeFiles.read(path, { offset: 0, length: 5 }) };
    const failure = await failureOf(open({ files, limits: { part_bytes: 5 * MIB } }).moveIn([move!]));
    expect(failure).toMatchObject({ code: 'object_store.changed' });
    expect(s3.uploads.size).toBe(0);
    expect(objects().size).toBe(0);
  });
});

describe('what stands in the way', () => {
  test('of a missing bucket is said as such', async () => {
    const store = open({ root: 's3://nowhere' });
    for (const action of [
      () => store.read('s3://nowhere/x'),
      () => store.write('s3://nowhere/x', bytes),
      () => store.writeIfAbsent('s3://nowhere/x', bytes),
      () => store.writeIfMatch('s3://nowhere/x', bytes, '"e"'),
      () => store.delete(['s3://nowhere/x']),
    ])
      expect(await failureOf(action())).toMatchObject({ code: 'object_store.no_bucket', fault: 'user' });
  });

  test('when nobody listens is said as such, and a conditional write did not happen', async () => {
    const nowhere = await startFakeS3();
    await nowhere.close();
    const store = open({ endpoint: nowhere.endpoint, limits: { attempts: 2 } });
    for (const action of [
      () => store.read(`${store.root}/x`),
      () => store.writeIfMatch(`${store.root}/x`, bytes, '"e"'),
      () => store.writeIfAbsent(`${store.root}/x`, bytes),
    ])
      expect(await failureOf(action())).toMatchObject({ code: 'object_store.unreachable', retry: 'backoff' });
  });

  test('of missing credentials is said as such', async () => {
    const none = async () => {
      throw Object.assign(new Error('Could not load credentials'), { name: 'CredentialsProviderError' });
    };
    const store = open({ credentials: none });
    expect(await failureOf(store.writeIfAbsent(`${store.root}/x`, bytes))).toMatchObject({
      ...{ code: 'object_store.no_credentials', fault: 'user' },
      hint: expect.stringContaining('AWS_'),
    });
    expect(proxy.seen).toEqual([]);
  });

  test('of credentials that served before is waited for, and they are loaded anew', async () => {
    const asked: boolean[] = [];
    let away = false;
    const renewing = async (how?: { forceRefresh: boolean }) => {
      asked.push(how?.forceRefresh === true);
      if (away) throw Object.assign(new Error('no answer'), { name: 'CredentialsProviderError' });
      return credentials;
    };
    const store = open({ credentials: renewing, limits: { attempts: 2 } });
    const faults: (Fault | undefined)[] = ['expired token', undefined, 'expired token'];
    proxy.choose = () => faults.shift();
    expect(await failureOf(store.write(`${store.root}/x`, bytes))).toMatchObject({ retry: 'never' });
    await store.write(`${store.root}/x`, bytes);
    await store.write(`${store.root}/x`, bytes);
    away = true;
    expect(await failureOf(store.write(`${store.root}/x`, bytes))).toMatchObject({
      ...{ code: 'object_store.no_credentials', retry: 'backoff', outcome: 'refused' },
      hint: expect.stringContaining('log in again'),
    });
    away = false;
    await store.write(`${store.root}/x`, bytes);
    // The SDK may ask more than once a request; each that was refused was the reason for one renewal.
    expect(asked.filter((forced) => forced)).toHaveLength(2);
  });

  test('of a name that XML cannot write is found before anything is sent', async () => {
    const store = open();
    expect(await failureOf(store.write(`${store.root}/a\u0001b`, bytes))).toMatchObject({
      code: 'object_store.bad_location',
    });
    expect(proxy.seen).toEqual([]);
  });
});

test('every body that is sent is signed, and carries no checksum that other stores would not know', async () => {
  const store = open();
  await store.write(`${store.root}/x`, bytes);
  await store.delete([`${store.root}/x`]);
  for (const { headers } of proxy.seen) {
    expect(headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(headers).filter((name) => /^x-amz-(checksum|trailer)|^expect$/.test(name))).toEqual(
      [],
    );
  }
});
