import { DatabaseSync } from 'node:sqlite';
import { backoff, type Clock, Failure, Turns } from '../base/base.ts';

const WAIT_MS_MAX = 30_000;
const SQLITE_BUSY = 5;

/**
 * One holder at a time, over all processes of this machine, for the instant in which an object's etag is compared and
 * the object replaced. It is SQLite's own write lock, so it dies with its holder; a lock file would outlive a crash,
 * and breaking a stale one is itself a race. The connection is opened for each use: there is nothing to close at the
 * end, and a lake folder that was deleted and made anew cannot leave us holding the lock of the old one.
 */
export class SwapLock {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #turns = new Turns();

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Callers of this process wait in line; only the first of them competes with other processes. */
  hold<T>(action: () => Promise<T>): Promise<T> {
    return this.#turns.take(() => this.#holdAlone(action));
  }

  async #holdAlone<T>(action: () => Promise<T>): Promise<T> {
    const database = new DatabaseSync(this.#path, { timeout: 0 });
    try {
      await this.#begin(database);
      return await action();
    } finally {
      database.close();
    }
  }

  async #begin(database: DatabaseSync): Promise<void> {
    for (let attempt = 0, waited_ms = 0; ; attempt++) {
      try {
        database.exec('BEGIN IMMEDIATE');
        return;
      } catch (error) {
        if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
        if (waited_ms >= WAIT_MS_MAX) throw this.#busy(error);
        const pause_ms = backoff(attempt, { first_ms: 1, most_ms: 50, random: Math.random });
        waited_ms += pause_ms;
        await this.#clock.sleep(pause_ms);
      }
    }
  }

  #busy(cause: unknown): Failure {
    return new Failure(`cannot get the lock ${this.#path} within ${WAIT_MS_MAX / 1000} s`, {
      code: 'object_store.busy',
      fault: 'user',
      retry: 'backoff',
      why: 'another process holds it, perhaps a stopped one',
      hint: 'look for another Lakeward process on this folder',
      cause,
    });
  }
}
