import { crc32 } from 'node:zlib';

/**
 * One record in the log, little-endian:
 *   0 length of the frame, u32 · 4 CRC-32 of all that follows, u32 · 8 index, u64 · 16 arrival in ms, f64 ·
 *   24 length of the partition key, u16 · 26 partition key, UTF-8 · then the data to the end of the frame.
 */
export const FRAME_HEADER_BYTES = 26;
/** A record of 10 MiB with its key, and some air: whatever says it is longer is no frame. */
export const FRAME_BYTES_MAX = 11 * 1024 * 1024;

const TWO_TO_32 = 2 ** 32;

export interface FrameParts {
  index: number;
  arrival_ms: number;
  partitionKey: string;
  partitionKey_bytes: number;
  data: Uint8Array;
}

export function frameLength(parts: { partitionKey_bytes: number; data: Uint8Array }): number {
  return FRAME_HEADER_BYTES + parts.partitionKey_bytes + parts.data.length;
}

/** Writes a frame for which there is room, and returns its end. */
export function writeFrame(into: Buffer, at: number, parts: FrameParts): number {
  const length = frameLength(parts);
  into.writeUInt32LE(length, at);
  into.writeUInt32LE(parts.index % TWO_TO_32, at + 8);
  into.writeUInt32LE(Math.floor(parts.index / TWO_TO_32), at + 12);
  into.writeDoubleLE(parts.arrival_ms, at + 16);
  into.writeUInt16LE(parts.partitionKey_bytes, at + 24);
  into.write(parts.partitionKey, at + FRAME_HEADER_BYTES, 'utf8');
  into.set(parts.data, at + FRAME_HEADER_BYTES + parts.partitionKey_bytes);
  into.writeUInt32LE(crc32(into.subarray(at + 8, at + length)), at + 4);
  return at + length;
}

export function frameIndex(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 12) * TWO_TO_32 + bytes.readUInt32LE(at + 8);
}

export function frameArrival_ms(bytes: Buffer, at: number): number {
  return bytes.readDoubleLE(at + 16);
}

export function frameKeyLength(bytes: Buffer, at: number): number {
  return bytes.readUInt16LE(at + 24);
}

/** Whether the bytes from `at`, of which `length` are the frame's own claim, are what was written. */
export function isIntact(bytes: Buffer, at: number, length: number): boolean {
  return (
    crc32(bytes.subarray(at + 8, at + length)) === bytes.readUInt32LE(at + 4) &&
    FRAME_HEADER_BYTES + frameKeyLength(bytes, at) <= length
  );
}

export function isPlausibleLength(length: number): boolean {
  return length >= FRAME_HEADER_BYTES && length <= FRAME_BYTES_MAX;
}
