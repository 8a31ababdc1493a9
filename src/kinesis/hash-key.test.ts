import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evenHashKeyRanges, HASH_KEY_MAX, hashKeyOf } from './hash-key.ts';

// From RFC 1321's test suite, read as big-endian integers; the last one is beyond ASCII.
test.each([
  ['a', 0x0cc175b9c0f1b6a831c399e269772661n],
  ['abc', 0x900150983cd24fb0d6963f7d28e17f72n],
  ['message digest', 0xf96b697d7cb7938d525a2f31aaf161d0n],
  ['ü', 0xc03410a5204b21cd8229ff754688d743n],
])('the hash key of %s is the MD5 of its UTF-8 bytes', (key, hashKey) => {
  expect(hashKeyOf(key)).toBe(hashKey);
});

test('two shards share the keys as on the service', () => {
  expect(evenHashKeyRanges(2)).toEqual([
    { start: 0n, end: 170141183460469231731687303715884105727n },
    { start: 170141183460469231731687303715884105728n, end: 340282366920938463463374607431768211455n },
  ]);
});

test('the ranges cover every key once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), (shards) => {
      const ranges = evenHashKeyRanges(shards);
      expect(ranges).toHaveLength(shards);
      expect(ranges[0]!.start).toBe(0n);
      expect(ranges.at(-1)!.end).toBe(HASH_KEY_MAX);
      for (let i = 1; i < shards; i++) expect(ranges[i]!.start).toBe(ranges[i - 1]!.end + 1n);
    }),
  );
});
