/** The rows of a spool on which an engine fails, as a branch of a CASE that keeps them from being looked into. */
import type { SpoolInput } from './batch.ts';

interface Dialect {
  literal: (text: string) => string;
  /** The column that numbers a spool's rows. */
  rid: string;
  /** Whether a row says the shard's id, or its place among the spool's shards. */
  shard: 'id' | 'place';
}

/** Usually there are none: then it is empty. */
export function crashedBranch(
  { shards, crashed = [], crashedAt = [] }: SpoolInput,
  verdict: string,
  { literal, rid, shard: named }: Dialect,
): string {
  const shardIs = (shard: string) =>
    named === 'id' ? `shard_id = ${literal(shard)}` : `shard = ${shards.indexOf(shard)}`;
  const conditions = crashedAt.map(
    ({ shard, sequenceNumber, subsequenceNumber }) =>
      `(${shardIs(shard)} and seq = ${literal(sequenceNumber)} and coalesce(sub, -1) = ${subsequenceNumber ?? -1})`,
  );
  if (crashed.length > 0) conditions.push(`${rid} in (${crashed.join(', ')})`);
  return conditions.length === 0 ? '' : `when ${conditions.join(' or ')} then ${verdict}`;
}
