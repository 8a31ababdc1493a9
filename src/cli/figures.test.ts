import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteFigure, counted, durationFigure, figure, rateFigure } from './figures.ts';

test('figures have thousands separators, whatever their size', () => {
  expect([0, 999, 1000, 1234567, -1234567, 2n ** 63n].map(figure)).toEqual([
    '0',
    '999',
    '1,000',
    '1,234,567',
    '-1,234,567',
    '9,223,372,036,854,775,808',
  ]);
  fc.assert(fc.property(fc.bigInt(), (n) => BigInt(figure(n).replaceAll(',', '')) === n));
});

test('one of a unit is in the singular', () => {
  expect([0, 1, 2000].map((n) => counted(n, 'record'))).toEqual(['0 records', '1 record', '2,000 records']);
});

test('sizes are in powers of 1000, and never 1000.0 of a unit', () => {
  expect([0, 999, 1000, 1_234_567, 999_949, 999_950, 20e9, 3e18].map(byteFigure)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.2 MB',
    '999.9 kB',
    '1.0 MB',
    '20.0 GB',
    '3000.0 PB',
  ]);
});

test('durations have the two units that matter', () => {
  expect(
    [0, 850, 999.7, 12_300, 59_960, 245_000, 7_800_000, 273_600_000, 365 * 86_400_000].map(durationFigure),
  ).toEqual([
    '0 ms',
    '850 ms',
    '1.0 s',
    '12.3 s',
    '1 min 00 s',
    '4 min 05 s',
    '2 h 10 min',
    '3 d 4 h',
    '365 d',
  ]);
});

test('a rate of no time at all is not infinite', () => {
  expect(rateFigure({ count: 5, elapsed_ms: 0 })).toBe('–');
  expect(rateFigure({ count: 250_000, elapsed_ms: 2000 })).toBe('125,000/s');
});
