/** Thrift's compact protocol, as far as Parquet headers and footers need it. */
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

export const ELEMENT = { i32: I32, binary: BINARY, struct: STRUCT } as const;

export class ThriftWriter {
  readonly #out: number[] = [];
  readonly #outer: number[] = [];
  #last = 0;

  i32(id: number, value: number): this {
    return this.#field(id, I32).varint(value * 2);
  }

  i64(id: number, value: number): this {
    return this.#field(id, I64).varint(value * 2);
  }

  text(id: number, value: string): this {
    return this.#field(id, BINARY).element(value);
  }

  list(id: number, element: number, size: number): this {
    this.#field(id, LIST);
    if (size < 15) this.#out.push((size << 4) | element);
    else {
      this.#out.push(0xf0 | element);
      this.varint(size);
    }
    return this;
  }

  /** A field of struct type, or without an id the document itself or an element of a list. */
  struct(id?: number): this {
    if (id !== undefined) this.#field(id, STRUCT);
    this.#outer.push(this.#last);
    this.#last = 0;
    return this;
  }

  end(): this {
    this.#out.push(0);
    this.#last = this.#outer.pop() ?? 0;
    return this;
  }

  /** Text as an element of a list. */
  element(text: string): this {
    const bytes = Buffer.from(text);
    this.varint(bytes.length);
    for (const byte of bytes) this.#out.push(byte);
    return this;
  }

  /** Unsigned; signed values are doubled by the caller (zigzag of what is never negative). */
  varint(value: number): this {
    let rest = value;
    while (rest > 127) {
      this.#out.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#out.push(rest);
    return this;
  }

  bytes(): Buffer {
    return Buffer.from(this.#out);
  }

  #field(id: number, type: number): this {
    const step = id - this.#last;
    if (step > 0 && step < 16) this.#out.push((step << 4) | type);
    else {
      this.#out.push(type);
      this.varint(id * 2);
    }
    this.#last = id;
    return this;
  }
}
