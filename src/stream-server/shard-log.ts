import { type Clock, type Log, Turns } from '../base/base.ts';
import { Batch } from './batch.ts';
import type { Capacity } from './capacity.ts';
import { damaged } from './damage.ts';
import { type FrameParts, frameArrival_ms, frameIndex, frameLength } from './frame.ts';
import { loadSegments } from './load-segments.ts';
import { isMissing, type LogFile, type LogFiles } from './log-files.ts';
import { Reservation } from './reservation.ts';
import type { Segment } from './segment.ts';
import { SEGMENT_HEADER_BYTES } from './segment-header.ts';
import { type SegmentLimits, SegmentWriter } from './segment-writer.ts';
import { Signal } from './signal.ts';
import { type Visit, type WalkEnd, walkFrames } from './walk-frames.ts';

export interface ShardLogOptions {
  folder: string;
  files: LogFiles;
  clock: Clock;
  log: Log;
  capacity: Capacity;
  limits: SegmentLimits;
}

/** How many places behind a reader's last record are remembered, so that its next read need not search. */
const PLACES_MAX = 64;

/**
 * The append log of one shard. Records get their index when they are put, and become readable, in that order, when
 * the sync that covers them is done. Group commit: while one batch is written and synced, the next one collects.
 */
export class ShardLog {
  readonly #options: ShardLogOptions;
  readonly #reservation: Reservation;
  readonly #writer: SegmentWriter;
  /** Out of sight, oldest first; their files are still to be removed. */
  readonly #trimmed: Segment[] = [];
  readonly #segments: Segment[];
  readonly #places = new Map<number, { segment: Segment; offset: number }>();
  /** There are more durable records. */
  readonly grown = new Signal();
  #open = new Batch();
  #nextIndex: number;
  #lastIndex: number;
  #isWriting = false;
  readonly #turns = new Turns();

  private constructor(options: ShardLogOptions, reservation: Reservation, segments: Segment[]) {
    this.#options = options;
    this.#reservation = reservation;
    this.#segments = segments;
    this.#writer = new SegmentWriter(options);
    this.#nextIndex = reservation.until;
    this.#lastIndex = segments.at(-1)?.lastIndex ?? reservation.until - 1;
  }

  static async open(options: ShardLogOptions): Promise<ShardLog> {
    const reservationPath = `${options.folder}/reserved`;
    const reservation = await Reservation.open(options.files, reservationPath);
    const segments = await loadSegments(options.files, options.folder, options.log);
    const lastIndex = segments.at(-1)?.lastIndex ?? 0;
    if (lastIndex >= reservation.until) throw damaged(reservationPath, `record ${lastIndex} lies above it`);
    for (const segment of segments) options.capacity.count(segment.bytes);
    return new ShardLog(options, reservation, segments);
  }

  /** Of the last durable record; every record that is not durable yet has a higher one. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Whether there is anything to read from `index` on: what was trimmed does not count. */
  hasRecordsFrom(index: number): boolean {
    return this.#segments.some((segment) => !segment.isEmpty && segment.lastIndex >= index);
  }

  /** The index of the record, or undefined when there is no room on disk for it. It is not durable yet. */
  put(record: Omit<FrameParts, 'index'>): number | undefined {
    if (!this.#options.capacity.take(frameLength(record))) return undefined;
    const index = this.#nextIndex++;
    this.#open.add({ ...record, index });
    return index;
  }

  /** Resolves when all that was put before is durable. */
  durable(): Promise<void> {
    if (this.#open.isEmpty) return Promise.resolve();
    const { durable } = this.#open;
    if (!this.#isWriting) void this.#write();
    return durable;
  }

  /** Resolves when no record is on its way: each is durable or was refused. */
  async drain(): Promise<void> {
    while (this.#isWriting || !this.#open.isEmpty) {
      await this.durable().catch(() => {});
      await this.#turns.over();
    }
  }

  /** Hands over the durable records from index `from` on, oldest first, until `visit` has enough. */
  async read({ from, chunk_bytes }: { from: number; chunk_bytes: number }, visit: Visit): Promise<void> {
    const seen = { next: from };
    const wanted: Visit = (bytes, at, length) => {
      const index = frameIndex(bytes, at);
      if (index < from) return 'next';
      if (visit(bytes, at, length) === 'stop') return 'stop';
      seen.next = index + 1;
      return 'next';
    };
    for (const segment of this.#segments.filter(({ lastIndex }) => lastIndex >= from)) {
      const place = this.#places.get(from);
      const offset =
        place?.segment === segment ? place.offset : await segment.offsetOf(this.#options.files, from);
      const end = await this.#walk(segment, { offset, chunk_bytes }, wanted);
      if (end) this.#remember(seen.next, { segment, offset: end.at });
      if (end?.why === 'stopped') return;
    }
  }

  /** The index of the first record that arrived at `time_ms` or later; the one after the last when there is none. */
  async indexAt(time_ms: number): Promise<number> {
    let index = this.#lastIndex + 1;
    for (const segment of this.#segments.filter(({ newestArrival_ms }) => newestArrival_ms >= time_ms)) {
      const offset = await segment.offsetAt(this.#options.files, time_ms);
      const end = await this.#walk(segment, { offset, chunk_bytes: 64 * 1024 }, (bytes, at) => {
        if (frameArrival_ms(bytes, at) < time_ms) return 'next';
        index = frameIndex(bytes, at);
        return 'stop';
      });
      if (end?.why === 'stopped') break;
    }
    return index;
  }

  /**
   * Removes segments that are older as a whole and hold nothing above `heldIndex`. What cannot be removed takes its room
   * until a later call can.
   */
  trim({ olderThan_ms, heldIndex }: { olderThan_ms: number; heldIndex: number }): Promise<void> {
    return this.#turns.take(async () => {
      for (;;) {
        const oldest = this.#segments[0];
        if (!oldest || oldest.newestArrival_ms >= olderThan_ms || oldest.lastIndex > heldIndex) break;
        if (this.#segments.length === 1) await this.#writer.close();
        this.#segments.shift();
        this.#trimmed.push(oldest);
      }
      for (let next = this.#trimmed[0]; next !== undefined; next = this.#trimmed[0]) {
        await this.#options.files.remove(next.path);
        this.#options.capacity.give(next.bytes);
        this.#trimmed.shift();
      }
    });
  }

  /** After what was put is durable. */
  async close(): Promise<void> {
    await this.drain();
    await this.#turns.take(() => this.#writer.close());
  }

  /** Gives back the room of a log whose files are about to be removed. */
  forget(): void {
    for (const { bytes } of [...this.#trimmed.splice(0), ...this.#segments.splice(0)])
      this.#options.capacity.give(bytes);
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (!this.#open.isEmpty) await this.#turns.take(() => this.#writeBatch());
    this.#isWriting = false;
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#open;
    this.#open = new Batch();
    const before = this.#segments.length;
    try {
      await this.#writer.makeFolder();
      await this.#reservation.cover(batch.lastIndex);
      await this.#writer.append(this.#segments, batch);
      this.#lastIndex = batch.lastIndex;
      batch.resolve();
      this.grown.fire();
    } catch (error) {
      this.#options.capacity.give(batch.bytes.length);
      this.#options.log.error(
        'stream_server.write_failed',
        'Could not make records durable; their puts fail',
        {
          folder: this.#options.folder,
          why: String(error),
        },
      );
      batch.reject(error);
    }
    if (this.#segments.length > before) this.#options.capacity.count(SEGMENT_HEADER_BYTES);
  }

  /** Undefined when the segment was trimmed meanwhile. */
  async #walk(
    segment: Segment,
    { offset, chunk_bytes }: { offset: number; chunk_bytes: number },
    visit: Visit,
  ): Promise<WalkEnd | undefined> {
    const file = await this.#openSegment(segment);
    if (!file) return undefined;
    try {
      const end = await walkFrames(file, { from: offset, to: segment.bytes, chunk_bytes }, visit);
      if (end.why === 'bad frame') throw damaged(segment.path, `no whole record at byte ${end.at}`);
      return end;
    } finally {
      await file.close();
    }
  }

  async #openSegment(segment: Segment): Promise<LogFile | undefined> {
    try {
      return await this.#options.files.open(segment.path, 'read');
    } catch (error) {
      if (isMissing(error) && !this.#segments.includes(segment)) return undefined;
      throw error;
    }
  }

  #remember(index: number, place: { segment: Segment; offset: number }): void {
    this.#places.delete(index);
    if (this.#places.size >= PLACES_MAX) this.#places.delete(this.#places.keys().next().value!);
    this.#places.set(index, place);
  }
}
