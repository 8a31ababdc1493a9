import type { Identities } from '../../../src/engine/engine.ts';

/**
 * A window as one would write it first: an identity is remembered as soon as it is seen, in two generations of event
 * time that turn as they are filled, and a batch that failed is taken out again, where it was put in. Kept to show
 * what the real one is for.
 */
export class NaiveWindow {
  readonly #watermark_s: number;
  #current = new Set<string>();
  #previous = new Set<string>();
  #start_s = Number.NEGATIVE_INFINITY;

  constructor(watermark_s: number) {
    this.#watermark_s = watermark_s;
  }

  judge({ count, rows, keys, times }: Identities): { drop: Int32Array; fresh: string[] } {
    const drop: number[] = [];
    const fresh: string[] = [];
    for (let i = 0; i < count; i++) {
      const id = keys.subarray(4 * i, 4 * i + 4).join();
      if (this.#current.has(id) || this.#previous.has(id)) {
        drop.push(rows[i]!);
        continue;
      }
      this.#turn(times[i]!);
      this.#current.add(id);
      fresh.push(id);
    }
    return { drop: Int32Array.from(drop), fresh };
  }

  /** The commit of these failed. */
  forget(fresh: readonly string[]): void {
    for (const id of fresh) this.#current.delete(id);
  }

  #turn(time_s: number): void {
    if (this.#start_s === Number.NEGATIVE_INFINITY) this.#start_s = time_s;
    if (time_s - this.#start_s < this.#watermark_s) return;
    this.#previous = this.#current;
    this.#current = new Set();
    this.#start_s = time_s;
  }
}
