import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBound, encodeBound, lowerBound, unscaledBytes, unscaledFrom, upperBound } from './bounds.ts';
import { compareBounds, compareText } from './compare.ts';
import type { Bound } from './data-file.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a bound is encoded as appendix D of the spec says', () => {
  const vectors: [string, Bound, string][] = [
    ['boolean', false, '00'],
    ['boolean', true, '01'],
    ['int', 1, '01000000'],
    ['int', -2, 'feffffff'],
    ['long', 1n, '0100000000000000'],
    ['float', 1, '0000803f'],
    ['double', -4.5, '00000000000012c0'],
    ['double', -0, '0000000000000080'],
    ['date', 1000, 'e8030000'],
    ['timestamptz', 1_000_000n, '40420f0000000000'],
    ['timestamp', -1n, 'ffffffffffffffff'],
    ['string', 'iceberg', '69636562657267'],
    ['string', 'ü', 'c3bc'],
    ['binary', Uint8Array.of(0, 255), '00ff'],
    ['decimal(9, 2)', 1234n, '04d2'],
    ['decimal(9,2)', 128n, '0080'],
    ['decimal(9, 2)', -128n, '80'],
    ['decimal(38, 0)', -129n, 'ff7f'],
    ['decimal(9, 2)', 0n, '00'],
  ];

  test.each(vectors)('%s %s', (type, value, expected) => {
    expect(hex(encodeBound(type, value))).toBe(expected);
    expect(decodeBound(type, encodeBound(type, value))).toEqual(value instanceof Uint8Array ? value : value);
  });

  test('and one of another JavaScript type is refused: it would be a wrong answer later', () => {
    expect(() => encodeBound('long', 1)).toThrow(/long/);
    expect(() => encodeBound('int', 1n)).toThrow(/int/);
    expect(() => encodeBound('timestamptz', '2026-01-01')).toThrow(/timestamptz/);
  });
});

describe('a bound is read', () => {
  test('that was written before its column grew from int to long, or float to double', () => {
    expect(decodeBound('long', encodeBound('int', -7))).toBe(-7n);
    expect(decodeBound('double', encodeBound('float', 0.5))).toBe(0.5);
  });

  test('as unknown when its type or length is none that we know', () => {
    expect(decodeBound('uuid', new Uint8Array(16))).toBeUndefined();
    expect(decodeBound('int', new Uint8Array(3))).toBeUndefined();
  });

  test('of any unscaled decimal, in few bytes and in many', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (value) => {
        expect(unscaledFrom(unscaledBytes(value))).toBe(value);
        expect(unscaledFrom(unscaledBytes(value, 17))).toBe(value);
        expect(unscaledBytes(value, 17)).toHaveLength(17);
      }),
    );
  });
});

describe('a string is shortened to 16 code points', () => {
  test('the upper bound is moved up so that it is still one', () => {
    expect(lowerBound('abcdefghijklmnopqrst')).toBe('abcdefghijklmnop');
    expect(upperBound('abcdefghijklmnopqrst')).toBe('abcdefghijklmnoq');
    expect(upperBound('abcdefghijklmnop')).toBe('abcdefghijklmnop');
  });

  test('counted in code points beyond the basic plane, none cut in half', () => {
    const faces = '😀'.repeat(20);
    expect(lowerBound(faces)).toBe('😀'.repeat(16));
    expect(upperBound(faces)).toBe(`${'😀'.repeat(15)}😁`);
    expect(upperBound('😀'.repeat(16))).toBe('😀'.repeat(16));
  });

  test('moving up leaves out surrogates, carries over the last code point, and gives up when there is none', () => {
    const last = '\u{10FFFF}';
    expect(upperBound('\uD7FF'.repeat(17))).toBe(`${'\uD7FF'.repeat(15)}\uE000`);
    expect(upperBound(`${'a'.repeat(15)}${last}z`)).toBe(`${'a'.repeat(14)}b`);
    expect(upperBound(last.repeat(17))).toBeUndefined();
  });

  test('and encloses the value always, by the order of its bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const low = lowerBound(text) as string;
        const high = upperBound(text);
        expect(Buffer.compare(Buffer.from(low), Buffer.from(text))).toBeLessThanOrEqual(0);
        if (high === undefined) return;
        expect(Buffer.compare(Buffer.from(high as string), Buffer.from(text))).toBeGreaterThanOrEqual(0);
        expect(Array.from(high as string).length).toBeLessThanOrEqual(16);
      }),
    );
  });

  test('bytes likewise', () => {
    const bytes = Uint8Array.from({ length: 20 }, () => 255);
    expect(upperBound(bytes)).toBeUndefined();
    bytes[3] = 7;
    expect(hex(upperBound(bytes) as Uint8Array)).toBe('ffffff08');
    expect(lowerBound(bytes)).toHaveLength(16);
  });
});

test('numbers and times are never widened, and NaN is no bound', () => {
  for (const exact of [5, -0, 1.5, 2n ** 62n, true] as const) {
    expect(lowerBound(exact)).toBe(exact);
    expect(upperBound(exact)).toBe(exact);
  }
  expect(lowerBound(Number.NaN)).toBeUndefined();
  expect(upperBound(Number.NaN)).toBeUndefined();
});

test('text compares as its UTF-8 bytes do, not as JavaScript does', () => {
  expect(compareText('\uFFFD', '😀')).toBeLessThan(0);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test('a number and a bigint compare exactly, and what cannot be compared says so', () => {
  expect(compareBounds(2 ** 53, 2n ** 53n + 1n)).toBe(-1);
  expect(compareBounds(1, 1n)).toBe(0);
  expect(compareBounds('1', 1)).toBeUndefined();
});
