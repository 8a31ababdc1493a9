import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytes, choice, count, duration, flag, instant, type Kind, path, text, url } from './kinds.ts';

const read = (kind: Kind<unknown, unknown>, input: unknown) => kind.read(input, { folder: '/lake' });

describe('a duration', () => {
  test.each([
    ['250ms', 250],
    ['10s', 10_000],
    ['1.5 h', 5_400_000],
    ['2D', 172_800_000],
    ['0', 0],
    [90_000, 90_000],
  ])('%s is %d ms', (input, value) => {
    expect(read(duration(), input)).toEqual({ value });
  });

  test.each(['10', 'ten', '', '-5s', '5 weeks', '1e3s', '0.1ms', -1, Number.NaN, null, true])(
    '%s is none',
    (input) => {
      expect(read(duration(), input)).toHaveProperty('wrong');
    },
  );

  test('is the same amount in every unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), (days) => {
        const readings = [
          `${days}d`,
          `${days * 24}h`,
          `${days * 1440}m`,
          `${days * 86_400}s`,
          days * 86_400_000,
        ];
        for (const each of readings) expect(read(duration(), each)).toEqual({ value: days * 86_400_000 });
      }),
    );
  });
});

describe('a size', () => {
  test.each([
    ['512MB', 512_000_000],
    ['1.1GB', 1_100_000_000],
    ['1 GiB', 1_073_741_824],
    ['64kb', 64_000],
    ['1_000', 1000],
    [4096, 4096],
  ])('%s is %d bytes', (input, value) => {
    expect(read(bytes(), input)).toEqual({ value });
  });

  test.each(['big', '5 parsecs', '1.5B', '-1MB', 1.5, Number.POSITIVE_INFINITY, '99999999TB'])(
    '%s is none',
    (input) => {
      expect(read(bytes(), input)).toHaveProperty('wrong');
    },
  );
});

describe('a count', () => {
  test('understands underscores, thousands and millions', () => {
    expect(['100_000', '100k', '0.1M', 100_000].map((each) => read(count(), each))).toEqual(
      Array(4).fill({ value: 100_000 }),
    );
  });

  test('outside its bounds is refused, and the bound is named', () => {
    expect(read(count({ min: 1, max: 10 }), '0')).toEqual({ wrong: '“0” is less than the least allowed, 1' });
    expect(read(count({ min: 1, max: 10 }), 11)).toEqual({ wrong: '11 is more than the most allowed, 10' });
  });
});

test('a bound is named as one would write it', () => {
  const wrong = (kind: Kind<unknown, unknown>, input: string) =>
    (kind.read(input, { folder: '/' }) as { wrong: string }).wrong;
  expect(wrong(duration({ min: 100 }), '50ms')).toMatch(/, 100ms$/);
  expect(wrong(duration({ max: 36_500 * 86_400_000 }), '40000d')).toMatch(/, 36500d$/);
  expect(wrong(bytes({ min: 450e6 }), '1MB')).toMatch(/, 450MB$/);
  expect(wrong(bytes({ max: 2 ** 20 }), '2MB')).toMatch(/, 1MiB$/);
  expect(wrong(bytes({ min: 1 }), '0')).toMatch(/, 1B$/);
  expect(wrong(count({ max: 1_000_000 }), '2M')).toMatch(/, 1_000_000$/);
});

describe('a point in time', () => {
  test.each([
    ['2000-01-01', Date.UTC(2000, 0, 1)],
    ['2026-01-31T08:30', Date.UTC(2026, 0, 31, 8, 30)],
    ['2026-01-31T08:30:00.250Z', Date.UTC(2026, 0, 31, 8, 30, 0, 250)],
    ['2026-01-31T08:30:00+02:00', Date.UTC(2026, 0, 31, 6, 30)],
  ])('%s is read as UTC unless it has an offset', (input, value) => {
    expect(read(instant(), input)).toEqual({ value });
  });

  test.each(['2026-02-30', '2026-13-01', '2026-01-31T25:00', 'yesterday', 'latest', '', 5])(
    '%s is none',
    (input) => {
      expect(read(instant('trim_horizon'), input)).toHaveProperty('wrong');
    },
  );

  test('may be a word, in any case', () => {
    expect(read(instant('trim_horizon'), 'TRIM_HORIZON')).toEqual({ value: 'trim_horizon' });
  });
});

test('a path is absolute, and relative to the folder it was written for', () => {
  expect(read(path(), './data')).toEqual({ value: '/lake/data' });
  expect(read(path(), '/data')).toEqual({ value: '/data' });
  expect(read(path(), '')).toHaveProperty('wrong');
});

test('text, addresses, flags and choices refuse what they are not', () => {
  expect(read(text(), '')).toHaveProperty('wrong');
  expect(read(url(), 'http://127.0.0.1:4566')).toEqual({ value: 'http://127.0.0.1:4566' });
  expect(read(url(), 'localhost:4566')).toHaveProperty('wrong');
  expect(read(flag(), 'true')).toEqual({ value: true });
  expect(read(flag(), 'yes')).toHaveProperty('wrong');
  expect(read(choice('json', 'csv'), 'csv')).toEqual({ value: 'csv' });
  expect(read(choice('json', 'csv'), 'jsno')).toEqual({
    wrong: '“jsno” is none of its words; did you mean json?',
  });
  expect(read(choice('json', 'csv'), 'xml')).toEqual({ wrong: '“xml” is none of its words' });
});
