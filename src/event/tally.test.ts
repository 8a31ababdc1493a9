import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addTally, emptyTally, type Tally, tallyBalances } from './tally.ts';

const figures = Object.keys(emptyTally) as (keyof Tally)[];
const tally: fc.Arbitrary<Tally> = fc
  .tuple(...figures.map(() => fc.nat()))
  .map((values) => Object.fromEntries(figures.map((name, i) => [name, values[i]])) as unknown as Tally);

describe('a ledger', () => {
  test('adds figure by figure, in any order, and leaves its summands alone', () => {
    fc.assert(
      fc.property(tally, tally, tally, (a, b, c) => {
        const before = structuredClone([a, b, c]);
        const sum = addTally(addTally(a, b), c);
        for (const name of figures) expect(sum[name]).toBe(a[name] + b[name] + c[name]);
        expect(addTally(a, addTally(c, b))).toEqual(sum);
        expect([a, b, c]).toEqual(before);
      }),
    );
  });

  test('takes a figure that is left out for zero', () => {
    expect(addTally({ ...emptyTally, received: 3 }, { written: 2 })).toEqual({
      ...emptyTally,
      received: 3,
      written: 2,
    });
    expect(addTally(emptyTally, {})).toEqual(emptyTally);
  });

  test('balances when everything received was written, dropped as a repeat, or quarantined', () => {
    const balanced = { ...emptyTally, received: 10, written: 6, duplicate: 3, quarantined: 1 };
    expect(tallyBalances(balanced)).toBe(true);
    expect(tallyBalances({ ...balanced, conflicting: 2, late: 1, foreign: 5, removed: 4 })).toBe(true);
    for (const name of ['received', 'written', 'duplicate', 'quarantined'] as const) {
      expect(tallyBalances({ ...balanced, [name]: balanced[name] + 1 })).toBe(false);
    }
  });

  test('stays balanced when balanced ones are added', () => {
    const balanced = fc.tuple(fc.nat(), fc.nat(), fc.nat()).map(([written, duplicate, quarantined]) => ({
      ...emptyTally,
      ...{ written, duplicate, quarantined, received: written + duplicate + quarantined },
    }));
    fc.assert(fc.property(balanced, balanced, (a, b) => tallyBalances(addTally(a, b))));
  });
});
