import { randomBytes } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';
import { type Clock, eachBounded, systemClock } from '../base/base.ts';
import { DurableFolders } from './durable-folders.ts';
import {
  diskFailure,
  isMissing,
  isOtherDevice,
  isPresent,
  isUnsupported,
  notFound,
  unknownOutcome,
  unlessMissing,
} from './failures.ts';
import { type FileStatus, type Files, nodeFiles } from './files.ts';
import { fileStatus, walk } from './folder-walk.ts';
import { keyOf, keyPrefixOf, OWN_PREFIX } from './locations.ts';
import type { ObjectInfo, ObjectStore } from './object-store.ts';
import { SwapLock } from './swap-lock.ts';

const TEMP_AGE_MS_MAX = 24 * 3_600_000;
/** 500 files of 200 kB into 24 folders: 166 ms with 2 at once, 129 with 4, 114 with 8, 125 with 16. */
const SYNCS_AT_ONCE = 8;
const DELETES_AT_ONCE = 4;
/** The lock is given back after so many, so that a large clean-up does not hold up a commit. */
const DELETES_A_TURN = 256;

export interface DiskStoreOptions {
  /** An absolute folder; made when the first object is written. */
  root: string;
  clock?: Clock;
  files?: Files;
}

/**
 * Objects as files under one folder. What was acknowledged survives a power cut: bytes go to a temp file, its fsync
 * comes before it gets its name, and the fsync of the folder before the promise resolves. An object is never seen
 * half written.
 *
 * Temp files lie in one folder of the root (same file system), so that those left by a crash are found at open
 * without walking the lake.
 */
export function openDiskStore({
  root,
  clock = systemClock,
  files = nodeFiles,
}: DiskStoreOptions): ObjectStore {
  return new DiskStore(resolve(root), clock, files);
}

class DiskStore implements ObjectStore {
  readonly root: string;
  readonly #folder: string;
  readonly #temps: string;
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #folders: DurableFolders;
  readonly #lock: SwapLock;
  #swept: Promise<void> | undefined;
  #stamp = randomBytes(4).readUInt32LE();

  constructor(folder: string, clock: Clock, files: Files) {
    this.root = `file://${folder}`;
    this.#folder = folder;
    this.#temps = `${folder}/${OWN_PREFIX}tmp`;
    this.#files = files;
    this.#clock = clock;
    this.#folders = new DurableFolders(files, folder);
    this.#lock = new SwapLock(`${folder}/${OWN_PREFIX}swap.sqlite`, clock);
  }

  localPath(location: string): string {
    return `${this.#folder}/${keyOf(this.root, location)}`;
  }

  async read(location: string, range?: { offset: number; length: number }): Promise<Uint8Array> {
    const path = this.localPath(location);
    try {
      return await this.#files.read(path, range);
    } catch (error) {
      throw isMissing(error) ? notFound(location, error) : diskFailure(`cannot read ${location}`, error);
    }
  }

  async head(location: string): Promise<ObjectInfo | undefined> {
    const path = this.localPath(location);
    const status = await this.#statusOf(path);
    return status && infoOf(location, status);
  }

  async write(location: string, bytes: Uint8Array): Promise<void> {
    await this.#publish(location, bytes, async (paths) => {
      // An overwrite waits for the lock, or it could fall between another writer's comparison and its replacement.
      if (!(await this.#nameIfFree(paths))) await this.#lock.hold(() => this.#files.rename(paths));
      await this.#files.sync(dirname(paths.to));
      return true;
    });
  }

  writeIfAbsent(location: string, bytes: Uint8Array): Promise<boolean> {
    return this.#publish(
      location,
      bytes,
      async (paths) => (await this.#nameIfFree(paths)) && this.#settle(location, paths),
    );
  }

  async writeIfMatch(location: string, bytes: Uint8Array, etag: string): Promise<boolean> {
    if ((await this.head(location))?.etag !== etag) return false;
    return this.#publish(location, bytes, async (paths) => {
      const replaced = await this.#lock.hold(async () => {
        if ((await this.head(location))?.etag !== etag) return false;
        await this.#files.rename(paths);
        return true;
      });
      return replaced && this.#settle(location, paths);
    });
  }

  /** Names are expected to be fresh ones that nobody else writes: an object already there is replaced, unlocked. */
  async moveIn(files: readonly { localPath: string; location: string }[]): Promise<void> {
    const moves = files.map(({ localPath, location }) => ({ from: localPath, to: this.localPath(location) }));
    const folders = [...new Set(moves.map(({ to }) => dirname(to)))];
    try {
      await this.#ready();
      await eachBounded(moves, SYNCS_AT_ONCE, ({ from }) => this.#files.sync(from));
      await eachBounded(folders, SYNCS_AT_ONCE, (folder) => this.#folders.ensure(folder));
      const copied: string[] = [];
      for (const move of moves) if ((await this.#moveOne(move)) === 'copied') copied.push(move.from);
      await eachBounded(folders, SYNCS_AT_ONCE, (folder) => this.#files.sync(folder));
      for (const path of copied) await this.#files.unlink(path);
    } catch (error) {
      if (isMissing(error)) this.#folders.forgetAll();
      throw diskFailure(`cannot move ${files.length} files into ${this.root}`, error);
    }
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const keyPrefix = keyPrefixOf(this.root, prefix);
    try {
      for await (const { key, status } of walk(this.#files, this.#folder, keyPrefix))
        yield infoOf(`${this.root}/${key}`, status);
    } catch (error) {
      throw diskFailure(`cannot list ${prefix}`, error);
    }
  }

  async delete(locations: readonly string[]): Promise<void> {
    const paths = locations.map((location) => this.localPath(location));
    if (paths.length === 0 || !(await this.#exists(this.#folder))) return;
    const remove = (path: string) => this.#files.unlink(path).catch(unlessMissing);
    try {
      for (let at = 0; at < paths.length; at += DELETES_A_TURN)
        await this.#lock.hold(() =>
          eachBounded(paths.slice(at, at + DELETES_A_TURN), DELETES_AT_ONCE, remove),
        );
    } catch (error) {
      throw diskFailure(`cannot delete ${locations.length} objects`, error);
    }
  }

  /** Bytes → temp file → fsync → its name and the fsync of its folder, by `name`. False when that gave it none. */
  async #publish(
    location: string,
    bytes: Uint8Array,
    name: (paths: { from: string; to: string }) => Promise<boolean>,
  ): Promise<boolean> {
    const to = this.localPath(location);
    const from = this.#tempPath();
    try {
      await this.#ready();
      await this.#files.create(from, bytes);
      await this.#stampTime(from);
      await this.#files.sync(from);
      await this.#folders.ensure(dirname(to));
      return await name({ from, to });
    } catch (error) {
      if (isMissing(error)) this.#folders.forgetAll();
      throw diskFailure(`cannot write ${location}`, error);
    } finally {
      await this.#files.unlink(from).catch(() => {});
    }
  }

  /** From its name on others see the object: when only the fsync fails, nobody can say that nothing happened. */
  async #settle(location: string, { to }: { to: string }): Promise<true> {
    try {
      await this.#files.sync(dirname(to));
      return true;
    } catch (error) {
      if (isMissing(error)) this.#folders.forgetAll();
      throw unknownOutcome(location, error);
    }
  }

  async #nameIfFree(paths: { from: string; to: string }): Promise<boolean> {
    try {
      await this.#files.link(paths);
      return true;
    } catch (error) {
      if (isPresent(error)) return false;
      if (!isUnsupported(error)) throw error;
    }
    return this.#lock.hold(async () => {
      if (await this.#exists(paths.to)) return false;
      await this.#files.rename(paths);
      return true;
    });
  }

  async #moveOne(move: { from: string; to: string }): Promise<'moved' | 'copied'> {
    try {
      await this.#files.rename(move);
      return 'moved';
    } catch (error) {
      if (!isOtherDevice(error)) throw error;
    }
    const temp = this.#tempPath();
    await this.#files.copy({ from: move.from, to: temp });
    await this.#files.sync(temp);
    await this.#files.rename({ from: temp, to: move.to });
    return 'copied';
  }

  /**
   * Time and inode alone do not tell two writes apart: the kernel's file clock ticks every 1 to 10 ms, and an inode
   * that was just freed is the next one to be given out. So the fraction of the second is replaced by a counter: two
   * writes of this process differ for a million writes, two of different processes all but once in a million of
   * those that share second, inode and size. The second itself remains the file system's.
   */
  async #stampTime(path: string): Promise<void> {
    const { modifiedAt_ns } = await this.#files.status(path);
    this.#stamp = (this.#stamp + 1) % 1_000_000;
    await this.#files.setModifiedAt(path, Number(modifiedAt_ns / 1_000_000_000n) + (this.#stamp + 0.5) / 1e6);
  }

  async #statusOf(path: string): Promise<FileStatus | undefined> {
    return fileStatus(this.#files, path).catch((error) => {
      throw diskFailure(`cannot look at ${path}`, error);
    });
  }

  async #exists(path: string): Promise<boolean> {
    return this.#files.status(path).then(
      () => true,
      (error) => unlessMissing(error) ?? false,
    );
  }

  #tempPath(): string {
    return `${this.#temps}/${randomBytes(12).toString('hex')}`;
  }

  async #ready(): Promise<void> {
    await this.#folders.ensure(this.#temps);
    if (this.#swept) return this.#swept;
    this.#swept = this.#sweepTemps();
    this.#swept.catch(() => {
      this.#swept = undefined;
    });
    await this.#swept;
  }

  /** What a crash left behind; a file younger than a day may be another process's, at work. */
  async #sweepTemps(): Promise<void> {
    for await (const { name } of this.#files.folder(this.#temps)) {
      const path = `${this.#temps}/${basename(name)}`;
      const status = await this.#statusOf(path);
      if (status && this.#clock.now() - infoOf(path, status).modifiedAt_ms > TEMP_AGE_MS_MAX)
        await this.#files.unlink(path).catch(unlessMissing);
    }
  }
}

function infoOf(location: string, { size, inode, modifiedAt_ns }: FileStatus): ObjectInfo {
  return {
    location,
    size,
    modifiedAt_ms: Number(modifiedAt_ns / 1_000_000n),
    etag: `${inode}-${modifiedAt_ns}-${size}`,
  };
}
