import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../base/base.ts';

const SQLITE_BUSY = 5;

/**
 * One server a folder. It is SQLite's lock on a small file, held for as long as the server runs: it dies with its
 * holder, where a lock file would outlive a crash and breaking a stale one is itself a race.
 */
export class FolderLock implements Disposable {
  readonly #database: DatabaseSync;

  constructor(folder: string) {
    this.#database = new DatabaseSync(`${folder}/lock.sqlite`, { timeout: 0 });
    try {
      this.#database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      this.#database.close();
      throw (error as { errcode?: number }).errcode === SQLITE_BUSY ? inUse(folder, error) : error;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function inUse(folder: string, cause: unknown): Failure {
  return new Failure(`cannot open the embedded stream in ${folder}`, {
    code: 'stream_server.in_use',
    fault: 'user',
    retry: 'backoff',
    why: 'another process has it open',
    hint: 'use that process, or stop it first',
    cause,
  });
}
