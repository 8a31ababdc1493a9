import { type Operations, type ShardFilterShape, shardIndexOf } from '../kinesis/kinesis.ts';
import { issueListToken, type ListToken, readListToken } from './list-token.ts';
import type { LiveShard, LiveStream } from './live-stream.ts';
import { findStream, noStream, type Service } from './service.ts';
import { ServiceError } from './service-error.ts';

const RESULTS_MAX = 1000;

type Input = Operations['ListShards']['input'];
type Output = Operations['ListShards']['output'];

interface Listing {
  stream: LiveStream;
  after: string | undefined;
  filter: ShardFilterShape | undefined;
}

export function listShards(service: Service, input: Input): Output {
  const now_ms = service.clock.now();
  const { stream, after, filter } = input.NextToken
    ? continued(service, input, now_ms)
    : begun(service, input);
  const unfiltered = shardsAfter(stream, after);
  const shards = filter ? filtered(unfiltered, stream, filter) : unfiltered;
  const page = shards.slice(0, Math.min(input.MaxResults ?? RESULTS_MAX, RESULTS_MAX));
  const { name, createdAt_ms } = stream.entry;
  const token = (last: string): ListToken => ({
    list: 'shards',
    after: last,
    stream: { name, createdAt_ms },
    ...(filter && { filter }),
  });
  return {
    Shards: page.map((shard) => shard.shape()),
    ...(shards.length > page.length && { NextToken: issueListToken(token(page.at(-1)!.id), now_ms) }),
  };
}

/** Shards behind the given one, by index; all when there is none given. */
export function shardsAfter({ shards }: LiveStream, id: string | undefined): LiveShard[] {
  const after = id === undefined ? -1 : shardIndexOf(id);
  if (after === undefined)
    throw new ServiceError('InvalidArgumentException', `Invalid ExclusiveStartShardId ${id}.`);
  return shards.filter(({ entry }) => entry.index > after);
}

function begun(service: Service, input: Input): Listing {
  const stream = findStream(service, input);
  checkCreation(stream, input.StreamCreationTimestamp, () => noStream(service, stream.entry.name));
  return { stream, after: input.ExclusiveStartShardId, filter: input.ShardFilter };
}

function continued(service: Service, input: Input, now_ms: number): Listing {
  if (input.StreamName ?? input.StreamARN ?? input.ExclusiveStartShardId ?? input.ShardFilter)
    throw new ServiceError(
      'InvalidArgumentException',
      'NextToken and StreamName cannot be provided together.',
    );
  const { stream: named, after, filter } = readListToken(input.NextToken!, 'shards', now_ms);
  const stream = findStream(service, { StreamName: named?.name ?? '' });
  if (stream.entry.createdAt_ms !== named?.createdAt_ms) throw noStream(service, stream.entry.name);
  return { stream, after, filter };
}

function checkCreation({ entry }: LiveStream, wanted_s: number | undefined, error: () => ServiceError): void {
  if (wanted_s !== undefined && Math.floor(wanted_s) !== Math.floor(entry.createdAt_ms / 1000)) throw error();
}

function filtered(
  shards: LiveShard[],
  stream: LiveStream,
  { Type, ShardId, Timestamp }: ShardFilterShape,
): LiveShard[] {
  const at_ms = Type.endsWith('_TIMESTAMP') ? required(Timestamp, 'Timestamp', Type) * 1000 : 0;
  const from = Type === 'AFTER_SHARD_ID' ? shardIndexOf(required(ShardId, 'ShardId', Type)) : undefined;
  return shards.filter((shard) => {
    const { index, closedAt_ms, createdAt_s, openedAt_ms = createdAt_s * 1000 } = shard.entry;
    const isOpenAt = closedAt_ms === undefined || closedAt_ms >= at_ms;
    switch (Type) {
      case 'AFTER_SHARD_ID':
        return from !== undefined && index > from;
      case 'AT_LATEST':
        return closedAt_ms === undefined;
      // What lies before the horizon means the horizon.
      case 'AT_TIMESTAMP':
        return isOpenAt && (openedAt_ms <= at_ms || isOldest(stream, shard));
      case 'FROM_TIMESTAMP':
        return isOpenAt;
      case 'AT_TRIM_HORIZON':
        return isOldest(stream, shard);
      case 'FROM_TRIM_HORIZON':
        return true;
      default:
        return Type satisfies never;
    }
  });
}

/** One that did not come from a shard that is still kept; these own every hash key. */
function isOldest({ shards }: LiveStream, { entry }: LiveShard): boolean {
  return entry.parents.every((parent) => !shards.some(({ id }) => id === parent));
}

function required<T>(value: T | undefined, member: string, type: string): T {
  if (value !== undefined) return value;
  throw new ServiceError('InvalidArgumentException', `ShardFilter of type ${type} needs ${member}.`);
}
