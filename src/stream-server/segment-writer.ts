import { dirname } from 'node:path';
import type { Clock } from '../base/base.ts';
import type { Batch } from './batch.ts';
import { frameArrival_ms, frameIndex } from './frame.ts';
import type { LogFile, LogFiles } from './log-files.ts';
import { Segment } from './segment.ts';
import { encodeSegmentHeader, segmentName } from './segment-header.ts';

export interface SegmentLimits {
  segment_bytes: number;
  /** A segment is closed at this age, so that time can take it away. */
  segmentAge_ms: number;
}

/**
 * Appends batches to the last segment, begins new ones. One call at a time. After a failed write or sync nobody knows
 * what the file holds behind its durable end, and a second sync would claim success for pages that were lost: so the
 * file is first cut back to that end.
 */
export class SegmentWriter {
  readonly #files: LogFiles;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #limits: SegmentLimits;
  #file: LogFile | undefined;
  #isUncertain = false;
  #folderIsDurable = false;

  constructor(options: { files: LogFiles; folder: string; clock: Clock; limits: SegmentLimits }) {
    this.#files = options.files;
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#limits = options.limits;
  }

  /** When this resolves the batch is durable and part of the last of `segments`. */
  async append(segments: Segment[], batch: Batch): Promise<void> {
    const last = segments.at(-1);
    if (!last || this.#isFull(last)) segments.push(await this.#begin(batch.firstIndex, last));
    const segment = segments.at(-1)!;
    this.#file ??= await this.#files.open(segment.path, 'read and write');
    await this.#cutBack(this.#file, segment);
    this.#isUncertain = true;
    await this.#file.write(batch.bytes, segment.bytes);
    await this.#file.syncData();
    this.#isUncertain = false;
    extend(segment, batch.bytes);
  }

  /** The folder for the shard's files, in a durable place. */
  async makeFolder(): Promise<void> {
    if (this.#folderIsDurable) return;
    await this.#files.makeFolder(this.#folder);
    await this.#files.syncFolder(dirname(this.#folder));
    await this.#files.syncFolder(dirname(dirname(this.#folder)));
    this.#folderIsDurable = true;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#isUncertain = false;
    await file?.close();
  }

  #isFull(segment: Segment): boolean {
    if (this.#isUncertain || segment.isEmpty) return false;
    const age_ms = this.#clock.now() - segment.createdAt_ms;
    return segment.bytes >= this.#limits.segment_bytes || age_ms >= this.#limits.segmentAge_ms;
  }

  async #cutBack(file: LogFile, segment: Segment): Promise<void> {
    if (!this.#isUncertain) return;
    await file.truncate(segment.bytes);
    await file.sync();
  }

  /** The name is durable before a record stands behind it. */
  async #begin(firstIndex: number, previous: Segment | undefined): Promise<Segment> {
    await this.close();
    const path = `${this.#folder}/${segmentName(firstIndex)}`;
    const createdAt_ms = this.#clock.now();
    const file = await this.#files.create(path);
    try {
      const header = { firstIndex, createdAt_ms, previous: previous?.account() };
      await file.write(encodeSegmentHeader(header), 0);
      await file.sync();
      await this.#files.syncFolder(this.#folder);
    } catch (error) {
      await file.close();
      await this.#files.remove(path);
      throw error;
    }
    this.#file = file;
    return new Segment(path, { firstIndex, createdAt_ms });
  }
}

function extend(segment: Segment, frames: Buffer): void {
  for (let at = 0; at < frames.length; ) {
    const length = frames.readUInt32LE(at);
    segment.extend({ index: frameIndex(frames, at), arrival_ms: frameArrival_ms(frames, at), length });
    at += length;
  }
}
