import { atomicNumber, readNumber } from './atomic-file.ts';
import type { LogFiles } from './log-files.ts';

/** Two fsyncs a million records. */
const BLOCK = 2 ** 20;

/**
 * The durable high-water mark of a shard's numbering: no index at or above it was ever given to a record. After a
 * restart numbering goes on from it, so that neither a tail that was cut off nor records trimmed long ago have their
 * numbers used again.
 */
export class Reservation {
  readonly #files: LogFiles;
  readonly #path: string;
  #until: number;

  private constructor(files: LogFiles, path: string, until: number) {
    this.#files = files;
    this.#path = path;
    this.#until = until;
  }

  static async open(files: LogFiles, path: string): Promise<Reservation> {
    return new Reservation(files, path, (await readNumber(files, path)) ?? 1);
  }

  /** The first index that may be given out. */
  get until(): number {
    return this.#until;
  }

  /** Before a record with this index is written. */
  async cover(index: number): Promise<void> {
    if (index < this.#until) return;
    const until = index + BLOCK;
    await atomicNumber(this.#files, this.#path, until);
    this.#until = until;
  }
}
