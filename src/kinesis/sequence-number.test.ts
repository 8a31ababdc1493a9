import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compareSequenceNumbers,
  formatSequenceNumber,
  parseSequenceNumber,
  SEQUENCE_INDEX_MAX,
  SequenceNumberSeries,
} from './sequence-number.ts';

const parts = fc.record({
  // 16025175000 s is where the service itself stops; below it a number has 56 digits.
  shardCreatedAt_s: fc.integer({ min: 0, max: 16_025_174_999 }),
  shardIndex: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  index: fc.bigInt({ min: 0n, max: SEQUENCE_INDEX_MAX }),
  putAt_s: fc.integer({ min: 0, max: 16_025_174_999 }),
});

test('a number says what it was made of', () => {
  fc.assert(
    fc.property(parts, (given) => {
      const text = formatSequenceNumber(given);
      expect(text).toMatch(/^[1-9]\d{55}$/);
      expect(parseSequenceNumber(text)).toEqual(given);
    }),
  );
});

// From the example answer of PutRecords in the service's API reference.
test.each([
  ['49543463076548007577105092703039560359975228518395019266', { shardIndex: 0, index: 5501n }],
  ['49543463076570308322303623326179887152428262250726293522', { shardIndex: 1, index: 5500n }],
])("the service's own number %s is read, and made again from its parts", (text, own) => {
  const parts = { shardCreatedAt_s: 1_411_403_981, putAt_s: 1_411_431_220, ...own };
  expect(parseSequenceNumber(text)).toEqual(parts);
  expect(formatSequenceNumber(parts)).toBe(text);
});

test('numbers of a shard are ordered by their index, whatever the clock did', () => {
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const inOneShard = { ...b, shardCreatedAt_s: a.shardCreatedAt_s, shardIndex: a.shardIndex };
      fc.pre(a.index !== b.index);
      const order = compareSequenceNumbers(formatSequenceNumber(a), formatSequenceNumber(inOneShard));
      expect(Math.sign(order)).toBe(a.index < b.index ? -1 : 1);
    }),
  );
});

test('comparing is by integer, also between numbers of different length', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 60n }), fc.bigInt({ min: 0n, max: 10n ** 60n }), (a, b) => {
      expect(Math.sign(compareSequenceNumbers(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});

test('a series gives the same numbers as formatting each', () => {
  fc.assert(
    fc.property(
      parts,
      fc.array(
        fc.tuple(fc.oneof(fc.nat(2 ** 31 - 1), fc.nat(2 ** 53 - 2)), fc.integer({ min: 0, max: 2e12 })),
        { maxLength: 20 },
      ),
      ({ shardCreatedAt_s, shardIndex }, puts) => {
        const shard = { shardCreatedAt_s, shardIndex };
        const series = new SequenceNumberSeries(shard);
        for (const [index, putAt_ms] of puts) {
          const one = { ...shard, index: BigInt(index), putAt_s: Math.floor(putAt_ms / 1000) };
          expect(series.text(index, putAt_ms)).toBe(formatSequenceNumber(one));
          const next = { ...one, index: one.index + 1n };
          expect(series.text(index + 1, putAt_ms)).toBe(formatSequenceNumber(next));
          expect(series.text(index + 1, putAt_ms)).toBe(formatSequenceNumber(next));
        }
      },
    ),
  );
});

test.each(['', '0', '-1', '1e3', '9'.repeat(56), '1'.repeat(56), `0${'4'.repeat(55)}`, 'x'])(
  '%s is no number of version 2',
  (text) => {
    expect(parseSequenceNumber(text)).toBeUndefined();
  },
);
