import { spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/base.ts';
import { openDiskStore, openMemoryStore, openS3Store } from '../../src/object-store/object-store.ts';
import { type FakeS3, startFakeS3 } from '../support/fake-s3.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { describeObjectStore, listed, range, read, text } from './object-store-contract.ts';

let scratch: string;
let s3: FakeS3;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'object-store-'));
  s3 = await startFakeS3({ page: 7 });
});
afterAll(async () => {
  await s3.close();
  await rm(scratch, { recursive: true, force: true });
});

let opened = 0;
describeObjectStore({
  name: 'in memory',
  etags: 'of writes',
  open: () => openMemoryStore({ clock: systemClock }),
});
describeObjectStore({
  name: 'on disk',
  etags: 'of writes',
  open: () => openDiskStore({ root: join(scratch, `store ${++opened}`, 'lake ü') }),
});
describeObjectStore({
  name: 'on S3',
  etags: 'of bytes',
  open: () =>
    openS3Store({
      root: `s3://lake/store ${++opened}/lake ü`,
      endpoint: s3.endpoint,
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      clock: new VirtualClock({ running: true }),
    }),
});

describe('an object store on disk', () => {
  const rootOf = async (name: string) => join(await mkdtemp(join(scratch, 'disk-')), name);

  test('gives the path that an engine reads without a copy, under a plain file URI', async () => {
    const root = await rootOf('my lake');
    const store = openDiskStore({ root });
    expect(store.root).toBe(`file://${root}`);
    expect(store.localPath(`${store.root}/a b/c`)).toBe(`${root}/a b/c`);
  });

  test('loses no update when four processes compete', { timeout: 60_000 }, async () => {
    const root = await rootOf('lake');
    const store = openDiskStore({ root });
    const location = `${store.root}/counter`;
    await store.write(location, text('0'));
    const program = `
      const { openDiskStore } = await import(${JSON.stringify(fileURLToPath(new URL('../../src/object-store/object-store.ts', import.meta.url)))});
      const store = openDiskStore({ root: ${JSON.stringify(root)} });
      const location = store.root + '/counter';
      for (let done = 0; done < 25; ) {
        const { etag } = await store.head(location);
        const next = String(Number(new TextDecoder().decode(await store.read(location))) + 1);
        if (await store.writeIfMatch(location, new TextEncoder().encode(next), etag)) done++;
      }`;
    const run = () =>
      new Promise<number | null>((done) =>
        spawn(process.execPath, ['--input-type=module', '-e', program], {
          stdio: ['ignore', 'ignore', 'inherit'],
        }).on('exit', done),
      );
    expect(await Promise.all(range(4).map(run))).toEqual([0, 0, 0, 0]);
    expect(await read(store, location)).toBe('100');
  });

  test('does not list what is its own, and removes temp files older than a day when it opens', async () => {
    const root = await rootOf('lake');
    const temps = join(root, '.lakeward-tmp');
    await mkdir(temps, { recursive: true });
    await writeFile(join(temps, 'old'), 'left by a crash');
    await writeFile(join(temps, 'young'), 'of a process at work');
    await utimes(join(temps, 'old'), Date.now() / 1000, Date.now() / 1000 - 25 * 3600);
    const store = openDiskStore({ root });
    await store.write(`${store.root}/x`, text('1'));
    await store.write(`${store.root}/x`, text('2'));
    expect(await readdir(temps)).toEqual(['young']);
    expect(await listed(store, store.root)).toEqual(['/x']);
  });

  test('goes on after its folder was removed under it', async () => {
    const root = await rootOf('lake');
    const store = openDiskStore({ root });
    await store.write(`${store.root}/a/x`, text('1'));
    await rm(root, { recursive: true });
    const failure = await store.write(`${store.root}/a/x`, text('2')).catch((error) => error);
    expect(failure).toMatchObject({ code: 'object_store.failed', retry: 'backoff' });
    await store.write(`${store.root}/a/x`, text('3'));
    expect(await read(store, `${store.root}/a/x`)).toBe('3');
    await access(join(root, 'a'));
  });
});
