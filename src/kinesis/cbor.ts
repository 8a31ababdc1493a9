/**
 * CBOR as Kinesis speaks it (application/x-amz-cbor-1.1): the members of JSON 1.1 as map keys, blobs as byte strings,
 * times as tag 1 with whole milliseconds. Libraries that honour tag 1 take it for seconds, as RFC 8949 has it, and so
 * put a record into the year 55,995; this is why there is one here.
 */
import { isUtf8 } from 'node:buffer';

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const BREAK = 0xff;
const INDEFINITE = 31;
const TWO_TO_32 = 2 ** 32;
/** Head and all: a type, an argument of eight bytes. */
const CBOR_HEAD_BYTES_MAX = 9;
/** No input of the service is deeper than five, or has more than 500 records of three members. */
const DEPTH_MAX = 16;
const VALUES_MAX = 100_000;

export class CborError extends Error {}

/**
 * The one value that the bytes are. Byte strings are views of `bytes`, maps have no prototype; tags are passed over,
 * so that a time is a number of milliseconds.
 */
export function decodeCbor(bytes: Buffer): unknown {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (!reader.isAtEnd) throw new CborError('bytes follow the value');
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): unknown {
    if (depth > DEPTH_MAX || ++this.#values > VALUES_MAX) throw new CborError('too deep, or too many values');
    const first = this.#byte();
    const [type, info] = [first >> 5, first & 31];
    switch (type) {
      case UNSIGNED:
        return this.#argument(info);
      case NEGATIVE:
        return -1 - this.#argument(info);
      case BYTES:
        return this.#string(info, BYTES);
      case TEXT:
        return text(this.#string(info, TEXT));
      case ARRAY:
        return this.#array(info, depth);
      case MAP:
        return this.#map(info, depth);
      case TAG:
        this.#argument(info);
        return this.value(depth + 1);
      default:
        return this.#simple(info);
    }
  }

  #array(info: number, depth: number): unknown[] {
    const list: unknown[] = [];
    for (const _ of this.#items(info)) list.push(this.value(depth + 1));
    return list;
  }

  #map(info: number, depth: number): object {
    const map: Record<string, unknown> = Object.create(null);
    for (const _ of this.#items(info)) {
      const name = this.value(depth + 1);
      if (typeof name !== 'string') throw new CborError('a key is no text');
      map[name] = this.value(depth + 1);
    }
    return map;
  }

  /** Comes once for every item that follows. A count promises nothing: each item is bounded by the bytes there are. */
  *#items(info: number): Generator<void> {
    if (info !== INDEFINITE) for (let left = this.#argument(info); left > 0; left--) yield;
    else while (!this.#skipBreak()) yield;
  }

  #string(info: number, type: number): Buffer {
    if (info !== INDEFINITE) return this.#take(this.#argument(info));
    const chunks: Buffer[] = [];
    while (!this.#skipBreak()) {
      const first = this.#byte();
      if (first >> 5 !== type || (first & 31) === INDEFINITE) throw new CborError('a chunk of another type');
      chunks.push(this.#take(this.#argument(first & 31)));
    }
    return Buffer.concat(chunks);
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
      case 21:
        return info === 21;
      case 22:
      case 23:
        return null;
      case 25:
        return half(this.#take(2).readUInt16BE());
      case 26:
        return this.#take(4).readFloatBE();
      case 27:
        return this.#take(8).readDoubleBE();
      default:
        throw new CborError('a simple value that means nothing here');
    }
  }

  #argument(info: number): number {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.#byte();
      case 25:
        return this.#take(2).readUInt16BE();
      case 26:
        return this.#take(4).readUInt32BE();
      case 27: {
        const bytes = this.#take(8);
        return bytes.readUInt32BE() * TWO_TO_32 + bytes.readUInt32BE(4);
      }
      default:
        throw new CborError('a length that cannot be');
    }
  }

  #skipBreak(): boolean {
    if (this.#bytes[this.#at] !== BREAK) return false;
    this.#at++;
    return true;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new CborError('the bytes end too early');
    this.#at++;
    return byte;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new CborError('the bytes end too early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function text(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new CborError('a text is not UTF-8');
  return bytes.toString('utf8');
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * Objects, lists, texts, bytes, numbers, booleans, null; members that are undefined are left out. A member whose name
 * ends in `Timestamp` holds seconds, as in JSON, and is written as a time.
 */
export function encodeCbor(value: unknown): Buffer {
  const parts: Buffer[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

function write(value: unknown, parts: Buffer[]): void {
  if (typeof value === 'string') parts.push(cborHead('text', Buffer.byteLength(value)), Buffer.from(value));
  else if (typeof value === 'number') parts.push(encodeNumber(value));
  else if (typeof value === 'boolean') parts.push(Buffer.from([value ? 0xf5 : 0xf4]));
  else if (value === null || value === undefined) parts.push(Buffer.from([0xf6]));
  else if (value instanceof Uint8Array) parts.push(cborHead('bytes', value.length), Buffer.from(value));
  else if (Array.isArray(value)) {
    parts.push(cborHead('array', value.length));
    for (const item of value) write(item, parts);
  } else writeMap(value, parts);
}

function writeMap(value: object, parts: Buffer[]): void {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  parts.push(cborHead('map', members.length));
  for (const [name, member] of members) {
    write(name, parts);
    if (name.endsWith('Timestamp') && typeof member === 'number')
      parts.push(cborHead('tag', 1), encodeNumber(Math.round(member * 1000)));
    else write(member, parts);
  }
}

function encodeNumber(value: number): Buffer {
  if (Number.isSafeInteger(value))
    return value < 0 ? cborHead('negative', -1 - value) : cborHead('unsigned', value);
  const bytes = Buffer.alloc(9);
  bytes[0] = 0xfb;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

export type CborType = 'unsigned' | 'negative' | 'bytes' | 'text' | 'array' | 'map' | 'tag';

const TYPE_BITS: Record<CborType, number> = {
  unsigned: UNSIGNED << 5,
  negative: NEGATIVE << 5,
  bytes: BYTES << 5,
  text: TEXT << 5,
  array: ARRAY << 5,
  map: MAP << 5,
  tag: TAG << 5,
};

function cborHead(type: CborType, argument: number): Buffer {
  const bytes = Buffer.alloc(CBOR_HEAD_BYTES_MAX);
  return bytes.subarray(0, writeCborHead(bytes, 0, type, argument));
}

/** Writes what a value begins with, where there is room for it, and returns its end. */
export function writeCborHead(into: Buffer, at: number, type: CborType, argument: number): number {
  const bits = TYPE_BITS[type];
  if (argument < 24) {
    into[at] = bits | argument;
    return at + 1;
  }
  if (argument < 0x100) {
    into[at] = bits | 24;
    into[at + 1] = argument;
    return at + 2;
  }
  if (argument < 0x10000) {
    into[at] = bits | 25;
    return into.writeUInt16BE(argument, at + 1);
  }
  if (argument < TWO_TO_32) {
    into[at] = bits | 26;
    return into.writeUInt32BE(argument, at + 1);
  }
  into[at] = bits | 27;
  into.writeUInt32BE(Math.floor(argument / TWO_TO_32), at + 1);
  return into.writeUInt32BE(argument % TWO_TO_32, at + 5);
}
