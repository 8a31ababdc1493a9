import { damaged } from './damage.ts';
import { frameArrival_ms, frameIndex } from './frame.ts';
import type { LogFile, LogFiles } from './log-files.ts';
import { SEGMENT_HEADER_BYTES, type SegmentAccount } from './segment-header.ts';
import { walkFrames } from './walk-frames.ts';

/** A mark every so many bytes: a read skips at most this much of the log, and 20 GB of log cost 80,000 marks. */
const MARK_BYTES = 256 * 1024;
const SCAN_CHUNK_BYTES = 1024 * 1024;

/** A frame's place, and the newest arrival of all frames of the segment before it. */
export interface Mark {
  index: number;
  offset: number;
  newestBefore_ms: number;
}

/** One file of a shard's log, as far as it is durable. */
export class Segment {
  readonly path: string;
  readonly firstIndex: number;
  readonly createdAt_ms: number;
  /** Everything below is durable and may be read; what the file holds beyond does not count. */
  bytes = SEGMENT_HEADER_BYTES;
  /** Below `firstIndex` while there is no record. */
  lastIndex: number;
  newestArrival_ms = 0;
  /** Undefined until somebody needs them: of a segment that was there at the start only the account is known. */
  #marks: Mark[] | undefined;
  #scan: Promise<Mark[]> | undefined;

  constructor(path: string, { firstIndex, createdAt_ms }: { firstIndex: number; createdAt_ms: number }) {
    this.path = path;
    this.firstIndex = firstIndex;
    this.lastIndex = firstIndex - 1;
    this.createdAt_ms = createdAt_ms;
  }

  get isEmpty(): boolean {
    return this.bytes === SEGMENT_HEADER_BYTES;
  }

  account(): SegmentAccount {
    const { firstIndex, lastIndex, bytes, newestArrival_ms } = this;
    return { firstIndex, lastIndex, bytes, newestArrival_ms };
  }

  /** Takes over what the next segment's header says of this one. */
  settle({ lastIndex, bytes, newestArrival_ms }: SegmentAccount): void {
    this.lastIndex = lastIndex;
    this.bytes = bytes;
    this.newestArrival_ms = newestArrival_ms;
  }

  /** A frame became durable at the end of the segment. */
  extend(frame: { index: number; arrival_ms: number; length: number }): void {
    if (this.isEmpty) this.#marks = [];
    if (this.#marks)
      addMark(this.#marks, { ...frame, offset: this.bytes, newestBefore_ms: this.newestArrival_ms });
    this.bytes += frame.length;
    this.lastIndex = frame.index;
    this.newestArrival_ms = Math.max(this.newestArrival_ms, frame.arrival_ms);
  }

  /** Where to begin in order to meet every record from `index` on. */
  async offsetOf(files: LogFiles, index: number): Promise<number> {
    if (index <= this.firstIndex) return SEGMENT_HEADER_BYTES;
    return lastWhere(await this.#ready(files), (mark) => mark.index <= index)?.offset ?? SEGMENT_HEADER_BYTES;
  }

  /** Where to begin in order to meet the first record that arrived at `time_ms` or later. */
  async offsetAt(files: LogFiles, time_ms: number): Promise<number> {
    const marks = await this.#ready(files);
    return lastWhere(marks, (mark) => mark.newestBefore_ms < time_ms)?.offset ?? SEGMENT_HEADER_BYTES;
  }

  async #ready(files: LogFiles): Promise<Mark[]> {
    if (this.#marks) return this.#marks;
    this.#scan ??= this.#scanMarks(files).finally(() => {
      this.#scan = undefined;
    });
    return this.#scan;
  }

  async #scanMarks(files: LogFiles): Promise<Mark[]> {
    const file = await files.open(this.path, 'read');
    try {
      const marks: Mark[] = [];
      const known = { from: SEGMENT_HEADER_BYTES, to: this.bytes, chunk_bytes: SCAN_CHUNK_BYTES };
      let offset = SEGMENT_HEADER_BYTES;
      let newestBefore_ms = 0;
      const { why } = await walkFrames(file, known, (bytes, at, length) => {
        const arrival_ms = frameArrival_ms(bytes, at);
        addMark(marks, { index: frameIndex(bytes, at), offset, newestBefore_ms });
        newestBefore_ms = Math.max(newestBefore_ms, arrival_ms);
        offset += length;
        return 'next';
      });
      if (why !== 'end') throw damaged(this.path, `no whole record at byte ${offset} of ${this.bytes}`);
      this.#marks = marks;
      return marks;
    } finally {
      await file.close();
    }
  }

  /**
   * Finds out what is in a segment of which no account exists: the last one of a log. What a crash left half written
   * ends it. Returns how many bytes behind that end there are.
   */
  async recover(file: LogFile): Promise<number> {
    const size = await file.size();
    const all = { from: SEGMENT_HEADER_BYTES, to: size, chunk_bytes: SCAN_CHUNK_BYTES };
    await walkFrames(file, all, (bytes, at, length) => {
      const index = frameIndex(bytes, at);
      if (index <= this.lastIndex) return 'stop';
      this.extend({ index, arrival_ms: frameArrival_ms(bytes, at), length });
      return 'next';
    });
    return size - this.bytes;
  }
}

function addMark(marks: Mark[], { index, offset, newestBefore_ms }: Mark): void {
  const last = marks.at(-1);
  if (!last || offset - last.offset >= MARK_BYTES) marks.push({ index, offset, newestBefore_ms });
}

/** The last element for which the condition, true for a beginning of the list only, is true. */
function lastWhere<T>(list: readonly T[], condition: (item: T) => boolean): T | undefined {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (condition(list[middle]!)) low = middle + 1;
    else high = middle;
  }
  return list[low - 1];
}
