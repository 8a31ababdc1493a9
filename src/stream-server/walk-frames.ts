import { FRAME_HEADER_BYTES, isIntact, isPlausibleLength } from './frame.ts';
import type { LogFile } from './log-files.ts';

export interface Walk {
  /** Where the first frame begins. */
  from: number;
  /** Nothing at or after this offset is looked at. */
  to: number;
  /** How much is read from the file at once. */
  chunk_bytes: number;
}

/** `stop`: this frame was not taken, and the walk ends before it. */
export type Visit = (bytes: Buffer, at: number, length: number) => 'next' | 'stop';

export interface WalkEnd {
  /** The offset after the last frame that was taken. */
  at: number;
  why: 'end' | 'stopped' | 'bad frame';
}

/** Hands over frame by frame, each checked against its CRC, with no object made for one. */
export async function walkFrames(
  file: LogFile,
  { from, to, chunk_bytes }: Walk,
  visit: Visit,
): Promise<WalkEnd> {
  let at = from;
  let wanted = chunk_bytes;
  let buffer = Buffer.allocUnsafe(0);
  while (at < to) {
    const asked = Math.min(wanted, to - at);
    if (buffer.length < asked) buffer = Buffer.allocUnsafe(asked);
    const filled = await file.read(buffer.subarray(0, asked), at);
    const { used, missing, why } = visitChunk(buffer, filled, visit);
    at += used;
    if (why) return { at, why };
    if (used > 0) continue;
    // Not even one frame: it is longer than a chunk, or the file ends inside it.
    if (filled < asked || asked === to - at) return { at, why: 'bad frame' };
    wanted = Math.max(chunk_bytes, missing);
  }
  return { at, why: 'end' };
}

interface ChunkEnd {
  used: number;
  /** Length of the frame that the chunk did not hold whole. */
  missing: number;
  why?: 'stopped' | 'bad frame';
}

function visitChunk(buffer: Buffer, filled: number, visit: Visit): ChunkEnd {
  let used = 0;
  while (filled - used >= FRAME_HEADER_BYTES) {
    const length = buffer.readUInt32LE(used);
    if (!isPlausibleLength(length)) return { used, missing: 0, why: 'bad frame' };
    if (length > filled - used) return { used, missing: length };
    if (!isIntact(buffer, used, length)) return { used, missing: 0, why: 'bad frame' };
    if (visit(buffer, used, length) === 'stop') return { used, missing: 0, why: 'stopped' };
    used += length;
  }
  return { used, missing: FRAME_HEADER_BYTES };
}
