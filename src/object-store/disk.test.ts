import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDiskStore } from './disk.ts';
import { type Files, nodeFiles } from './files.ts';

const bytes = new TextEncoder().encode('bytes');

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'disk-store-'));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

interface Operation {
  name: keyof Files;
  /** The path acted on; for rename, link and copy the source. */
  path: string;
  to?: string;
  /** Places in the one order of all beginnings and ends. */
  begun: number;
  ended: number;
}

/** The real file system, writing down each operation that succeeded, as it ends. */
function recording(over: Partial<Files> = {}): { files: Files; log: Operation[] } {
  const log: Operation[] = [];
  let moment = 0;
  const files = new Proxy(
    { ...nodeFiles, ...over },
    {
      get(target, name: keyof Files) {
        if (name === 'folder') return target.folder;
        return async (subject: string | { from: string; to: string }, ...rest: unknown[]) => {
          const begun = moment++;
          const result = await (target[name] as (...args: unknown[]) => Promise<unknown>)(subject, ...rest);
          const paths =
            typeof subject === 'string' ? { path: subject } : { path: subject.from, to: subject.to };
          log.push({ name, ...paths, begun, ended: moment++ });
          return result;
        };
      },
    },
  );
  return { files, log };
}

const failing = (code: string) => async () => {
  throw Object.assign(new Error(`${code}: injected`), { code });
};

const synced = (log: Operation[], folderOrFile: string) =>
  log.filter(({ name, path }) => name === 'sync' && path === folderOrFile);

/** Whether a power cut after the last operation leaves the object: its file and all its folders were fsynced. */
function survives(log: Operation[], path: string): boolean {
  const named = log.findLast(({ name, to }) => ['rename', 'link'].includes(name) && to === path);
  if (!named) return false;
  const contentFirst = synced(log, named.path).some(({ ended }) => ended < named.begun);
  const folderAfter = synced(log, dirname(path)).some(({ begun }) => begun > named.ended);
  return contentFirst && folderAfter && folderSurvives(log, dirname(path));
}

/** Every folder from the scratch folder down to this one was fsynced into its parent after it was made. */
function folderSurvives(log: Operation[], folder: string): boolean {
  if (folder === scratch) return true;
  const made = log.find(
    ({ name, path }) => name === 'makeFolder' && (path === folder || path.startsWith(`${folder}/`)),
  );
  const inParent = synced(log, dirname(folder)).some(({ begun }) => made && begun > made.ended);
  return inParent && folderSurvives(log, dirname(folder));
}

describe('a write on disk', () => {
  test('is fsynced before it has its name, and its folders before it is acknowledged', async () => {
    const { files, log } = recording();
    const root = join(scratch, 'new', 'lake');
    const store = openDiskStore({ root, files });
    await store.write(`${store.root}/a/b/first`, bytes);
    expect(survives(log, `${root}/a/b/first`)).toBe(true);
    await store.write(`${store.root}/a/b/first`, bytes);
    await store.writeIfAbsent(`${store.root}/a/c/second`, bytes);
    const { etag } = (await store.head(`${store.root}/a/c/second`))!;
    await store.writeIfMatch(`${store.root}/a/c/second`, bytes, etag);
    for (const name of ['a/b/first', 'a/c/second']) expect(survives(log, `${root}/${name}`)).toBe(true);
  });

  test('that shares a new folder with a write under way waits for that folder’s fsync too', async () => {
    const { files, log } = recording();
    const root = join(scratch, 'lake');
    const store = openDiskStore({ root, files });
    await Promise.all(
      ['x', 'y', 'z'].map(async (name) => {
        await store.write(`${store.root}/deep/er/${name}`, bytes);
        expect(survives([...log], `${root}/deep/er/${name}`)).toBe(true);
      }),
    );
  });

  test('trusts no folder that another process made: it may have crashed before the fsync', async () => {
    const root = join(scratch, 'lake');
    const first = openDiskStore({ root });
    await first.write(`${first.root}/a/x`, bytes);
    const { files, log } = recording();
    const second = openDiskStore({ root, files });
    await second.write(`${second.root}/a/y`, bytes);
    expect(survives(log, `${root}/a/y`)).toBe(true);
  });

  test('leaves nothing behind when the disk is full', async () => {
    const { files } = recording({ sync: failing('ENOSPC') });
    const root = join(scratch, 'lake');
    await openDiskStore({ root }).write(`file://${root}/other`, bytes);
    const store = openDiskStore({ root, files });
    const failure = await store.write(`${store.root}/x`, bytes).catch((error) => error);
    expect(failure).toMatchObject({ code: 'object_store.full', fault: 'user', retry: 'backoff' });
    expect(failure.hint).toMatch(/space/);
    expect(await store.head(`${store.root}/x`)).toBeUndefined();
    expect(await readdir(join(root, '.lakeward-tmp'))).toEqual([]);
  });

  test('that is conditional is of unknown outcome when only the fsync of its name fails', async () => {
    const root = join(scratch, 'lake');
    await openDiskStore({ root }).write(`file://${root}/a/pointer`, bytes);
    const { files } = recording({
      sync: (path) => (path === `${root}/a` ? failing('EIO')() : nodeFiles.sync(path)),
    });
    const store = openDiskStore({ root, files });
    const { etag } = (await store.head(`${store.root}/a/pointer`))!;
    const outcomes = await Promise.allSettled([
      store.writeIfMatch(`${store.root}/a/pointer`, bytes, etag),
      store.writeIfAbsent(`${store.root}/a/fresh`, bytes),
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ reason: { code: 'object_store.unknown', retry: 'refresh' } });
    expect(await store.writeIfAbsent(`${store.root}/a/fresh`, bytes)).toBe(false);
  });

  test('says denied when the folder may not be written', async () => {
    const { files } = recording({ makeFolder: failing('EACCES') });
    const store = openDiskStore({ root: join(scratch, 'lake'), files });
    const failure = await store.write(`${store.root}/x`, bytes).catch((error) => error);
    expect(failure).toMatchObject({ code: 'object_store.denied', fault: 'user' });
  });

  test('keeps to one winner on a file system without hard links', async () => {
    const { files } = recording({ link: failing('EPERM') });
    const store = openDiskStore({ root: join(scratch, 'lake'), files });
    const won = await Promise.all(
      Array.from({ length: 10 }, () => store.writeIfAbsent(`${store.root}/x`, bytes)),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
  });
});

describe('the etag of an object on disk', () => {
  test('differs between two writes that share inode, size and tick of the file clock', async () => {
    const tick = new Date('2026-01-01T12:00:00Z');
    const files: Files = {
      ...nodeFiles,
      create: async (path, content) => {
        await nodeFiles.create(path, content);
        await utimes(path, tick, tick);
      },
      status: async (path) => ({ ...(await nodeFiles.status(path)), inode: 7n }),
    };
    const store = openDiskStore({ root: join(scratch, 'lake'), files });
    const seen = new Set<string>();
    for (let round = 0; round < 20; round++) {
      await store.write(`${store.root}/x`, bytes);
      const { etag, modifiedAt_ms } = (await store.head(`${store.root}/x`))!;
      seen.add(etag);
      expect(Math.floor(modifiedAt_ms / 1000)).toBe(tick.getTime() / 1000);
    }
    expect(seen.size).toBe(20);
  });
});

describe('moving finished files in', () => {
  const staged = async (count: number, root: string) => {
    const files = Array.from({ length: count }, (_, n) => ({
      localPath: join(scratch, `${n}.parquet`),
      location: `file://${root}/data/day=${n % 3}/${n}.parquet`,
    }));
    for (const { localPath } of files) await writeFile(localPath, bytes);
    return files;
  };

  test('fsyncs every file before any has its name, and each folder once afterwards', async () => {
    const { files, log } = recording();
    const root = join(scratch, 'lake');
    const moves = await staged(12, root);
    await openDiskStore({ root, files }).moveIn(moves);
    for (const { location } of moves) expect(survives(log, location.slice('file://'.length))).toBe(true);
    const lastRename = log.findLastIndex(({ name }) => name === 'rename');
    const syncsAfter = log.slice(lastRename).filter(({ name }) => name === 'sync');
    expect(syncsAfter.map(({ path }) => path).sort()).toEqual([0, 1, 2].map((n) => `${root}/data/day=${n}`));
  });

  test('copies from another file system, and removes the source only when the copy is durable', async () => {
    const root = join(scratch, 'lake');
    const moves = await staged(2, root);
    const isSource = (path: string) => moves.some(({ localPath }) => localPath === path);
    const { files, log } = recording({
      rename: (paths) => (isSource(paths.from) ? failing('EXDEV')() : nodeFiles.rename(paths)),
    });
    await openDiskStore({ root, files }).moveIn(moves);
    for (const { location, localPath } of moves) {
      const path = location.slice('file://'.length);
      const removed = log.findIndex(
        (operation) => operation.name === 'unlink' && operation.path === localPath,
      );
      expect(survives(log.slice(0, removed), path)).toBe(true);
    }
  });
});
