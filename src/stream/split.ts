/**
 * One raw GetRecords body → rows of a spool. All or nothing: every record is checked before the first is written, and
 * a body that is not whole or not in order is refused, because a record left out here would be lost for good.
 */
import type { AggregatedRecord, ChildShardShape, HashKeyRange } from '../kinesis/kinesis.ts';
import { hashKeyRange } from './hash-keys.ts';
import type { SpoolRow, SpoolWriter } from './spool.ts';

/** How a body is written. */
export type BodyEncoding = 'json' | 'cbor';

export interface SplitInput {
  /** Index of the shard in this spool. */
  shard: number;
  /** Records up to this number were taken already: a body read again may overlap the one before. */
  after: string | undefined;
  /** Of the shard: user records with other keys are strays. */
  hashKeys: HashKeyRange;
}

/** What was written of a body that had something new. */
export interface SplitRows {
  /** User records. */
  count: number;
  /** User records outside of the shard's hash keys. They are kept. */
  stray: number;
  /** Records marked as aggregated ones that are none, by their checksum or form. They are kept as plain records. */
  damaged: number;
  /** Numbers of the first and the last record. */
  first: string;
  last: string;
  firstArrival_ms: number;
  lastArrival_ms: number;
}

/** What reading on needs to know of a body. */
export interface SplitBody {
  rows: SplitRows | undefined;
  /** Of a subscription, the number to go on behind. Undefined at the end of a closed shard. */
  nextIterator: string | undefined;
  behindLatest_ms: number;
  /** Children that the body names for the shard that it ends. */
  children: readonly ChildShard[];
}

export interface ChildShard {
  id: string;
  parents: readonly string[];
  hashKeys: HashKeyRange;
}

/** Why a body cannot be taken, in words. */
export class BadBody extends Error {}

/** The user records of an aggregated record. */
export function appendParts(
  out: SpoolWriter,
  { count, bytes, starts, ends }: AggregatedRecord,
  place: Omit<SpoolRow, 'data' | 'sub'>,
): void {
  for (let sub = 0; sub < count; sub++) {
    out.append({ ...place, data: { bytes, start: starts[sub]!, end: ends[sub]! }, sub });
  }
}

export function childShard({ ShardId, ParentShards, HashKeyRange }: ChildShardShape): ChildShard {
  return { id: ShardId, parents: ParentShards ?? [], hashKeys: hashKeyRange(HashKeyRange) };
}
