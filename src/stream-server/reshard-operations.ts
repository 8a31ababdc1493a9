import { HASH_KEY_MAX, type Operations, shardIdOf, shardIndexOf } from '../kinesis/kinesis.ts';
import type { LiveShard, LiveStream } from './live-stream.ts';
import { areAdjacent, merge, type Reshard, scale, split } from './reshard.ts';
import { checkShardLimit, findStream, type Service } from './service.ts';
import { ServiceError } from './service-error.ts';

const SHARDS_OF_A_STREAM_MAX = 10_000;

type Input<O extends keyof Operations> = Operations[O]['input'];

/**
 * Kinesis answers at once and reshards later. Here the answer comes when it is done and durable; meanwhile the stream
 * is UPDATING, and puts to the shards that close wait for their children.
 */
export async function splitShard(service: Service, input: Input<'SplitShard'>): Promise<undefined> {
  const stream = reshardable(service, input);
  const shard = findShard(service, stream, input.ShardToSplit);
  checkShardLimit(service, 1);
  const at = BigInt(input.NewStartingHashKey);
  const { StartingHashKey, EndingHashKey } = shard.hashKeyRange;
  if (at <= BigInt(StartingHashKey) + 1n || at >= BigInt(EndingHashKey) || at > HASH_KEY_MAX)
    throw new ServiceError(
      'InvalidArgumentException',
      `NewStartingHashKey ${at} used in SplitShard() on shard ${shard.id} in stream ${stream.entry.name} under account ${service.accountId} is not both greater than one plus the shard's StartingHashKey ${StartingHashKey} and less than the shard's EndingHashKey ${EndingHashKey}.`,
    );
  checkOpen(service, stream, shard);
  await reshard(service, stream, split({ index: shard.entry.index, at }));
}

export async function mergeShards(service: Service, input: Input<'MergeShards'>): Promise<undefined> {
  const stream = reshardable(service, input);
  const [shard, adjacent] = [input.ShardToMerge, input.AdjacentShardToMerge].map((id) =>
    findShard(service, stream, id),
  ) as [LiveShard, LiveShard];
  if (!areAdjacent(shard.entry, adjacent.entry))
    throw new ServiceError(
      'InvalidArgumentException',
      `Shards ${shard.id} and ${adjacent.id} in stream ${stream.entry.name} under account ${service.accountId} are not an adjacent pair of shards eligible for merging`,
    );
  checkOpen(service, stream, shard);
  checkOpen(service, stream, adjacent);
  await reshard(service, stream, merge({ index: shard.entry.index, adjacent: adjacent.entry.index }));
}

export async function updateShardCount(
  service: Service,
  input: Input<'UpdateShardCount'>,
): Promise<Operations['UpdateShardCount']['output']> {
  const stream = reshardable(service, input);
  const current = stream.openShards.length;
  const target = input.TargetShardCount;
  checkScale(current, target);
  checkShardLimit(service, target - current);
  await reshard(service, stream, scale(target));
  return {
    StreamName: stream.entry.name,
    StreamARN: stream.arn,
    CurrentShardCount: current,
    TargetShardCount: target,
  };
}

function reshardable(service: Service, input: Input<'DescribeStreamSummary'>): LiveStream {
  const stream = findStream(service, input);
  if (stream.entry.mode === 'ON_DEMAND')
    throw new ServiceError(
      'ValidationException',
      `Stream ${stream.entry.name} under account ${service.accountId} is in ON_DEMAND mode, whose number of shards cannot be changed by hand.`,
    );
  return stream;
}

async function reshard(service: Service, stream: LiveStream, plan: Reshard): Promise<void> {
  if (stream.resharding)
    throw new ServiceError(
      'ResourceInUseException',
      `Stream ${stream.entry.name} under account ${service.accountId} not ACTIVE, instead in state UPDATING`,
    );
  await service.store.reshard(stream, plan);
}

function findShard(service: Service, stream: LiveStream, id: string): LiveShard {
  const index = shardIndexOf(id);
  const shard = index === undefined ? undefined : stream.shard(index);
  if (shard) return shard;
  throw new ServiceError(
    'ResourceNotFoundException',
    `Could not find shard ${index === undefined ? id : shardIdOf(index)} in stream ${stream.entry.name} under account ${service.accountId}.`,
  );
}

function checkOpen({ accountId }: Service, { entry }: LiveStream, shard: LiveShard): void {
  if (shard.entry.closedAt_ms === undefined) return;
  throw new ServiceError(
    'InvalidArgumentException',
    `Shard ${shard.id} in stream ${entry.name} under account ${accountId} has already been merged or split, and thus is not eligible for merging or splitting.`,
  );
}

function checkScale(current: number, target: number): void {
  const counts = `Current open shard count: ${current} Target shard count: ${target}`;
  if (target > SHARDS_OF_A_STREAM_MAX)
    throw new ServiceError(
      'InvalidArgumentException',
      `UpdateShardCount cannot scale up over ${SHARDS_OF_A_STREAM_MAX} shards. ${counts}`,
    );
  if (target > current * 2)
    throw new ServiceError(
      'InvalidArgumentException',
      `UpdateShardCount cannot scale up over double your current open shard count. ${counts}`,
    );
  if (target * 2 < current)
    throw new ServiceError(
      'InvalidArgumentException',
      `UpdateShardCount cannot scale down below half your current open shard count. ${counts}`,
    );
}
