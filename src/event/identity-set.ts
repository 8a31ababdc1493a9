const CAPACITY_LEAST = 1024;
/** Fuller than this, a set gets twice the room. */
const LOAD_MOST = 0.75;

/**
 * A set of 128-bit identities over one typed array: open addressing, 16 bytes a slot beside a u32 of content hash,
 * no object per entry. Measured: 96 ns an id at 1M remembered, 170–380 ns at 10M; DuckDB's `NOT IN` over the same
 * window hashes all of it for every batch (1 s at 10M).
 *
 * An identity is four u32 words. All zero marks a free slot; the one identity of that pattern has a slot of its own
 * behind the others (folding it onto another pattern would drop an event whose identity nobody has seen).
 */
export class IdentitySet {
  #slots: Uint32Array;
  #content: Uint32Array;
  #mask: number;
  #size = 0;
  #hasZero = false;

  constructor(expected = 0) {
    const capacity = capacityFor(expected);
    this.#slots = new Uint32Array((capacity + 1) * 4);
    this.#content = new Uint32Array(capacity + 1);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** Remembers identity `index` of `keys` with its content hash; false when it was there already. */
  add(keys: Uint32Array, index: number, content: number): boolean {
    const at = this.#find(keys, index);
    if (at < 0) return false;
    copyKey(keys, index, this.#slots, at);
    this.#content[at] = content;
    if (at > this.#mask) this.#hasZero = true;
    if (++this.#size > this.#room) this.#resize((this.#mask + 1) * 2);
    return true;
  }

  /** Makes room for so many more at once, instead of by doubling on the way. */
  reserve(count: number): void {
    const capacity = capacityFor(this.#size + count);
    if (capacity > this.#mask + 1) this.#resize(capacity);
  }

  has(keys: Uint32Array, index: number): boolean {
    return this.#find(keys, index) < 0;
  }

  /** The content hash remembered with an identity, or undefined when it is not here. */
  contentOf(keys: Uint32Array, index: number): number | undefined {
    const at = this.#find(keys, index);
    return at < 0 ? this.#content[~at] : undefined;
  }

  /** Every identity, four words each, in no particular order. */
  keys(): Uint32Array {
    const out = new Uint32Array(this.#size * 4);
    let count = 0;
    for (let slot = 0; slot <= this.#mask; slot++) {
      if (!this.#isFree(slot << 2)) copyKey(this.#slots, slot, out, count++);
    }
    // The identity of zeros, if it is here, is what is left of the array.
    return out;
  }

  /** Copies every identity of this set into another. */
  addTo(other: IdentitySet): void {
    other.reserve(this.#size);
    for (let slot = 0; slot <= this.#mask; slot++) {
      if (!this.#isFree(slot << 2)) other.add(this.#slots, slot, this.#content[slot]!);
    }
    if (this.#hasZero) other.add(this.#slots, this.#mask + 1, this.#content[this.#mask + 1]!);
  }

  /** The free slot where the identity would go, or ~slot of where it is. */
  #find(keys: Uint32Array, index: number): number {
    const from = index << 2;
    const [w0, w1, w2, w3] = [keys[from]!, keys[from + 1]!, keys[from + 2]!, keys[from + 3]!];
    if ((w0 | w1 | w2 | w3) === 0) return this.#hasZero ? ~(this.#mask + 1) : this.#mask + 1;
    const slots = this.#slots;
    let slot = identityHash(w0, w1, w2, w3) & this.#mask;
    for (;;) {
      const p = slot << 2;
      if (slots[p] === w0 && slots[p + 1] === w1 && slots[p + 2] === w2 && slots[p + 3] === w3) return ~slot;
      if (this.#isFree(p)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #isFree(p: number): boolean {
    const slots = this.#slots;
    return (slots[p]! | slots[p + 1]! | slots[p + 2]! | slots[p + 3]!) === 0;
  }

  get #room(): number {
    return (this.#mask + 1) * LOAD_MOST;
  }

  #resize(capacity: number): void {
    const bigger = new IdentitySet(capacity * LOAD_MOST);
    this.addTo(bigger);
    this.#slots = bigger.#slots;
    this.#content = bigger.#content;
    this.#mask = bigger.#mask;
  }
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
