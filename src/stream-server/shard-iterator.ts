import { type Operations, parseSequenceNumber, shardIdOf, shardIndexOf } from '../kinesis/kinesis.ts';
import { issueIterator } from './iterator-token.ts';
import type { LiveShard, LiveStream } from './live-stream.ts';
import { findStream, noShard, type Service } from './service.ts';
import { ServiceError } from './service-error.ts';

type Input = Operations['GetShardIterator']['input'];

type StartingPoint = Pick<Input, 'ShardIteratorType' | 'StartingSequenceNumber' | 'Timestamp'>;

interface Place {
  service: Service;
  stream: LiveStream;
  shard: LiveShard;
}

export async function getShardIterator(service: Service, input: Input): Promise<{ ShardIterator: string }> {
  const stream = findStream(service, input);
  const place = { service, stream, shard: findShard(service, stream, input.ShardId) };
  const position = {
    stream: stream.entry.name,
    streamCreatedAt_ms: stream.entry.createdAt_ms,
    shardIndex: place.shard.entry.index,
    next: await nextIndex(place, input),
  };
  return { ShardIterator: issueIterator(position, service.clock.now()) };
}

export function findShard(service: Service, stream: LiveStream, id: string): LiveShard {
  const index = shardIndexOf(id);
  if (index === undefined)
    throw new ServiceError(
      'ResourceNotFoundException',
      `Could not find shard ${id} in stream ${stream.entry.name} under account ${service.accountId}.`,
    );
  const shard = stream.shard(index);
  if (!shard) throw noShard(service, { stream: stream.entry.name, shard: shardIdOf(index) });
  return shard;
}

/** A position, not a record: a number that was trimmed or never given out is as good as any. */
export async function nextIndex(place: Place, input: StartingPoint): Promise<number> {
  const { ShardIteratorType: type, StartingSequenceNumber: number } = input;
  const { log } = place.shard;
  switch (type) {
    case 'TRIM_HORIZON':
    case 'LATEST':
      if (number !== undefined) throw mixed(type, 'also a StartingSequenceNumber');
      return type === 'TRIM_HORIZON' ? 0 : log.lastIndex + 1;
    case 'AT_TIMESTAMP':
      if (number !== undefined) throw mixed(type, 'also a StartingSequenceNumber');
      return log.indexAt(timestamp_ms(place, input.Timestamp));
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER':
      if (number === undefined) throw mixed(type, 'no StartingSequenceNumber');
      return indexOf(place, number) + (type === 'AT_SEQUENCE_NUMBER' ? 0 : 1);
    default:
      return type satisfies never;
  }
}

function indexOf({ service, stream, shard }: Place, number: string): number {
  const parts = parseSequenceNumber(number);
  const used = `StartingSequenceNumber ${number} used in GetShardIterator on shard ${shard.id} in stream ${stream.entry.name} under account ${service.accountId} is invalid`;
  if (!parts) throw new ServiceError('InvalidArgumentException', `${used}.`);
  if (parts.shardIndex !== shard.entry.index)
    throw new ServiceError(
      'InvalidArgumentException',
      `Invalid StartingSequenceNumber. It encodes ${shardIdOf(parts.shardIndex)}, while it was used in a call to a shard with ${shard.id}`,
    );
  if (parts.shardCreatedAt_s !== shard.entry.createdAt_s)
    throw new ServiceError('InvalidArgumentException', `${used} because it did not come from this stream.`);
  // The end of a closed shard has an index beyond every number that JavaScript holds exactly.
  return Math.min(Number(parts.index), Number.MAX_SAFE_INTEGER - 1);
}

function timestamp_ms({ service }: Place, timestamp_s: number | undefined): number {
  if (timestamp_s === undefined)
    throw new ServiceError(
      'InvalidArgumentException',
      'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.',
    );
  const wanted_ms = Math.round(timestamp_s * 1000);
  const now_ms = service.clock.now();
  if (wanted_ms <= now_ms) return wanted_ms;
  throw new ServiceError(
    'InvalidArgumentException',
    `The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: ${wanted_ms}, currentTimestampInMillis: ${Math.floor(now_ms)}`,
  );
}

function mixed(type: string, what: string): ServiceError {
  return new ServiceError(
    'InvalidArgumentException',
    `Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ${type} and ${what}.`,
  );
}
