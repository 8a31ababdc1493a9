import type { Bound } from './data-file.ts';

/**
 * Order of two values of one column: negative, zero, positive; undefined when they cannot be compared. Numbers and
 * bigints mix exactly.
 */
export function compareBounds(a: Bound, b: Bound): number | undefined {
  if (isNumeric(a) && isNumeric(b)) return a < b ? -1 : a > b ? 1 : a >= b ? 0 : undefined;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return undefined;
}

/** By code points, as UTF-8 bytes compare; JavaScript's own `<` compares UTF-16 units and puts 😀 before U+FFFD. */
export function compareText(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above every other unit. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

const isNumeric = (value: Bound): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';
