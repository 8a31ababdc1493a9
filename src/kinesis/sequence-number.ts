/**
 * Sequence numbers are 186-bit integers printed as 56 decimal digits, so that inside one version text order is number
 * order; other endpoints hand out shorter ones, so comparing is always by integer. Layout of version 2, 47 hex digits
 * (recorded by kinesalite's author against production, checked on a real record):
 * constant 2 (4 bits) · shard creation, epoch s (36) · low nibble of the shard index (4) · sequence index (64) ·
 * zero (8) · put time, epoch s (36) · shard index (32) · version 2 (4).
 * The index stands above the put time: order never depends on a clock.
 */
export interface SequenceParts {
  shardCreatedAt_s: number;
  shardIndex: number;
  /** The top bit is 0. */
  index: bigint;
  putAt_s: number;
}

/** The index of a closed shard's EndingSequenceNumber: above that of every record. */
export const SEQUENCE_INDEX_MAX = (1n << 63n) - 1n;

const SECONDS_MASK = (1n << 36n) - 1n;
const INDEX_SHIFT = 80n;

export function formatSequenceNumber({
  shardCreatedAt_s,
  shardIndex,
  index,
  putAt_s,
}: SequenceParts): string {
  const n =
    (2n << 184n) |
    (BigInt(shardCreatedAt_s) << 148n) |
    (BigInt(shardIndex & 15) << 144n) |
    (index << INDEX_SHIFT) |
    (BigInt(putAt_s) << 36n) |
    (BigInt(shardIndex) << 4n) |
    2n;
  return n.toString();
}

/** Undefined when the text is no version 2 number. */
export function parseSequenceNumber(text: string): SequenceParts | undefined {
  if (!/^[1-9]\d{55}$/.test(text)) return undefined;
  const n = BigInt(text);
  if (n >> 184n !== 2n || (n & 15n) !== 2n) return undefined;
  const index = (n >> INDEX_SHIFT) & ((1n << 64n) - 1n);
  if (index > SEQUENCE_INDEX_MAX) return undefined;
  const shardIndex = Number((n >> 4n) & ((1n << 32n) - 1n));
  return {
    shardCreatedAt_s: Number((n >> 148n) & SECONDS_MASK),
    index,
    putAt_s: Number((n >> 36n) & SECONDS_MASK),
    shardIndex,
  };
}

/** Negative, zero or positive, as integers. */
export function compareSequenceNumbers(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What the next index adds to a number, as digits, the lowest first. */
const STEP_DIGITS = Uint8Array.from([...(1n << INDEX_SHIFT).toString()].toReversed(), Number);
const ZERO = 0x30;

/**
 * The numbers of one shard, one after the other, as ASCII digits. Within a second the next one is a fixed figure
 * higher: adding that digit by digit takes 0.04 µs, printing a BigInt 0.2 µs, of 0.6 µs that a record takes in an answer.
 */
export class SequenceNumberSeries {
  readonly #shard: { shardCreatedAt_s: number; shardIndex: number };
  readonly #digits = Buffer.alloc(56);
  #index = -1;
  #putAt_s = -1;

  constructor(shard: { shardCreatedAt_s: number; shardIndex: number }) {
    this.#shard = shard;
  }

  text(index: number, putAt_ms: number): string {
    return this.digits(index, putAt_ms).toString('latin1');
  }

  /** Of the series, not of the caller: they change with the next number. */
  digits(index: number, putAt_ms: number): Buffer {
    const putAt_s = Math.floor(putAt_ms / 1000);
    if (index === this.#index + 1 && putAt_s === this.#putAt_s) this.#step();
    else if (index !== this.#index || putAt_s !== this.#putAt_s) {
      const number = formatSequenceNumber({ ...this.#shard, index: BigInt(index), putAt_s });
      this.#digits.write(number, 'latin1');
    }
    this.#index = index;
    this.#putAt_s = putAt_s;
    return this.#digits;
  }

  #step(): void {
    const digits = this.#digits;
    let carry = 0;
    let at = digits.length - 1;
    for (let i = 0; i < STEP_DIGITS.length || carry > 0; i++, at--) {
      let sum = digits[at]! - ZERO + carry + (STEP_DIGITS[i] ?? 0);
      carry = 0;
      if (sum > 9) {
        sum -= 10;
        carry = 1;
      }
      digits[at] = ZERO + sum;
    }
  }
}
