/**
 * Reads Avro object container files that any writer made. A row is an array in the order of the writer's schema;
 * `positionsById` says where a field is. A map of field ids is decoded when it is first looked into: planning looks
 * at few of the six maps of a data file.
 */
import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { Failure } from '../../base/base.ts';
import { LazyMap } from './lazy-map.ts';
import { AvroReader } from './reader.ts';
import type { AvroArray, AvroRecord, AvroType } from './schema.ts';

/** A block of a manifest is tens of kilobytes; more than this is damage, or made to exhaust memory. */
const BLOCK_BYTES_MAX = 256 * 1024 * 1024;

export type Row = readonly unknown[];
export type Decode = (reader: AvroReader) => unknown;

export interface Container<Rows = Row[]> {
  schema: AvroRecord;
  metadata: ReadonlyMap<string, string>;
  rows: Rows;
}

/** `location` is for the message when the file is damaged. */
export function decodeContainer(bytes: Uint8Array, location: string): Container {
  const { rows, ...rest } = openContainer(bytes, location);
  return { ...rest, rows: [...rows] };
}

/** Rows as they are asked for, so that one that nobody keeps takes no memory; each time they are decoded anew. */
export function openContainer(bytes: Uint8Array, location: string): Container<Iterable<Row>> {
  return orDamaged(location, () => {
    const { schema, metadata, rows } = opened(bytes);
    return {
      schema,
      metadata,
      rows: {
        *[Symbol.iterator]() {
          const iterator = rows();
          for (;;) {
            const next = orDamaged(location, () => iterator.next());
            if (next.done) return;
            yield next.value;
          }
        },
      },
    };
  });
}

function orDamaged<T>(location: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot read the Avro file ${location}`, {
      code: 'lake.avro_damaged',
      fault: 'service',
      why: error instanceof Error ? error.message : String(error),
      hint: 'compare its length with the manifest or list that names it; restore it or roll the table back',
      cause: error,
    });
  }
}

function opened(bytes: Uint8Array): Container<() => Generator<Row, void>> {
  const reader = new AvroReader(bytes);
  if (Buffer.from(reader.fixed(4)).toString('latin1') !== 'Obj\x01')
    throw new RangeError('it does not begin as one');
  const metadata = header(reader);
  const sync = reader.fixed(16);
  const unpack = codec(metadata.get('avro.codec') ?? 'null');
  const schema = JSON.parse(metadata.get('avro.schema') ?? 'null') as AvroRecord | null;
  if (schema?.type !== 'record') throw new RangeError('its schema is no record');

  const decodeRow = decoderOf(schema);
  const { at } = reader;
  function* rows(): Generator<Row, void> {
    const blocks = new AvroReader(bytes);
    blocks.at = at;
    while (!blocks.done) {
      const count = blocks.count();
      const block = new AvroReader(unpack(blocks.variable()));
      for (let i = 0; i < count; i++) yield decodeRow(block) as Row;
      if (!block.done) throw new RangeError('a block holds more than its rows');
      if (Buffer.compare(blocks.fixed(16), sync) !== 0)
        throw new RangeError('a block does not end where it should');
    }
  }
  return { schema, metadata, rows };
}

function header(reader: AvroReader): Map<string, string> {
  const metadata = new Map<string, string>();
  blocks(reader, () => {
    const key = reader.string();
    metadata.set(key, Buffer.from(reader.variable()).toString('utf8'));
  });
  return metadata;
}

function codec(name: string): (bytes: Uint8Array) => Uint8Array {
  const limit = { maxOutputLength: BLOCK_BYTES_MAX };
  if (name === 'null') return (bytes) => bytes;
  if (name === 'deflate') return (bytes) => inflateRawSync(bytes, limit);
  if (name === 'zstandard') return (bytes) => zstdDecompressSync(bytes, limit);
  throw new RangeError(`its codec ${name} is not supported; null, deflate and zstandard are`);
}

/** Arrays and maps come in blocks; a negative count is followed by the block's size. */
function blocks(reader: AvroReader, item: () => void): void {
  for (let count = reader.count(); count !== 0; count = reader.count()) {
    if (count < 0) reader.skipLong();
    for (let left = Math.abs(count); left > 0; left--) item();
  }
}

/** Records and fixed types met so far: Avro names a type that comes again instead of repeating it. */
type Names = Map<string, Decode>;

export function decoderOf(type: AvroType, names: Names = new Map()): Decode {
  if (typeof type === 'string') return names.get(type) ?? primitive(type);
  if (Array.isArray(type)) {
    const branches = (type as readonly AvroType[]).map((each) => decoderOf(each, names));
    return (reader) => branch(branches, reader)(reader);
  }
  const single = type as Exclude<AvroType, string | readonly AvroType[]>;
  if (single.type === 'record') return named(names, single.name, recordDecoder(single, names));
  if (single.type === 'array') return arrayDecoder(single, names);
  if (single.type === 'fixed') return named(names, single.name, (reader) => reader.fixed(single.size));
  if (single.type === 'map')
    throw new RangeError('it holds a map with string keys, which Iceberg does not use');
  return primitive(single.type);
}

function named(names: Names, name: string, decode: Decode): Decode {
  names.set(name, decode);
  return decode;
}

function branch<T>(branches: readonly T[], reader: AvroReader): T {
  const chosen = branches[reader.count()];
  if (chosen === undefined) throw new RangeError('it names a branch that its union does not have');
  return chosen;
}

function primitive(type: string): Decode {
  switch (type) {
    case 'null':
      return () => null;
    case 'boolean':
      return (reader) => reader.boolean();
    case 'int':
    case 'long':
      return (reader) => reader.long();
    case 'float':
      return (reader) => reader.float();
    case 'double':
      return (reader) => reader.double();
    case 'string':
      return (reader) => reader.string();
    case 'bytes':
      return (reader) => reader.variable();
    default:
      throw new RangeError(`it uses the type ${type}, which Iceberg does not`);
  }
}

function recordDecoder(record: AvroRecord, names: Names): Decode {
  const fields = record.fields.map((field) => decoderOf(field.type, names));
  return (reader) => {
    const row: unknown[] = new Array(fields.length);
    for (let i = 0; i < fields.length; i++) row[i] = fields[i]!(reader);
    return row;
  };
}

function arrayDecoder(array: AvroArray, names: Names): Decode {
  if (array.logicalType === 'map') return mapDecoder(array);
  const decodeItem = decoderOf(array.items, names);
  return (reader) => {
    const items: unknown[] = [];
    blocks(reader, () => items.push(decodeItem(reader)));
    return items;
  };
}

function mapDecoder(array: AvroArray): Decode {
  const entry = (array.items as AvroRecord).fields;
  const key = decoderOf(entry[0]!.type);
  const value = decoderOf(entry[1]!.type);
  const skipValue = skipperOf(entry[1]!.type);
  return (reader) => {
    const { bytes, at } = reader;
    blocks(reader, () => {
      reader.skipLong();
      skipValue(reader);
    });
    return new LazyMap<unknown>(() => {
      const again = new AvroReader(bytes);
      again.at = at;
      const map = new Map<number, unknown>();
      blocks(again, () => {
        const id = key(again) as number;
        map.set(id, value(again));
      });
      return map;
    });
  };
}

function skipperOf(type: AvroType): (reader: AvroReader) => void {
  if (type === 'long' || type === 'int') return (reader) => reader.skipLong();
  if (type === 'bytes' || type === 'string') return (reader) => reader.skip(reader.count());
  const decodeValue = decoderOf(type);
  return (reader) => void decodeValue(reader);
}
