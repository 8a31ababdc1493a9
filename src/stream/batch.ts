/** What the batch being filled holds so far, and where it moved each shard. */
import { rm } from 'node:fs/promises';
import type { SplitRows } from './split.ts';
import type { ExpiredRange, Position, Spool, TakenRange } from './stream.ts';

export class Batch {
  readonly path: string;
  /** Aborted when the batch is handed over or given up. */
  readonly over = new AbortController();
  rows = 0;
  bytes = 0;
  readonly #shards: string[] = [];
  readonly #ranges = new Map<string, TakenRange>();
  readonly #ended = new Map<string, readonly string[]>();
  readonly #expired: ExpiredRange[] = [];
  #stray = 0;
  #damaged = 0;
  #firstArrival_ms: number | undefined;
  #lastArrival_ms: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** False while there is nothing to commit. */
  get moved(): boolean {
    return this.#ranges.size > 0;
  }

  /** Index of the shard in this spool, whether it has rows in it already or is the next to have some. */
  indexOf(shard: string): number {
    const index = this.#shards.indexOf(shard);
    return index === -1 ? this.#shards.length : index;
  }

  add(shard: string, from: Position, rows: SplitRows): void {
    const { stray, damaged, last, firstArrival_ms, lastArrival_ms } = rows;
    if (!this.#shards.includes(shard)) this.#shards.push(shard);
    this.#move(shard, { from, to: last });
    this.#stray += stray;
    this.#damaged += damaged;
    this.#firstArrival_ms = Math.min(this.#firstArrival_ms ?? firstArrival_ms, firstArrival_ms);
    this.#lastArrival_ms = Math.max(this.#lastArrival_ms ?? lastArrival_ms, lastArrival_ms);
  }

  expire(range: ExpiredRange): void {
    this.#expired.push(range);
  }

  end(shard: string, range: TakenRange, children: readonly string[]): void {
    this.#move(shard, range);
    this.#ended.set(shard, children);
  }

  spool(state: Pick<Spool, 'drained' | 'behindLatest_ms' | 'forgotten'>): Spool {
    const { path } = this;
    return {
      path,
      rows: this.rows,
      bytes: this.bytes,
      stray: this.#stray,
      damaged: this.#damaged,
      shards: this.#shards,
      ranges: this.#ranges,
      ended: this.#ended,
      expired: this.#expired,
      ...state,
      firstArrival_ms: this.#firstArrival_ms,
      lastArrival_ms: this.#lastArrival_ms,
      [Symbol.asyncDispose]: () => rm(path, { force: true }),
    };
  }

  #move(shard: string, { from, to }: TakenRange): void {
    this.#ranges.set(shard, { from: this.#ranges.get(shard)?.from ?? from, to });
  }
}
