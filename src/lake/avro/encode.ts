/**
 * Avro object container files. The encoder follows the schema that goes into the header, so that the two cannot
 * disagree; a value is looked up by field name, and one that is absent is written as null or fails.
 */

import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import type { AvroArray, AvroRecord, AvroType } from './schema.ts';
import { AvroWriter } from './writer.ts';

const deflate = promisify(deflateRaw);

/** Avro's default: readers hold a block at a time in memory. */
const BLOCK_BYTES = 64 * 1024;

export type AvroRow = Readonly<Record<string, unknown>>;
type Encode = (value: unknown, writer: AvroWriter) => void;

export interface ContainerOptions {
  schema: AvroRecord;
  /** Key-value pairs of the header beside `avro.schema` and `avro.codec`. */
  metadata: Readonly<Record<string, string>>;
  codec: 'null' | 'deflate';
  /** 16 random bytes that end every block. */
  sync: Uint8Array;
}

export async function encodeContainer(
  options: ContainerOptions,
  rows: Iterable<AvroRow>,
): Promise<Uint8Array> {
  const encode = encoderOf(options.schema);
  const parts: Uint8Array[] = [header(options)];
  const writer = new AvroWriter();
  let count = 0;
  const flush = async () => {
    const plain = writer.take();
    const data = options.codec === 'deflate' ? await deflate(plain) : plain;
    writer.long(count);
    writer.long(data.length);
    parts.push(writer.take(), data, options.sync);
    count = 0;
  };
  for (const row of rows) {
    encode(row, writer);
    count++;
    if (writer.length >= BLOCK_BYTES) await flush();
  }
  if (count > 0) await flush();
  return Buffer.concat(parts);
}

function header({ schema, metadata, codec, sync }: ContainerOptions): Uint8Array {
  const writer = new AvroWriter();
  writer.raw(Buffer.from('Obj\x01', 'latin1'));
  const entries = Object.entries({ ...metadata, 'avro.schema': JSON.stringify(schema), 'avro.codec': codec });
  writer.long(entries.length);
  for (const [key, value] of entries) {
    writer.string(key);
    writer.bytes(Buffer.from(value));
  }
  writer.long(0);
  writer.raw(sync);
  return writer.take();
}

export function encoderOf(type: AvroType): Encode {
  if (typeof type === 'string') return primitive(type);
  if (Array.isArray(type)) return optionalEncoder(type as readonly AvroType[]);
  const single = type as Exclude<AvroType, string | readonly AvroType[]>;
  if (single.type === 'record') return recordEncoder(single);
  if (single.type === 'array')
    return single.logicalType === 'map' ? mapEncoder(single) : arrayEncoder(single);
  if (single.type === 'fixed') return fixedEncoder(single.size);
  if (single.type === 'map') throw new TypeError('Iceberg has no Avro map with string keys');
  return primitive(single.type);
}

function primitive(type: string): Encode {
  switch (type) {
    case 'boolean':
      return (value, writer) => writer.boolean(typed(value, 'boolean'));
    case 'int':
      return (value, writer) => writer.long(int32(typed(value, 'number')));
    case 'long':
      return (value, writer) => writer.long(typeof value === 'bigint' ? value : typed(value, 'number'));
    case 'float':
      return (value, writer) => writer.float(typed(value, 'number'));
    case 'double':
      return (value, writer) => writer.double(typed(value, 'number'));
    case 'string':
      return (value, writer) => writer.string(typed(value, 'string'));
    case 'bytes':
      return (value, writer) => writer.bytes(bytes(value));
    default:
      throw new TypeError(`no encoder for the Avro type ${type}`);
  }
}

function recordEncoder(record: AvroRecord): Encode {
  const fields = record.fields.map((field) => ({ name: field.name, encode: encoderOf(field.type) }));
  return (value, writer) => {
    const row = value as AvroRow;
    for (const { name, encode } of fields) encode(row[name], writer);
  };
}

/** Iceberg's only unions: null and one other type, null first. */
function optionalEncoder(branches: readonly AvroType[]): Encode {
  const [first, other] = branches;
  if (branches.length !== 2 || first !== 'null' || other === undefined)
    throw new TypeError('not an optional type');
  const encode = encoderOf(other);
  return (value, writer) => {
    if (value === null || value === undefined) return writer.long(0);
    writer.long(1);
    encode(value, writer);
  };
}

function arrayEncoder(array: AvroArray): Encode {
  const encode = encoderOf(array.items);
  return (value, writer) => {
    const items = value as readonly unknown[];
    if (items.length > 0) writer.long(items.length);
    for (const item of items) encode(item, writer);
    writer.long(0);
  };
}

function mapEncoder(array: AvroArray): Encode {
  const entry = (array.items as AvroRecord).fields;
  const encodeKey = encoderOf(entry[0]!.type);
  const encodeValue = encoderOf(entry[1]!.type);
  return (value, writer) => {
    const map = value as ReadonlyMap<number, unknown>;
    if (map.size > 0) writer.long(map.size);
    for (const [key, item] of map) {
      encodeKey(key, writer);
      encodeValue(item, writer);
    }
    writer.long(0);
  };
}

function fixedEncoder(size: number): Encode {
  return (value, writer) => {
    const exact = bytes(value);
    if (exact.length !== size) throw new TypeError(`${exact.length} bytes for a fixed of ${size}`);
    writer.raw(exact);
  };
}

interface Typed {
  boolean: boolean;
  number: number;
  string: string;
}

function typed<T extends keyof Typed>(value: unknown, type: T): Typed[T] {
  if (typeof value !== type)
    throw new TypeError(`${type} expected, ${value === null ? 'null' : typeof value} given`);
  return value as Typed[T];
}

function int32(value: number): number {
  if ((value | 0) !== value) throw new RangeError(`not a 32-bit integer: ${value}`);
  return value;
}

function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`bytes expected, ${typeof value} given`);
  return value;
}
