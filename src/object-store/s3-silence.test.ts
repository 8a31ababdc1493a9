import { expect, test } from 'vitest';
import { silenceOf } from './s3-silence.ts';

const LIMITS = {
  ...{ requests: 16, uploadMemory_bytes: 64e6, connect_ms: 5_000 },
  ...{ silence_ms: 30_000, attempt_ms: 300_000 },
};

test('an upload may be silent for what all that go up beside it take on a slow line', () => {
  const first = (bytes: number) => silenceOf({ bytes, attempt: 0 }, LIMITS);
  expect(first(0)).toBe(30_000);
  expect(first(100_000)).toBe(31_600);
  expect(first(1e6)).toBe(46_000);
  expect(first(8e6)).toBe(94_000);
  // One alone that is larger than the bound on them together.
  expect(first(100e6)).toBe(130_000);
});

test('each further attempt is given twice as long, up to what an attempt may take', () => {
  const given = [0, 1, 2, 3].map((attempt) => silenceOf({ bytes: 8e6, attempt }, LIMITS));
  expect(given).toEqual([94_000, 188_000, 300_000, 300_000]);
});
