/**
 * Bounds of a column in a file: the single-value encoding of the spec's appendix D, and how long a bound may be.
 * Only strings and bytes are ever widened. Engines answer min() and max() from the bounds of all other types
 * (iceberg#10930), so one that is not exact would be a wrong answer.
 */
import { Failure } from '../../base/base.ts';
import type { Bound } from './data-file.ts';
import { decimalOf } from './schema.ts';

const TRUNCATED_LENGTH = 16;

/** Bounds are as long at most: texts in code points, bytes in bytes. */
export interface Shortening {
  most?: number;
}

/** Undefined where no lower bound can be given: NaN is not allowed as one. */
export function lowerBound(bound: Bound, { most = TRUNCATED_LENGTH }: Shortening = {}): Bound | undefined {
  if (typeof bound === 'string') return firstCodePoints(bound, most);
  if (bound instanceof Uint8Array) return bound.subarray(0, most);
  return Number.isNaN(bound) ? undefined : bound;
}

/** A truncated upper bound is moved up to the next value of its length; undefined where there is none. */
export function upperBound(bound: Bound, { most = TRUNCATED_LENGTH }: Shortening = {}): Bound | undefined {
  if (typeof bound === 'string') {
    const cut = firstCodePoints(bound, most);
    return cut === bound ? bound : nextText(cut);
  }
  if (bound instanceof Uint8Array) {
    return bound.length <= most ? bound : nextBytes(bound.subarray(0, most));
  }
  return Number.isNaN(bound) ? undefined : bound;
}

function firstCodePoints(text: string, most: number): string {
  // Sixteen code points are at most 32 units, so a long text need not be walked.
  const points = Array.from(text.slice(0, 2 * most + 2));
  return points.length <= most ? text : points.slice(0, most).join('');
}

function nextText(text: string): string | undefined {
  const points = Array.from(text, (character) => character.codePointAt(0)!);
  for (let last = points.length - 1; last >= 0; last--) {
    const point = points[last]!;
    if (point === 0x10ffff) continue;
    // Surrogates are no characters.
    const next = point === 0xd7ff ? 0xe000 : point + 1;
    return String.fromCodePoint(...points.slice(0, last), next);
  }
  return undefined;
}

function nextBytes(bytes: Uint8Array): Uint8Array | undefined {
  const last = bytes.findLastIndex((byte) => byte !== 0xff);
  if (last < 0) return undefined;
  const next = bytes.slice(0, last + 1);
  next[last]! += 1;
  return next;
}

/** Whether a bound of this type can be read; of uuid, fixed and types to come it cannot. */
export function hasBounds(type: string): boolean {
  return BOUNDED.has(type) || decimalOf(type) !== undefined;
}

const BOUNDED: ReadonlySet<string> = new Set([
  ...[
    'boolean',
    'int',
    'long',
    'float',
    'double',
    'date',
    'time',
    'timestamp',
    'timestamptz',
    'string',
    'binary',
  ],
]);

export function encodeBound(type: string, bound: Bound): Uint8Array {
  const bytes = encode(type, bound);
  if (bytes !== undefined) return bytes;
  throw new Failure(`cannot encode a ${typeof bound} as a bound of type ${type}`, {
    code: 'lake.bound_type',
    fault: 'ourselves',
    hint: 'the types of bounds are in src/lake/table/data-file.ts',
  });
}

function encode(type: string, bound: Bound): Uint8Array | undefined {
  switch (type) {
    case 'boolean':
      return typeof bound === 'boolean' ? Uint8Array.of(bound ? 1 : 0) : undefined;
    case 'int':
    case 'date':
      return typeof bound === 'number' ? fixed(4, (view) => view.writeInt32LE(bound)) : undefined;
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return typeof bound === 'bigint' ? fixed(8, (view) => view.writeBigInt64LE(bound)) : undefined;
    case 'float':
      return typeof bound === 'number' ? fixed(4, (view) => view.writeFloatLE(bound)) : undefined;
    case 'double':
      return typeof bound === 'number' ? fixed(8, (view) => view.writeDoubleLE(bound)) : undefined;
    case 'string':
      return typeof bound === 'string' ? Buffer.from(bound) : undefined;
    case 'binary':
      return bound instanceof Uint8Array ? bound : undefined;
    default:
      return decimalOf(type) && typeof bound === 'bigint' ? unscaledBytes(bound) : undefined;
  }
}

function fixed(length: number, write: (view: Buffer) => void): Uint8Array {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return bytes;
}

/** Big-endian two's complement, in `length` bytes or as few as can hold it. */
export function unscaledBytes(value: bigint, length?: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.unshift(Number(rest & 0xffn));
    rest >>= 8n;
  } while (rest !== (bytes[0]! >= 0x80 ? -1n : 0n));
  while (length !== undefined && bytes.length < length) bytes.unshift(value < 0n ? 0xff : 0);
  return Uint8Array.from(bytes);
}

export function unscaledFrom(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
}

/**
 * Undefined for a type that we have no value for: the bound then says nothing. A column may have been int or float
 * when the file was written and long or double since; its bounds stay as short as they were.
 */
export function decodeBound(type: string, bytes: Uint8Array): Bound | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = view;
  switch (type) {
    case 'boolean':
      return length === 1 ? view[0] !== 0 : undefined;
    case 'int':
    case 'date':
      return length === 4 ? view.readInt32LE() : undefined;
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return length === 8 ? view.readBigInt64LE() : length === 4 ? BigInt(view.readInt32LE()) : undefined;
    case 'float':
      return length === 4 ? view.readFloatLE() : undefined;
    case 'double':
      return length === 8 ? view.readDoubleLE() : length === 4 ? view.readFloatLE() : undefined;
    case 'string':
      return view.toString('utf8');
    case 'binary':
      return bytes;
    default:
      return decimalOf(type) && length > 0 ? unscaledFrom(bytes) : undefined;
  }
}
