/** Column values in Parquet's PLAIN encoding, in buffers that grow and are reused for every row group. */
/** Up to here a loop is faster than Buffer.copy, which makes a view of its source first. */
const SHORT_BYTES = 64;

export class BytesColumn {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity_bytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity_bytes);
  }

  get length(): number {
    return this.#length;
  }

  latin1(text: string): void {
    this.#reserve(text.length);
    this.#seal(this.#buffer.write(text, this.#length + 4, 'latin1'));
  }

  /** Decodes straight into the column. Node's decoder is lenient: what is no base64 gives fewer bytes, never throws. */
  base64(text: string): number {
    this.#reserve(((text.length * 3) >> 2) + 3);
    return this.#seal(this.#buffer.write(text, this.#length + 4, 'base64'));
  }

  /** A copy of some of the bytes. */
  part({ bytes, start, end }: { bytes: Buffer; start: number; end: number }): number {
    this.#reserve(end - start);
    if (end - start > SHORT_BYTES) return this.#seal(bytes.copy(this.#buffer, this.#length + 4, start, end));
    for (let from = start, to = this.#length + 4; from < end; ) this.#buffer[to++] = bytes[from++]!;
    return this.#seal(end - start);
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Puts the length in front of a value that was written behind its place. */
  #seal(length: number): number {
    this.#buffer.writeUInt32LE(length, this.#length);
    this.#length += 4 + length;
    return length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes + 4;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, needed));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Fixed-width values, at most `capacity` of them. */
export class NumbersColumn<A extends Int32Array | BigInt64Array> {
  readonly #values: A;
  #count = 0;

  constructor(values: A) {
    this.#values = values;
  }

  push(value: A[number]): void {
    this.#values[this.#count++] = value;
  }

  bytes(): Buffer {
    return Buffer.from(this.#values.buffer, 0, this.#count * this.#values.BYTES_PER_ELEMENT);
  }

  clear(): void {
    this.#count = 0;
  }
}
