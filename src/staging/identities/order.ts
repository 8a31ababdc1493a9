/** The order of a run: by hash, which spreads over all of 32 bits, and keys with equal hashes by themselves. */
import { copyKey, hashAt } from '../../event/event.ts';

/** A sort key is the hash and the place in one number, 53 bits: sorted without an object or a comparison of ours. */
const MOST_SORTED = 2 ** 21;

/** Order of two keys with equal hashes. */
export function compareKeys(a: Uint32Array, i: number, b: Uint32Array, j: number): number {
  for (let word = 0; word < 4; word++) {
    const [left, right] = [a[(i << 2) + word]!, b[(j << 2) + word]!];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Where each of the keys stands, and its hash, in the order of the hashes; past 2,097,152 keys piece by piece. */
export function byHash(keys: Uint32Array, count: number): { places: Uint32Array; hashes: Uint32Array } {
  const [places, hashes] = [new Uint32Array(count), new Uint32Array(count)];
  for (let from = 0; from < count; from += MOST_SORTED) {
    const piece = new Float64Array(Math.min(MOST_SORTED, count - from));
    for (let i = 0; i < piece.length; i++) piece[i] = hashAt(keys, from + i) * MOST_SORTED + i;
    piece.sort();
    for (let i = 0; i < piece.length; i++) {
      const hash = Math.floor(piece[i]! / MOST_SORTED);
      hashes[from + i] = hash;
      places[from + i] = from + piece[i]! - hash * MOST_SORTED;
    }
  }
  return { places, hashes };
}

/** The keys in the order of a run, each once. At most 2,097,152 of them. */
export function sorted(keys: Uint32Array): Uint32Array {
  const count = keys.length >>> 2;
  if (count > MOST_SORTED) throw new RangeError('too many keys to sort at once');
  const { places, hashes } = byHash(keys, count);
  const out = new Uint32Array(keys.length);
  let length = 0;
  for (let first = 0; first < count; ) {
    let last = first + 1;
    while (last < count && hashes[last] === hashes[first]) last++;
    // Nearly always one: no view and no iterator is made for it.
    if (last - first > 1) places.subarray(first, last).sort((i, j) => compareKeys(keys, i, keys, j));
    for (let i = first; i < last; i++) {
      if (i > first && compareKeys(keys, places[i]!, keys, places[i - 1]!) === 0) continue;
      copyKey(keys, places[i]!, out, length++);
    }
    first = last;
  }
  return out.subarray(0, length << 2);
}
