import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

const names = ['commit.maxAge', 'commit.maxRows', 'dedupe.watermark', 'dir'];

test.each([
  ['commit.maxage', 'commit.maxAge'],
  ['comit.maxRow', 'commit.maxRows'],
  ['dedup.watermark', 'dedupe.watermark'],
  ['dri', 'dir'],
])('for %s it names %s', (given, meant) => {
  expect(nearest(given, names)).toBe(meant);
});

test('it names nothing when nothing is near', () => {
  expect(nearest('colour', names)).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});
