import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdentitySet } from './identity-set.ts';

type Words = readonly [number, number, number, number];

const keysOf = (identities: readonly Words[]) => Uint32Array.from(identities.flat());

/** Few values a word, so that identities repeat, differ in one word only, and are sometimes all zero. */
const word = fc.oneof(fc.constantFrom(0, 1, 2, 0x8000_0000, 0xffff_ffff), fc.nat(5));
const identity: fc.Arbitrary<Words> = fc.tuple(word, word, word, word);

describe('a set of identities', () => {
  test('says of every identity what a Set says, and keeps the first content', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(identity, fc.nat(9)), { maxLength: 200 }), (entries) => {
        const set = new IdentitySet(0);
        const model = new Map<string, number>();
        const keys = keysOf(entries.map(([id]) => id));
        for (const [i, [id, content]] of entries.entries()) {
          const known = model.get(id.join());
          expect(set.has(keys, i)).toBe(known !== undefined);
          expect(set.contentOf(keys, i)).toBe(known);
          expect(set.add(keys, i, content)).toBe(known === undefined);
          if (known === undefined) model.set(id.join(), content);
        }
        expect(set.size).toBe(model.size);
      }),
    );
  });

  test('keeps everything while it grows, whether identities count up or are random', () => {
    const count = 5_000;
    const countingUp = Array.from({ length: count }, (_, i): Words => [i, 0, 0, 0]);
    const spread = Array.from({ length: count }, (_, i): Words => [7, i, Math.imul(i, 0x9e3779b1) >>> 0, 1]);
    for (const identities of [countingUp, spread]) {
      const set = new IdentitySet();
      const keys = keysOf(identities);
      for (let i = 0; i < count; i++) expect(set.add(keys, i, i)).toBe(true);
      expect(set.size).toBe(count);
      for (let i = 0; i < count; i++) if (set.contentOf(keys, i) !== i) expect.unreachable(`lost ${i}`);
      expect(set.has(keysOf([[count, 9, 9, 9]]), 0)).toBe(false);
    }
  });

  test('loses nothing when room is made for more, and nothing that comes after', () => {
    const keys = keysOf(Array.from({ length: 3_000 }, (_, i): Words => [i, 1, 2, 3]));
    const set = new IdentitySet();
    for (let i = 0; i < 1_000; i++) set.add(keys, i, i);
    set.reserve(2_000);
    for (let i = 0; i < 1_000; i++) expect(set.add(keys, i, 99)).toBe(false);
    for (let i = 1_000; i < 3_000; i++) expect(set.add(keys, i, i)).toBe(true);
    for (let i = 0; i < 3_000; i++) if (set.contentOf(keys, i) !== i) expect.unreachable(`lost ${i}`);
  });

  test('tells the identity of zeros from all others, however alike', () => {
    const keys = keysOf([
      [0, 0, 0, 0],
      [0, 0, 0, 1],
      [1, 0, 0, 0],
    ]);
    const set = new IdentitySet();
    expect([0, 1, 2].map((i) => set.add(keys, i, 10 + i))).toEqual([true, true, true]);
    expect([0, 1, 2].map((i) => set.add(keys, i, 99))).toEqual([false, false, false]);
    expect([0, 1, 2].map((i) => set.contentOf(keys, i))).toEqual([10, 11, 12]);
  });

  test('is copied whole into another, the identity of zeros and contents with it', () => {
    fc.assert(
      fc.property(fc.array(identity, { maxLength: 100 }), fc.array(identity, { maxLength: 100 }), (a, b) => {
        const [from, to] = [new IdentitySet(), new IdentitySet()];
        const [keysA, keysB] = [keysOf(a), keysOf(b)];
        for (let i = 0; i < a.length; i++) from.add(keysA, i, 1);
        for (let i = 0; i < b.length; i++) to.add(keysB, i, 2);
        from.addTo(to);
        const before = new Set(b.map(String));
        expect(to.size).toBe(new Set([...a, ...b].map(String)).size);
        for (let i = 0; i < a.length; i++)
          expect(to.contentOf(keysA, i)).toBe(before.has(String(a[i])) ? 2 : 1);
      }),
    );
  });
});
