const INDEX_MAX = 2 ** 31 - 1;

/** `shardId-` and the shard's index in twelve digits; an index is never used twice in a stream. */
export function shardIdOf(index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`;
}

/** The service takes `shardId-000000000003`, `x-3` and `3` for one shard. Undefined when the text names none. */
export function shardIndexOf(text: string): number | undefined {
  const digits = text.split('-')[1] || text;
  if (!/^\d+$/.test(digits)) return undefined;
  const index = Number(digits);
  return index <= INDEX_MAX ? index : undefined;
}
