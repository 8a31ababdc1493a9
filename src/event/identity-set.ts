const CAPACITY_LEAST = 1024;
/** Fuller than this, a set gets twice the room. */
const LOAD_MOST = 0.75;

/**
 * A set of 128-bit identities over typed arrays, no object per entry: open addressing, 16 bytes a slot beside a u32 of
 * content hash and a byte of the identity's own hash. Most identities that are asked for are not there, and that byte
 * alone says so nearly always: it is 16 times as dense as the identities, so that it mostly is in the processor's cache
 * where they are not (the idea of Abseil's Swiss tables, a byte at a time). DuckDB's `NOT IN` over the same window
 * hashes all of it for every batch (1 s at 10M).
 *
 * An identity is four u32 words; any pattern is one.
 */
export class IdentitySet {
  /** Of a slot: 0 where it is free. */
  #tags: Uint8Array;
  #slots: Uint32Array;
  #content: Uint32Array;
  #mask: number;
  #size = 0;

  constructor(expected = 0) {
    const capacity = capacityFor(expected);
    this.#tags = new Uint8Array(capacity);
    this.#slots = new Uint32Array(capacity * 4);
    this.#content = new Uint32Array(capacity);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Remembers identity `index` of `keys` with its content hash; false when it was there already. Here and below `hash` is
   * for those who ask several sets for one identity.
   */
  add(keys: Uint32Array, index: number, content: number, hash = hashAt(keys, index)): boolean {
    const at = this.#find(keys, index, hash);
    if (at < 0) return false;
    this.#tags[at] = tagOf(hash);
    copyKey(keys, index, this.#slots, at);
    this.#content[at] = content;
    if (++this.#size > this.#room) this.#resize((this.#mask + 1) * 2);
    return true;
  }

  /** Makes room for so many more at once, instead of by doubling on the way. */
  reserve(count: number): void {
    const capacity = capacityFor(this.#size + count);
    if (capacity > this.#mask + 1) this.#resize(capacity);
  }

  has(keys: Uint32Array, index: number): boolean {
    return this.#find(keys, index, hashAt(keys, index)) < 0;
  }

  /** The content hash remembered with an identity, or undefined when it is not here. */
  contentOf(keys: Uint32Array, index: number, hash = hashAt(keys, index)): number | undefined {
    const at = this.#find(keys, index, hash);
    return at < 0 ? this.#content[~at] : undefined;
  }

  /** Every identity, four words each, in no particular order. */
  keys(): Uint32Array {
    const out = new Uint32Array(this.#size * 4);
    let count = 0;
    for (let slot = 0; slot <= this.#mask; slot++) {
      if (this.#tags[slot] !== 0) copyKey(this.#slots, slot, out, count++);
    }
    return out;
  }

  /** Copies every identity of this set into another. */
  addTo(other: IdentitySet): void {
    other.reserve(this.#size);
    for (let slot = 0; slot <= this.#mask; slot++) {
      if (this.#tags[slot] !== 0) other.add(this.#slots, slot, this.#content[slot]!);
    }
  }

  /** The free slot where the identity would go, or ~slot of where it is. */
  #find(keys: Uint32Array, index: number, hash: number): number {
    const tag = tagOf(hash);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const found = this.#tags[slot];
      if (found === 0) return slot;
      if (found === tag && isSame(keys, index, this.#slots, slot)) return ~slot;
    }
  }

  get #room(): number {
    return (this.#mask + 1) * LOAD_MOST;
  }

  #resize(capacity: number): void {
    const bigger = new IdentitySet(capacity * LOAD_MOST);
    this.addTo(bigger);
    this.#tags = bigger.#tags;
    this.#slots = bigger.#slots;
    this.#content = bigger.#content;
    this.#mask = bigger.#mask;
  }
}

/** Of the bits by which sets of up to 16 million slots do not choose a slot; in larger ones it tells fewer apart. */
function tagOf(hash: number): number {
  return hash >>> 24 || 1;
}

/** `identityHash` of an identity among others, as a u32. */
export function hashAt(keys: Uint32Array, index: number): number {
  const at = index << 2;
  return identityHash(keys[at]!, keys[at + 1]!, keys[at + 2]!, keys[at + 3]!) >>> 0;
}

function isSame(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  const [p, q] = [i << 2, j << 2];
  return a[p] === b[q] && a[p + 1] === b[q + 1] && a[p + 2] === b[q + 2] && a[p + 3] === b[q + 3];
}

function capacityFor(expected: number): number {
  let capacity = CAPACITY_LEAST;
  while (capacity * LOAD_MOST < expected) capacity *= 2;
  return capacity;
}

/** Word by word: `set` of a `subarray` would make an object for every identity. */
export function copyKey(from: Uint32Array, index: number, to: Uint32Array, at: number): void {
  const [f, t] = [index << 2, at << 2];
  to[t] = from[f]!;
  to[t + 1] = from[f + 1]!;
  to[t + 2] = from[f + 2]!;
  to[t + 3] = from[f + 3]!;
}

/** Mixes all four words of an identity, so that counters and time-ordered UUIDs spread as well as random ones. */
export function identityHash(w0: number, w1: number, w2: number, w3: number): number {
  let rest = Math.imul(w1, 0xcc9e2d51) ^ Math.imul(w2, 0x1b873593) ^ w3;
  rest ^= rest >>> 15;
  rest = Math.imul(rest, 0x2c1b3c6d);
  let h = w0 ^ rest ^ (rest >>> 12);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
