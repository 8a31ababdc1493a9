import { type FrameParts, frameLength, writeFrame } from './frame.ts';

const BUFFER_BYTES_FIRST = 16 * 1024;

/** The frames that one write and one sync make durable together. */
export class Batch {
  #buffer = Buffer.alloc(0);
  #length = 0;
  #settled = Promise.withResolvers<void>();
  firstIndex = 0;
  lastIndex = 0;

  constructor() {
    // Nobody may be waiting any more when it fails: the connection that put the records is gone.
    this.#settled.promise.catch(() => {});
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Resolves once all of it is durable; rejects when that could not be done. */
  get durable(): Promise<void> {
    return this.#settled.promise;
  }

  add(frame: FrameParts): void {
    this.#makeRoom(frameLength(frame));
    this.#length = writeFrame(this.#buffer, this.#length, frame);
    if (this.firstIndex === 0) this.firstIndex = frame.index;
    this.lastIndex = frame.index;
  }

  resolve(): void {
    this.#settled.resolve();
  }

  reject(error: unknown): void {
    this.#settled.reject(error);
  }

  #makeRoom(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2, BUFFER_BYTES_FIRST));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
