import { HASH_KEY_MAX, type HashKeyRange, type HashKeyRangeShape } from '../kinesis/kinesis.ts';

/** All keys where an endpoint names no range that can be read: then nothing is called a stray. */
export function hashKeyRange(shape: Partial<HashKeyRangeShape> | undefined): HashKeyRange {
  const { StartingHashKey: start = '', EndingHashKey: end = '' } = shape ?? {};
  if (!/^\d+$/.test(start) || !/^\d+$/.test(end)) return { start: 0n, end: HASH_KEY_MAX };
  return { start: BigInt(start), end: BigInt(end) };
}
