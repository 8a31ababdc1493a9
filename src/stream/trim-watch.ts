/**
 * Notices that a stream may have dropped records of a shard before they were read. The stream itself never says so: an
 * iterator behind a trimmed record goes on at the oldest one that is kept. Numbers have gaps of their own, so time
 * decides when to look (everything up to `#read_ms` was read; what came after it is kept for the retention), and then
 * whether the record that the position names is still there: while it is, nothing behind it was dropped.
 */
import { parseSequenceNumber } from '../kinesis/kinesis.ts';
import type { SplitBody } from './split.ts';
import type { Position } from './stream.ts';

/** Clocks differ, and looking once too often costs two requests. */
const MARGIN_MS = 60_000;

export class TrimWatch {
  /** Everything that arrived before was read, or undefined: unknown. */
  #read_ms: number | undefined;
  #trimmed = false;

  constructor(position: Position) {
    const putAt_s = parseSequenceNumber(position)?.putAt_s;
    this.#read_ms = putAt_s === undefined ? undefined : putAt_s * 1000;
  }

  /** Since when records may be gone, once that was seen; it holds until the next record tells up to where. */
  get trimmed(): { since_ms: number | undefined } | undefined {
    return this.#trimmed ? { since_ms: this.#read_ms } : undefined;
  }

  /** Whether records behind the last one read can have been dropped by now. */
  isDue({ now_ms, retention_ms }: { now_ms: number; retention_ms: number }): boolean {
    if (this.#trimmed) return false;
    return this.#read_ms === undefined || this.#read_ms < now_ms - retention_ms + MARGIN_MS;
  }

  /** Of a shard that is gone as a whole: whether something of it may not have been read. */
  isGone({ now_ms, retention_ms }: { now_ms: number; retention_ms: number | undefined }) {
    if (retention_ms === undefined) return undefined;
    return this.#trimmed || this.isDue({ now_ms, retention_ms }) ? { since_ms: this.#read_ms } : undefined;
  }

  sawTrimmed(): void {
    this.#trimmed = true;
  }

  /** After the body was taken. */
  read({ rows, behindLatest_ms }: SplitBody, now_ms: number): void {
    if (rows !== undefined) {
      this.#trimmed = false;
      this.#read_ms = rows.lastArrival_ms;
    }
    if (behindLatest_ms === 0 && !this.#trimmed) this.#read_ms = now_ms;
  }
}
