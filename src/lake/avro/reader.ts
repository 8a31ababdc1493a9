/** Avro's binary primitives, read from bytes. Every length is checked against what is left. */
export class AvroReader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  boolean(): boolean {
    return this.#byte() === 1;
  }

  /** A number when it is exact, else a bigint. */
  long(): number | bigint {
    const start = this.at;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low & 1 ? -(low >>> 1) - 1 : low >>> 1;
    }
    this.at = start;
    return this.#large();
  }

  /** A long that is used as a count or a size. */
  count(): number {
    const value = this.long();
    if (typeof value === 'bigint') throw new RangeError('a number beyond 2^53');
    return value;
  }

  float(): number {
    const at = this.#advance(4);
    return this.bytes.readFloatLE(at);
  }

  double(): number {
    const at = this.#advance(8);
    return this.bytes.readDoubleLE(at);
  }

  string(): string {
    const length = this.count();
    const at = this.#advance(length);
    return this.bytes.toString('utf8', at, at + length);
  }

  /** A view, not a copy. */
  variable(): Uint8Array {
    return this.fixed(this.count());
  }

  fixed(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.bytes.subarray(at, at + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  skipLong(): void {
    while (this.#byte() >= 0x80);
  }

  #large(): number | bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const signed = (value >> 1n) ^ -(value & 1n);
        const small = Number(signed);
        return Number.isSafeInteger(small) ? small : signed;
      }
    }
    throw new RangeError('a varint of more than 10 bytes');
  }

  #byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new RangeError('it ends in mid-value');
    this.at++;
    return byte;
  }

  #advance(length: number): number {
    const at = this.at;
    if (length < 0 || length > this.bytes.length - at) throw new RangeError('it ends in mid-value');
    this.at = at + length;
    return at;
  }
}
