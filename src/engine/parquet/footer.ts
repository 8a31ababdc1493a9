/**
 * A Parquet file's footer: where its row groups and columns lie, what their statistics say, and the same footer without
 * some of the row groups. A file that holds only some is then told so itself, and no reader has to leave out by its own
 * judgement exactly what was not fetched (DuckDB compares the first eight bytes of texts only).
 *
 * By hand, because a footer is cut here and not only read: hyparquet parses one into objects (and timestamps into
 * milliseconds), and cannot write one.
 */
import { isUtf8 } from 'node:buffer';
import type { Bound } from '../../lake/lake.ts';
import { CompactReader, TYPE } from './compact-reader.ts';

/** From, inclusive, to, exclusive. */
export interface ByteRange {
  from: number;
  to: number;
}

export interface ColumnChunk {
  /** Of the top-level column that it belongs to. */
  column: number;
  ranges: readonly ByteRange[];
  /** Only of plain columns of types whose statistics are read: text, int, long, double, timestamps in microseconds. */
  lower?: Bound;
  upper?: Bound;
}

export interface RowGroup {
  rows: number;
  chunks: readonly ColumnChunk[];
}

export interface Footer {
  /** Top-level columns in their order. */
  columns: readonly { name: string; id?: number }[];
  groups: readonly RowGroup[];
  /** The footer of a file that has only these row groups, with its length and the closing magic. */
  only(groups: readonly number[]): Uint8Array;
}

const MAGIC = Buffer.from('PAR1');
/** Behind the footer: its length and the magic. */
export const TRAILER_BYTES = 8;

/** Length of the footer, by a file's last eight bytes. Throws when they are none of a Parquet file. */
export function footerLength(trailer: Uint8Array): number {
  if (!MAGIC.equals(trailer.subarray(4))) throw new Error('not a Parquet file: no magic bytes at its end');
  return new DataView(trailer.buffer, trailer.byteOffset, trailer.byteLength).getUint32(0, true);
}

/** `at`: where it begins in the file, behind everything else. */
export function parseFooter(bytes: Uint8Array, at: number): Footer {
  const reader = new CompactReader(bytes);
  let schema: SchemaElement[] = [];
  let rowsAt: ByteRange | undefined;
  let listAt: ByteRange | undefined;
  let orders: readonly boolean[] = [];
  const groups: (RowGroup & ByteRange)[] = [];
  reader.struct((id, type) => {
    const from = reader.at;
    if (id === 2 && type === TYPE.list) schema = readSchema(reader);
    else if (id === 3 && type === TYPE.i64) {
      reader.skip(type);
      rowsAt = { from, to: reader.at };
    } else if (id === 4 && type === TYPE.list) {
      const leaves = leavesOf(schema);
      reader.list(() => {
        const place = reader.at;
        const group = readGroup(reader, { leaves, end: at });
        groups.push({ ...group, from: place, to: reader.at });
      });
      listAt = { from, to: reader.at };
    } else if (id === 7 && type === TYPE.list) orders = readOrders(reader);
    else return false;
    return true;
  });
  if (rowsAt === undefined || listAt === undefined) throw new Error('not the footer of a Parquet file');
  const places = { rows: rowsAt, list: listAt };
  return {
    columns: columnsOf(schema),
    groups: groups.map(({ rows, chunks }) => ({ rows, chunks: chunks.map(ordered(orders)) })),
    only: (kept) => cut(bytes, { ...places, groups: kept.map((i) => groups[i]!) }),
  };
}

interface SchemaElement {
  name: string;
  children: number;
  physical: number | undefined;
  id: number | undefined;
  /** What its bytes mean beside their physical type; undefined: nothing else. */
  meaning: 'text' | 'micros' | 'signed' | 'other' | undefined;
}

function readSchema(reader: CompactReader): SchemaElement[] {
  const elements: SchemaElement[] = [];
  reader.list(() => {
    const element: SchemaElement = {
      ...{ name: '', children: 0, physical: undefined, id: undefined, meaning: undefined },
    };
    reader.struct((id) => {
      if (id === 1) element.physical = reader.number();
      else if (id === 4) element.name = reader.text();
      else if (id === 5) element.children = reader.number();
      else if (id === 6) element.meaning ??= CONVERTED[reader.number()] ?? 'other';
      else if (id === 9) element.id = reader.number();
      else if (id === 10) element.meaning = readLogicalType(reader);
      else return false;
      return true;
    });
    elements.push(element);
  });
  return elements;
}

/** Of ConvertedType: UTF8, ENUM and JSON, TIMESTAMP_MICROS, the signed integers. */
const CONVERTED: Readonly<Record<number, SchemaElement['meaning']>> = {
  ...{ 0: 'text', 4: 'text', 19: 'text', 10: 'micros' },
  ...{ 15: 'signed', 16: 'signed', 17: 'signed', 18: 'signed' },
};

/** Of LogicalType: STRING, ENUM and JSON; TIMESTAMP with its unit; INTEGER with its sign. */
function readLogicalType(reader: CompactReader): SchemaElement['meaning'] {
  let meaning: SchemaElement['meaning'] = 'other';
  reader.struct((id) => {
    if (id === 1 || id === 4 || id === 12) meaning = 'text';
    if (id !== 8 && id !== 10) return false;
    reader.struct((part, type) => {
      if (id === 10 && part === 2 && type === TYPE.true) meaning = 'signed';
      if (id === 10 || part !== 2) return false;
      reader.struct((unit) => {
        if (unit === 2) meaning = 'micros';
        return false;
      });
      return true;
    });
    return true;
  });
  return meaning;
}

interface Leaf {
  column: number;
  /** Statistics leave out NaN, which the engine takes for greater than everything: there is no upper bound. */
  floating: boolean;
  /** How its statistics are read; undefined: not. */
  decode: ((bytes: Uint8Array) => Bound | undefined) | undefined;
}

/** By leaf, whether its values have the order of their type (TypeDefinedOrder), in which bounds are compared here. */
function readOrders(reader: CompactReader): boolean[] {
  const orders: boolean[] = [];
  reader.list(() => {
    let isOfType = false;
    reader.struct((id) => {
      isOfType = id === 1;
      return false;
    });
    orders.push(isOfType);
  });
  return orders;
}

/** The format leaves undefined what bounds mean where a file does not say the order: they are not believed. */
const ordered =
  (orders: readonly boolean[]) =>
  (chunk: ColumnChunk, leaf: number): ColumnChunk =>
    orders[leaf] === true ? chunk : { column: chunk.column, ranges: chunk.ranges };

/** The leaves in schema order, which is the order of the column chunks in every row group. */
function leavesOf([root, ...elements]: readonly SchemaElement[]): Leaf[] {
  const leaves: Leaf[] = [];
  let at = 0;
  const walk = (column: number, nested: boolean) => {
    const element = elements[at++]!;
    if (element.children === 0) {
      leaves.push({
        column,
        floating: element.physical === 5,
        decode: nested ? undefined : decoderOf(element),
      });
    }
    for (let i = 0; i < element.children; i++) walk(column, true);
  };
  for (let column = 0; column < (root?.children ?? 0); column++) walk(column, false);
  return leaves;
}

function columnsOf([root, ...elements]: readonly SchemaElement[]): { name: string; id?: number }[] {
  const columns: { name: string; id?: number }[] = [];
  let at = 0;
  const skip = (count: number) => {
    for (let i = 0; i < count; i++) skip(elements[at++]!.children);
  };
  for (let i = 0; i < (root?.children ?? 0); i++) {
    const { name, id, children } = elements[at++]!;
    columns.push({ name, ...(id !== undefined && { id }) });
    skip(children);
  }
  return columns;
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function decoderOf({ physical, meaning }: SchemaElement): Leaf['decode'] {
  const isInteger = meaning === undefined || meaning === 'signed';
  if (physical === 1 && isInteger) {
    return (bytes) => (bytes.length === 4 ? view(bytes).getInt32(0, true) : undefined);
  }
  if (physical === 2 && (isInteger || meaning === 'micros')) {
    return (bytes) => (bytes.length === 8 ? view(bytes).getBigInt64(0, true) : undefined);
  }
  if (physical === 5 && meaning === undefined) return double;
  if (physical === 6 && meaning === 'text') return text;
  return undefined;
}

/** A bound that was cut off inside a character is none: what it would be read as has another place in the order. */
function text(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : undefined;
}

function double(bytes: Uint8Array): number | undefined {
  const value = bytes.length === 8 ? view(bytes).getFloat64(0, true) : Number.NaN;
  return Number.isNaN(value) ? undefined : value;
}

interface Groups {
  leaves: readonly Leaf[];
  /** Where the footer begins in the file: no page lies behind it. */
  end: number;
}

function readGroup(reader: CompactReader, { leaves, end }: Groups): RowGroup {
  let rows = 0;
  const chunks: ColumnChunk[] = [];
  reader.struct((id) => {
    if (id === 3) rows = reader.number();
    else if (id === 1) reader.list((_, i) => chunks.push(readChunk(reader, { leaf: leaves[i], end })));
    else return false;
    return true;
  });
  return { rows, chunks };
}

function readChunk(
  reader: CompactReader,
  { leaf, end }: { leaf: Leaf | undefined; end: number },
): ColumnChunk {
  if (leaf === undefined)
    throw new Error('not the footer of a Parquet file: more columns than its schema has');
  const facts = new Map<number, number>();
  let statistics: Pick<ColumnChunk, 'lower' | 'upper'> = {};
  reader.struct((id) => {
    if (id !== 3) return false;
    reader.struct((part, type) => {
      if (part === 12) statistics = readStatistics(reader, leaf);
      else if (type === TYPE.i32 || type === TYPE.i64) facts.set(part, reader.number());
      else return false;
      return true;
    });
    return true;
  });
  return { column: leaf.column, ranges: rangesOf(facts, end), ...statistics };
}

/** What a bloom filter whose length is not said takes at most. */
const MOST_BLOOM_BYTES = 1024 * 1024;

/** Pages from the first, data or dictionary, and the bloom filter, which the engine may ask before the pages. */
function rangesOf(facts: ReadonlyMap<number, number>, end: number): ByteRange[] {
  const [data, dictionary = 0, bytes, bloom] = [9, 11, 7, 14].map((id) => facts.get(id));
  if (data === undefined || bytes === undefined) {
    throw new Error('not the footer of a Parquet file: a column without a place');
  }
  const from = dictionary > 0 ? Math.min(data, dictionary) : data;
  const pages = { from, to: from + bytes };
  if (pages.from < 0 || pages.to > end) {
    throw new Error('not the footer of a Parquet file: a column lies outside the file');
  }
  if (bloom === undefined) return [pages];
  return [pages, { from: bloom, to: Math.min(end, bloom + (facts.get(15) ?? MOST_BLOOM_BYTES)) }];
}

/** min_value and max_value; the older min and max have no order that can be relied on. */
function readStatistics(
  reader: CompactReader,
  { decode, floating }: Leaf,
): Pick<ColumnChunk, 'lower' | 'upper'> {
  const found: { lower?: Bound; upper?: Bound } = {};
  reader.struct((id) => {
    if (id !== 5 && id !== 6) return false;
    const bytes = reader.binary();
    const value = decode?.(bytes);
    if (value === undefined || (floating && id === 5)) return true;
    if (id === 5) found.upper = value;
    else found.lower = value;
    return true;
  });
  return found;
}

/** The bytes as they are, but for the number of rows and the list of row groups. */
function cut(
  bytes: Uint8Array,
  { rows, list, groups }: { rows: ByteRange; list: ByteRange; groups: readonly (RowGroup & ByteRange)[] },
): Uint8Array {
  const count = groups.reduce((sum, group) => sum + group.rows, 0);
  const size =
    groups.length < 15
      ? [(groups.length << 4) | TYPE.struct]
      : [0xf0 | TYPE.struct, ...varint(groups.length)];
  const parts = [
    { at: rows, by: [Uint8Array.from(varint(count * 2))] },
    { at: list, by: [Uint8Array.from(size), ...groups.map(({ from, to }) => bytes.subarray(from, to))] },
  ].sort((a, b) => a.at.from - b.at.from);
  const footer = Buffer.concat([
    bytes.subarray(0, parts[0]!.at.from),
    ...parts[0]!.by,
    bytes.subarray(parts[0]!.at.to, parts[1]!.at.from),
    ...parts[1]!.by,
    bytes.subarray(parts[1]!.at.to),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([footer, length, MAGIC]);
}

function varint(value: number): number[] {
  const out: number[] = [];
  let left = BigInt(value);
  for (; left >= 128n; left >>= 7n) out.push(Number(left & 127n) | 128);
  out.push(Number(left));
  return out;
}
