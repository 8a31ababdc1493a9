/** How far the lake is behind its stream, asked of the stream itself: one read of one record a shard. */
import { Failure } from '../base/base.ts';
import type { ShardLag, Stream } from '../stream/stream.ts';
import { PIN, type PositionMap } from '../tables/tables.ts';

export interface ShardStatus {
  shard: string;
  /** Behind the end of the shard, by the stream's clock. */
  lag_ms: number;
  /** Until the oldest record that was not read is trimmed; null when nothing is unread. */
  retentionLeft_ms: number | null;
}

export interface StreamStatus {
  /** `not running`: the embedded stream of a folder on which nothing runs. */
  state: 'answers' | 'no answer' | 'not running';
  /** Why it does not answer. */
  why: string | null;
  name: string;
  /** ARN and creation time: a stream that was made again under its name is another one. */
  id: string | null;
  retention_ms: number | null;
  /** Of the shard that is furthest behind. */
  lag_ms: number | null;
  /** Least of all shards; null when nothing is unread, and for a stream that keeps what is not committed. */
  retentionLeft_ms: number | null;
  shards: readonly ShardStatus[];
  /** Shards of the stream that are not told of: there are more than are asked. */
  shardsNotAsked: number;
}

export interface StreamSource {
  name: string;
  /** Undefined when there is none to be asked; `why` says why. */
  stream: Stream | undefined;
  why?: string;
  /** The embedded stream trims nothing that was not committed. */
  keepsUncommitted: boolean;
}

/** Each costs one of the five reads a second that a shard of Amazon's gives to all its readers. */
const SHARDS_MAX = 100;

export async function streamStatus(source: StreamSource, positions: PositionMap): Promise<StreamStatus> {
  const { stream, name } = source;
  const unknown = {
    ...{ name, id: null, retention_ms: null, lag_ms: null, retentionLeft_ms: null },
    ...{ shards: [], shardsNotAsked: 0 },
  };
  if (stream === undefined) return { ...unknown, state: 'not running', why: source.why ?? null };
  try {
    return { ...(await askStream({ ...source, stream }, positions)), name };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...unknown, state: 'no answer', why: `${error.message}: ${error.why ?? error.code}` };
  }
}

/** Throws what the stream fails with. */
export async function askStream(
  { stream, keepsUncommitted }: { stream: Stream; keepsUncommitted: boolean },
  positions: PositionMap,
): Promise<StreamStatus> {
  const { name, id, retention_ms } = await stream.describe();
  const { [PIN]: pin = 'TRIM_HORIZON', ...held } = positions[id] ?? {};
  const { shards, notAsked } = await stream.lag({
    positions: new Map(Object.entries(held)),
    pin: pin as 'TRIM_HORIZON',
    shardsMax: SHARDS_MAX,
  });
  const told = shards.map((lag) => shardStatus(lag, keepsUncommitted ? undefined : retention_ms));
  const left = told.map((shard) => shard.retentionLeft_ms).filter((ms) => ms !== null);
  return {
    ...{ state: 'answers', why: null, name, id, retention_ms, shards: told, shardsNotAsked: notAsked },
    lag_ms: told.reduce((most, { lag_ms }) => Math.max(most, lag_ms), 0),
    retentionLeft_ms: left.length === 0 ? null : Math.min(...left),
  };
}

function shardStatus({ shard, behindLatest_ms, oldestAge_ms }: ShardLag, retention_ms: number | undefined) {
  const known = retention_ms !== undefined && oldestAge_ms !== undefined;
  return {
    shard,
    lag_ms: Math.round(behindLatest_ms),
    retentionLeft_ms: known ? Math.round(retention_ms - oldestAge_ms) : null,
  };
}
