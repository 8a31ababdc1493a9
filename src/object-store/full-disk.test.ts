/**
 * The disk of the lake has no room for the n-th thing that a run puts on it, for every n: a clear failure, nothing
 * half-written under a name, and on when there is room. A disk that is really full, with all that shares it, is in
 * tests/scenarios/full-disk.test.ts.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { audit, WHOLE } from '../../tests/support/audit.ts';
import { event } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import { Failure } from '../base/base.ts';
import { type Files, nodeFiles } from './files.ts';
import { OWN_PREFIX } from './locations.ts';
import { openDiskStore } from './object-store.ts';

/** Room for so many more files and folders; half of the next file is written before it is noticed. */
class SmallDisk {
  room = Number.POSITIVE_INFINITY;
  wasFull = false;

  readonly files: Files = {
    ...nodeFiles,
    create: async (path, bytes) => {
      if (this.#takes()) return nodeFiles.create(path, bytes);
      await nodeFiles.create(path, bytes.subarray(0, bytes.length >> 1));
      throw noSpace('write');
    },
    makeFolder: async (path) => {
      const known = await nodeFiles.status(path).catch(() => undefined);
      if (known === undefined && !this.#takes()) throw noSpace('mkdir');
      return nodeFiles.makeFolder(path);
    },
    // Names take room too: an entry in a folder that has no block left for it.
    link: async (paths) => {
      if (!this.#takes()) throw noSpace('link');
      return nodeFiles.link(paths);
    },
    rename: async (paths) => {
      if (!this.#takes()) throw noSpace('rename');
      return nodeFiles.rename(paths);
    },
  };

  #takes(): boolean {
    if (this.room > 0) this.room--;
    else this.wasFull = true;
    return !this.wasFull;
  }
}

function noSpace(doing: string): Error {
  return Object.assign(new Error(`ENOSPC: no space left on device, ${doing}`), { code: 'ENOSPC' });
}

it('a disk with no room for the n-th thing of a run loses, doubles and half-writes nothing, for every n', async () => {
  const folder = await lakeFolder();
  const stream = new ScriptedStream();
  const disk = new SmallDisk();
  const root = join(folder, 'lake');
  const store = openDiskStore({ root, files: disk.files });
  const worker = await openWorker({ folder, stream, wrapStore: () => store });
  const failures: Failure[] = [];
  const failed = (error: unknown) => {
    if (!(error instanceof Failure) || error.retry === 'never') throw error;
    failures.push(error);
    Object.assign(disk, { room: Number.POSITIVE_INFINITY, wasFull: false });
  };
  const again = async (action: () => Promise<unknown>) => {
    for (let isDone = false; !isDone; )
      isDone = await action().then(
        () => true,
        (error) => failed(error) ?? false,
      );
  };

  let n = 0;
  for (let isFull = true; isFull; n++) {
    stream.put([event(2 * n), event(2 * n + 1), event(n), `broken ${n}`]);
    const before = failures.length;
    Object.assign(disk, { room: n, wasFull: false });
    await again(() => worker.process({ onRetry: failed }));
    await again(() => worker.adopt());
    await again(() => worker.stage());
    isFull = failures.length > before;
    disk.room = Number.POSITIVE_INFINITY;
    expect(await readdir(join(root, `${OWN_PREFIX}tmp`))).toEqual([]);
    for await (const { location, size } of store.list(store.root)) {
      if (/\.json$/.test(location)) JSON.parse(Buffer.from(await store.read(location)).toString());
      expect(size).toBeGreaterThan(0);
    }
  }
  expect(n).toBeGreaterThan(20);
  for (const { code, why, hint } of failures)
    expect({ code, why, hint }).toEqual({
      code: 'object_store.full',
      why: expect.stringContaining('ENOSPC'),
      hint: expect.stringContaining('space'),
    });
  expect(await audit(worker, stream)).toEqual(WHOLE);
}, 240_000);
