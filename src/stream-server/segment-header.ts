import { crc32 } from 'node:zlib';
import type { LogFile } from './log-files.ts';

/**
 * What a segment file begins with. It carries the final account of the segment before it: opening a log reads the
 * headers and scans the last segment only, and a segment that lost its end is noticed rather than taken as it is.
 */
export interface SegmentHeader {
  firstIndex: number;
  createdAt_ms: number;
  /** Undefined when the log had no segment before. */
  previous: SegmentAccount | undefined;
}

export interface SegmentAccount {
  firstIndex: number;
  lastIndex: number;
  /** With its header, as far as it was durable. */
  bytes: number;
  newestArrival_ms: number;
}

export const SEGMENT_HEADER_BYTES = 64;
const MAGIC = Buffer.from('LWSEGM1\n', 'latin1');
const CRC_AT = SEGMENT_HEADER_BYTES - 4;

export function encodeSegmentHeader({ firstIndex, createdAt_ms, previous }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(bytes);
  const fields = [
    firstIndex,
    createdAt_ms,
    previous?.firstIndex ?? 0,
    previous?.lastIndex ?? 0,
    previous?.bytes ?? 0,
    previous?.newestArrival_ms ?? 0,
  ];
  fields.forEach((value, i) => {
    bytes.writeDoubleLE(value, MAGIC.length + 8 * i);
  });
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_AT)), CRC_AT);
  return bytes;
}

/** Undefined when the file does not begin with a whole header. */
export async function readSegmentHeader(file: LogFile): Promise<SegmentHeader | undefined> {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  if ((await file.read(bytes, 0)) < bytes.length || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    return undefined;
  if (crc32(bytes.subarray(0, CRC_AT)) !== bytes.readUInt32LE(CRC_AT)) return undefined;
  const field = (i: number) => bytes.readDoubleLE(MAGIC.length + 8 * i);
  const previous = {
    firstIndex: field(2),
    lastIndex: field(3),
    bytes: field(4),
    newestArrival_ms: field(5),
  };
  return {
    firstIndex: field(0),
    createdAt_ms: field(1),
    previous: previous.bytes > 0 ? previous : undefined,
  };
}

const NAME = /^(\d{16})\.log$/;

export function segmentName(firstIndex: number): string {
  return `${String(firstIndex).padStart(16, '0')}.log`;
}

export function firstIndexOf(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
