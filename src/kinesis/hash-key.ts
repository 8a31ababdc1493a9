import { hash } from 'node:crypto';

/** Hash keys are 128-bit unsigned integers; a shard owns an inclusive range of them. */
export const HASH_KEY_MAX = (1n << 128n) - 1n;

export interface HashKeyRange {
  start: bigint;
  /** Inclusive. */
  end: bigint;
}

/** MD5 of the partition key's UTF-8 bytes, read big-endian. */
export function hashKeyOf(partitionKey: string | Uint8Array): bigint {
  return BigInt(`0x${hash('md5', partitionKey)}`);
}

/** The ranges that a new stream's shards get: floor(2^128 / n) keys each, the rest to the last. */
export function evenHashKeyRanges(shards: number): HashKeyRange[] {
  const width = (HASH_KEY_MAX + 1n) / BigInt(shards);
  return Array.from({ length: shards }, (_, i) => ({
    start: width * BigInt(i),
    end: i === shards - 1 ? HASH_KEY_MAX : width * BigInt(i + 1) - 1n,
  }));
}
