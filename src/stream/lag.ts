/**
 * How far positions are behind their shards: the next record after each position is asked for, and nothing is taken.
 * A shard without a position counts from where reading it would begin.
 */
import { BoundedQueue } from '../base/base.ts';
import type { KinesisClient, Reply } from './client.ts';
import { iteratorAt } from './shard-reader.ts';
import type { Position, ShardInfo, TakeOptions } from './stream.ts';
import { isOver } from './taken.ts';

export interface LagOptions extends Pick<TakeOptions, 'positions' | 'pin'> {
  /** Shards asked at most. */
  shardsMax: number;
}

export interface ShardLag {
  shard: string;
  behindLatest_ms: number;
  /** Of the first record behind the position, by the server's clock; undefined when none is there or was found. */
  oldestAge_ms: number | undefined;
}

export interface Lags {
  shards: readonly ShardLag[];
  notAsked: number;
}

export interface LagFrom {
  client: KinesisClient;
  ref: { StreamName: string } | { StreamARN: string };
  shards: readonly ShardInfo[];
}

const ASKED_AT_ONCE = 8;
/** Empty answers with something behind them are normal; the lag they report is then all that is known. */
const ANSWERS_MAX = 5;

export async function lagOf(from: LagFrom, { positions, pin, shardsMax }: LagOptions): Promise<Lags> {
  const unread = from.shards.filter(({ id }) => !isOver(positions.get(id)));
  const asked = unread.slice(0, shardsMax);
  const slots = new BoundedQueue<string>(ASKED_AT_ONCE);
  const shards = await Promise.all(
    asked.map(async (shard): Promise<ShardLag> => {
      await slots.put(shard.id);
      try {
        return await oneLag(from, shard.id, startOf(shard, { from, positions, pin }));
      } finally {
        void slots.take();
      }
    }),
  );
  return { shards, notAsked: unread.length - asked.length };
}

/** A child is read from its beginning. */
function startOf(
  shard: ShardInfo,
  { from, positions, pin }: { from: LagFrom } & Pick<LagOptions, 'positions' | 'pin'>,
): Position {
  const isChild = shard.parents.some((parent) => from.shards.some(({ id }) => id === parent));
  return positions.get(shard.id) ?? (isChild ? 'TRIM_HORIZON' : pin);
}

async function oneLag({ client, ref }: LagFrom, shard: string, position: Position): Promise<ShardLag> {
  const { ShardIterator } = await client.call('GetShardIterator', {
    ...ref,
    ShardId: shard,
    ...iteratorAt(position),
  });
  const arn = 'StreamARN' in ref ? ref : {};
  let iterator: string | null | undefined = ShardIterator;
  let behindLatest_ms = 0;
  for (let answers = 0; iterator && answers < ANSWERS_MAX; answers++) {
    const answer: Reply<'GetRecords'> = await client.reply('GetRecords', {
      ShardIterator: iterator,
      Limit: 1,
      ...arn,
    });
    const { output, date_ms } = answer;
    const oldest = output.Records[0];
    if (oldest !== undefined) {
      const arrived_ms = oldest.ApproximateArrivalTimestamp * 1000;
      const age_ms = Math.max(0, (date_ms ?? arrived_ms) - arrived_ms);
      return { shard, behindLatest_ms: Math.max(output.MillisBehindLatest, age_ms), oldestAge_ms: age_ms };
    }
    behindLatest_ms = output.MillisBehindLatest;
    if (behindLatest_ms === 0) break;
    iterator = output.NextShardIterator;
  }
  return { shard, behindLatest_ms, oldestAge_ms: undefined };
}
