/** Reads Thrift's compact protocol where it lies: a footer is walked over, and what is wanted of it keeps its place. */

export const TYPE = {
  true: 1,
  false: 2,
  i32: 5,
  i64: 6,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

const MOST_NESTING = 32;

export class CompactReader {
  readonly bytes: Uint8Array;
  at: number;
  #depth = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Calls `field` for each field of a struct; a field that it does not read (false) is walked over. */
  struct(field: (id: number, type: number) => boolean): void {
    if (++this.#depth > MOST_NESTING) throw malformed('nested too deeply');
    for (let last = 0; ; ) {
      const header = this.#byte();
      if (header === 0) break;
      const type = header & 15;
      const delta = header >> 4;
      last = delta === 0 ? Number(this.zigzag()) : last + delta;
      if (!field(last, type)) this.skip(type);
    }
    this.#depth--;
  }

  /** Calls `element` for each element of a list, which must read it. */
  list(element: (type: number, index: number) => void): void {
    const header = this.#byte();
    const size = header >> 4 === 15 ? Number(this.#varint()) : header >> 4;
    // Every element takes a byte at least: a size beyond that is damage, and would keep us busy for long.
    if (size > this.bytes.length - this.at) throw malformed('a list is longer than the footer');
    for (let i = 0; i < size; i++) element(header & 15, i);
  }

  zigzag(): bigint {
    const value = this.#varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  /** For what is a number in every file that exists: offsets, lengths, counts. */
  number(): number {
    const value = Number(this.zigzag());
    if (!Number.isSafeInteger(value)) throw malformed('a number is out of range');
    return value;
  }

  binary(): Uint8Array {
    const length = Number(this.#varint());
    if (length > this.bytes.length - this.at) throw malformed('a text is longer than the footer');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    return Buffer.from(this.binary()).toString('utf8');
  }

  skip(type: number): void {
    switch (type) {
      case TYPE.true:
      case TYPE.false:
        return;
      case 3:
        this.#byte();
        return;
      case 4:
      case TYPE.i32:
      case TYPE.i64:
        this.#varint();
        return;
      case 7:
        this.at += 8;
        return;
      case TYPE.binary:
        this.binary();
        return;
      case TYPE.list:
      case TYPE.set:
        // In a list a boolean is a byte; as a field it is its header.
        this.list((element) => (element <= 2 ? this.#byte() : this.skip(element)));
        return;
      case TYPE.struct:
        this.struct(() => false);
        return;
      default:
        throw malformed(`there is a value of type ${type}`);
    }
  }

  #byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw malformed('it ends too early');
    return byte;
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw malformed('a number has no end');
  }
}

const malformed = (why: string) => new Error(`not the footer of a Parquet file: ${why}`);
