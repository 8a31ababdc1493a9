import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardIdOf, shardIndexOf } from './shard-id.ts';

test('an id has the index in twelve digits', () => {
  expect(shardIdOf(7)).toBe('shardId-000000000007');
});

test('an id is read back, and so is the bare number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (index) => {
      expect(shardIndexOf(shardIdOf(index))).toBe(index);
      expect(shardIndexOf(String(index))).toBe(index);
    }),
  );
});

test.each(['', 'shardId-', 'shardId-x', 'shardId-000002147483648', '-'])('%s names no shard', (text) => {
  expect(shardIndexOf(text)).toBeUndefined();
});
