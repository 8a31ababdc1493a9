import { constants } from 'node:fs';
import { copyFile, link, open, opendir, rename, stat, unlink } from 'node:fs/promises';
import { makeFolder } from '../base/base.ts';

export interface FileStatus {
  isFile: boolean;
  size: number;
  inode: bigint;
  modifiedAt_ns: bigint;
}

/**
 * The file system as the disk store uses it: one method an operation whose order matters for durability, so that a
 * test can record the order, or stop the world after any of them. Errors are the operating system's own.
 */
export interface Files {
  /** Creates a file that must not be there yet; not durable before `sync`. */
  create(path: string, bytes: Uint8Array): Promise<void>;
  setModifiedAt(path: string, seconds: number): Promise<void>;
  /** fsync, of a file or a folder. */
  sync(path: string): Promise<void>;
  rename(paths: { from: string; to: string }): Promise<void>;
  /** Fails with EEXIST when `to` exists: the one call that creates a name for exactly one of many callers. */
  link(paths: { from: string; to: string }): Promise<void>;
  copy(paths: { from: string; to: string }): Promise<void>;
  unlink(path: string): Promise<void>;
  /** With all parents; the topmost folder that had to be made, or undefined when all were there. */
  makeFolder(path: string): Promise<string | undefined>;
  status(path: string): Promise<FileStatus>;
  read(path: string, range?: { offset: number; length: number }): Promise<Uint8Array>;
  folder(path: string): AsyncIterable<{ name: string; isFolder: boolean }>;
}

export const nodeFiles: Files = {
  async create(path, bytes) {
    await using file = await open(path, 'wx');
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
  },
  async setModifiedAt(path, seconds) {
    await using file = await open(path, 'r+');
    await file.utimes(seconds, seconds);
  },
  async sync(path) {
    await using file = await open(path, 'r');
    await file.sync();
  },
  rename: ({ from, to }) => rename(from, to),
  link: ({ from, to }) => link(from, to),
  copy: ({ from, to }) => copyFile(from, to, constants.COPYFILE_EXCL),
  unlink,
  makeFolder,
  async status(path) {
    const found = await stat(path, { bigint: true });
    return {
      isFile: found.isFile(),
      size: Number(found.size),
      inode: found.ino,
      modifiedAt_ns: found.mtimeNs,
    };
  },
  async read(path, range) {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const offset = Math.min(range?.offset ?? 0, size);
    const bytes = new Uint8Array(Math.min(range?.length ?? size, size - offset));
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  },
  async *folder(path) {
    for await (const entry of await opendir(path)) yield { name: entry.name, isFolder: entry.isDirectory() };
  },
};
