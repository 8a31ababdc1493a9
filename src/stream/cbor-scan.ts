/** Walks over CBOR without making anything of it: where values stand, and numbers. */
import { decodeCbor } from '../kinesis/kinesis.ts';
import { BadBody } from './split.ts';

const UNSIGNED = 0;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const BREAK = 0xff;
/** Argument of what has no length in front: chunks or items until a break. */
const INDEFINITE = -1;
const DEPTH_MAX = 16;

export class CborScan {
  readonly bytes: Buffer;
  at = 0;
  /** Of the head read last. */
  #type = 0;
  #argument = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Calls for every member, with the place of its name; the callback moves behind the value. */
  members(member: (nameStart: number, nameEnd: number) => void): void {
    if (this.#head() !== MAP) throw new BadBody('no map where there should be one');
    for (let left = this.#argument; this.#more(left); left--) {
      if (this.#head() !== TEXT || this.#argument === INDEFINITE)
        throw new BadBody('a member without a name');
      const start = this.at;
      this.#pass(this.#argument);
      member(start, this.at);
    }
  }

  items(item: () => void): void {
    if (this.#head() !== ARRAY) throw new BadBody('no list where there should be one');
    for (let left = this.#argument; this.#more(left); left--) item();
  }

  /** Whether the next value is a text or a byte string in one piece; then `at` is its beginning. Returns its length. */
  string(type: 'text' | 'bytes'): number | undefined {
    const before = this.at;
    if (this.#head() === (type === 'text' ? TEXT : BYTES) && this.#argument !== INDEFINITE)
      return this.#argument;
    this.at = before;
    return undefined;
  }

  /** Passes over tags: a time is tagged as one. */
  number(): number {
    const before = this.at;
    while (this.#head() === TAG);
    if (this.#type === UNSIGNED) return this.#argument;
    this.at = before;
    const value = this.value();
    return typeof value === 'number' ? value : Number.NaN;
  }

  /** Makes the value; for what there are few of. */
  value(): unknown {
    const start = this.at;
    this.skip();
    return decodeCbor(this.bytes.subarray(start, this.at));
  }

  skip(depth = 0): void {
    if (depth > DEPTH_MAX) throw new BadBody('nested too deeply');
    const type = this.#head();
    const argument = this.#argument;
    if (type === BYTES || type === TEXT) {
      if (argument !== INDEFINITE) this.#pass(argument);
      else while (this.#more(INDEFINITE)) this.skip(depth + 1);
    } else if (type === ARRAY || type === MAP) {
      const items = type === MAP && argument !== INDEFINITE ? 2 * argument : argument;
      for (let left = items; this.#more(left); left--) this.skip(depth + 1);
    } else if (type === TAG) this.skip(depth + 1);
  }

  /** Whether the bytes from `start` to `end` are these. */
  is(name: Uint8Array, { start, end }: { start: number; end: number }): boolean {
    if (end - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.bytes[start + i] !== name[i]) return false;
    return true;
  }

  #more(left: number): boolean {
    if (left >= 0) return left > 0;
    if (this.bytes[this.at] !== BREAK) return true;
    this.at++;
    return false;
  }

  #pass(length: number): void {
    this.at += length;
    if (this.at > this.bytes.length) throw new BadBody('the bytes end too early');
  }

  #head(): number {
    const first = this.bytes[this.at];
    if (first === undefined) throw new BadBody('the bytes end too early');
    this.at++;
    this.#type = first >> 5;
    const info = first & 31;
    if (info < 24) this.#argument = info;
    else if (info === 31) this.#argument = INDEFINITE;
    else this.#argument = this.#wide(1 << (info - 24));
    return this.#type;
  }

  #wide(width: number): number {
    if (width > 8) throw new BadBody('a length that cannot be');
    const start = this.at;
    this.#pass(width);
    let value = 0;
    for (let i = start; i < this.at; i++) value = value * 256 + this.bytes[i]!;
    return value;
  }
}
