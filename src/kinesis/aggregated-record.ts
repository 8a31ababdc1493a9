/**
 * Records of the Kinesis Producer Library: many user records inside one Kinesis record. Bytes: magic F3 89 9A C2,
 * protobuf `AggregatedRecord` (1 table of partition keys, 2 table of explicit hash keys, 3 records, each with 1 index
 * of its partition key, 2 index of its explicit hash key, 3 data), MD5 of the protobuf. Whatever does not fit that
 * exactly is a plain record, as for the consumers of Amazon.
 *
 * Nothing is copied and no object is made for a user record: where each stands is kept as numbers.
 */
import { hash } from 'node:crypto';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { HASH_KEY_MAX, type HashKeyRange, hashKeyOf } from './hash-key.ts';

/** The first four bytes, as a number. */
const AGGREGATED_MAGIC = 0xf3_89_9a_c2;
const MAGIC_BYTES = 4;
const MD5_BYTES = 16;

/** Wire type 2: a length, then so many bytes. */
const PARTITION_KEY = (1 << 3) | 2;
const EXPLICIT_HASH_KEY = (2 << 3) | 2;
const RECORD = (3 << 3) | 2;
const PARTITION_KEY_INDEX = 1 << 3;
const EXPLICIT_HASH_KEY_INDEX = 2 << 3;
const DATA = (3 << 3) | 2;

/**
 * Tells nearly all other records apart without decoding them: the magic in base64. The sixth character holds the last
 * two of its bits and two of the next byte's, so it is left to the decoded bytes.
 */
export function mayBeAggregated(base64: string): boolean {
  return base64.charCodeAt(0) === 0x38 && base64.startsWith('84maw');
}

/** Whether a record says of itself that it is an aggregated one; what it holds decides. */
export function isMarkedAggregated({ bytes, start, end }: { bytes: Buffer; start: number; end: number }) {
  return end - start >= MAGIC_BYTES && bytes.readUInt32BE(start) === AGGREGATED_MAGIC;
}

/** Where values stand among the bytes. */
interface Spans {
  starts: number[];
  ends: number[];
}

export interface AggregatedRecord {
  bytes: Buffer;
  /** User records. Zero is possible. */
  count: number;
  /** Where the data of each begins and ends within the bytes. */
  starts: readonly number[];
  ends: readonly number[];
  /** How many belong to another shard by their hash key. */
  strays(range: HashKeyRange): number;
}

/** Undefined for a plain record. */
export function readAggregatedRecord(bytes: Buffer): AggregatedRecord | undefined {
  const end = bytes.length - MD5_BYTES;
  if (end <= MAGIC_BYTES || bytes.readUInt32BE(0) !== AGGREGATED_MAGIC) return undefined;
  if (!hash('md5', bytes.subarray(MAGIC_BYTES, end), 'buffer').equals(bytes.subarray(end))) return undefined;
  try {
    return new Parsed(bytes, end);
  } catch {
    // The reader throws on what is no protobuf.
    return undefined;
  }
}

class Parsed implements AggregatedRecord {
  readonly bytes: Buffer;
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly #partitionKeys: Spans = { starts: [], ends: [] };
  readonly #explicitHashKeys: Spans = { starts: [], ends: [] };
  /** Index into the table, by user record. */
  readonly #partitionKeyOf: number[] = [];
  /** −1: none. */
  readonly #explicitHashKeyOf: number[] = [];

  constructor(bytes: Buffer, end: number) {
    this.bytes = bytes;
    const reader = new BinaryReader(bytes.subarray(0, end));
    reader.pos = MAGIC_BYTES;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === PARTITION_KEY) readSpan(reader, this.#partitionKeys);
      else if (tag === EXPLICIT_HASH_KEY) readSpan(reader, this.#explicitHashKeys);
      else if (tag === RECORD) this.#readRecord(reader);
      else skip(reader, tag);
    }
  }

  get count(): number {
    return this.starts.length;
  }

  /** By the explicit hash key where there is one. A key that cannot be found or read accuses nobody. */
  strays({ start, end }: HashKeyRange): number {
    if (start === 0n && end === HASH_KEY_MAX) return 0;
    const outside = (key: bigint | undefined) => key !== undefined && (key < start || key > end);
    const byPartitionKey = this.#once(this.#partitionKeys, (key) => outside(hashKeyOf(key)));
    const byExplicitKey = this.#once(this.#explicitHashKeys, (key) => outside(decimal(key)));
    let strays = 0;
    for (let i = 0; i < this.count; i++) {
      const explicit = this.#explicitHashKeyOf[i]!;
      const stray = explicit === -1 ? byPartitionKey(this.#partitionKeyOf[i]!) : byExplicitKey(explicit);
      if (stray) strays++;
    }
    return strays;
  }

  /** Many user records share a key. */
  #once({ starts, ends }: Spans, judge: (key: Buffer) => boolean): (index: number) => boolean {
    const known: boolean[] = [];
    return (index) => {
      if (index >= starts.length) return false;
      known[index] ??= judge(this.bytes.subarray(starts[index], ends[index]));
      return known[index];
    };
  }

  #readRecord(reader: BinaryReader): void {
    const end = endOfField(reader);
    let [partitionKey, explicitHashKey, from, to] = [-1, -1, -1, -1];
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === PARTITION_KEY_INDEX) partitionKey = reader.uint32();
      else if (tag === EXPLICIT_HASH_KEY_INDEX) explicitHashKey = reader.uint32();
      else if (tag === DATA) {
        to = endOfField(reader);
        from = reader.pos;
        reader.pos = to;
      } else skip(reader, tag);
    }
    if (reader.pos !== end || partitionKey === -1 || from === -1) throw new Error('no user record');
    this.starts.push(from);
    this.ends.push(to);
    this.#partitionKeyOf.push(partitionKey);
    this.#explicitHashKeyOf.push(explicitHashKey);
  }
}

function endOfField(reader: BinaryReader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError('a field ends behind the message');
  return end;
}

function readSpan(reader: BinaryReader, { starts, ends }: Spans): void {
  const end = endOfField(reader);
  starts.push(reader.pos);
  ends.push(end);
  reader.pos = end;
}

function skip(reader: BinaryReader, tag: number): void {
  if (tag >>> 3 === 0) throw new Error('no field');
  reader.skip(tag & 7, tag >>> 3);
}

function decimal(text: Buffer): bigint | undefined {
  const digits = text.toString('latin1');
  return /^\d{1,39}$/.test(digits) ? BigInt(digits) : undefined;
}
