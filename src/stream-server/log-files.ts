import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { makeFolder } from '../base/base.ts';

/** One open file. Offsets are the caller's: there is no file position to share. */
export interface LogFile {
  /** Fills `into` from offset `at`, as far as the file reaches. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Writes all of it, or fails. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  truncate(size: number): Promise<void>;
  /** fsync: the file, its size and its other attributes. */
  sync(): Promise<void>;
  /** fdatasync: what is needed to read the data again, the size included. */
  syncData(): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * The file system as the logs use it: one method an operation whose order matters for durability, so that a test can
 * hold back or fail any of them. Errors are the operating system's own.
 */
export interface LogFiles {
  /** Fails with EEXIST when it is there. */
  create(path: string): Promise<LogFile>;
  open(path: string, mode: 'read' | 'read and write'): Promise<LogFile>;
  /** fsync of a folder: the names in it. */
  syncFolder(path: string): Promise<void>;
  rename(paths: { from: string; to: string }): Promise<void>;
  /** With all parents. */
  makeFolder(path: string): Promise<void>;
  /** Names in a folder; none when it is not there. */
  list(path: string): Promise<string[]>;
  /** A file, or a folder with all in it; well when there is none. */
  remove(path: string): Promise<void>;
}

export const nodeFiles: LogFiles = {
  create: async (path) => new NodeFile(await open(path, 'wx+')),
  open: async (path, mode) => new NodeFile(await open(path, mode === 'read' ? 'r' : 'r+')),
  async syncFolder(path) {
    await using folder = await open(path, 'r');
    await folder.sync();
  },
  rename: ({ from, to }) => rename(from, to),
  async makeFolder(path) {
    await makeFolder(path);
  },
  async list(path) {
    try {
      return await readdir(path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
};

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

class NodeFile implements LogFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const { bytesRead } = await this.#handle.read(into, filled, into.length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async write(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; )
      done += (await this.#handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }

  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size);
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  syncData(): Promise<void> {
    return this.#handle.datasync();
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
