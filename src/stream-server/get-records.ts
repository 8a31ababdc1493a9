import { GET_RECORDS_COUNT_MAX, type Operations, shardIdOf } from '../kinesis/kinesis.ts';
import type { Encoding } from './encoding.ts';
import { type IteratorPosition, issueIterator, readIterator } from './iterator-token.ts';
import type { LiveShard, LiveStream } from './live-stream.ts';
import { type RecordsBody, recordsBody } from './records-body.ts';
import { findStream, noShard, rateExceeded, type Service } from './service.ts';
import { ServiceError } from './service-error.ts';

/** What a record takes up in the log and in an answer, guessed, so that buffers begin with about the right size. */
const FRAME_BYTES_GUESS = 512;
const CHUNK_BYTES = { least: 64 * 1024, most: 1024 * 1024 };

type Input = Operations['GetRecords']['input'];

export async function getRecords(service: Service, input: Input, encoding: Encoding): Promise<Buffer> {
  const position = readIterator(input.ShardIterator, service.clock.now());
  return service.reads.pass(() => readAt(service, position, { ...input, encoding }));
}

async function readAt(
  service: Service,
  position: IteratorPosition,
  input: Input & { encoding: Encoding },
): Promise<Buffer> {
  const { stream, shard } = find(service, position, input.StreamARN);
  if (service.limits && !service.limits.takeRead(shard))
    throw new ServiceError(
      'ProvisionedThroughputExceededException',
      rateExceeded(service, { stream: stream.entry.name, shard: shard.id }),
    );
  const limit = input.Limit ?? GET_RECORDS_COUNT_MAX;
  const backlog = Math.max(0, shard.log.lastIndex + 1 - position.next);
  const guess_bytes = Math.min(limit, backlog) * FRAME_BYTES_GUESS;
  const body = recordsBody(input.encoding, shard.numbers, {
    limit,
    room_bytes: guess_bytes + 1024,
    buffers: service.buffers,
  });
  const chunk_bytes = Math.min(Math.max(guess_bytes, CHUNK_BYTES.least), CHUNK_BYTES.most);
  await shard.log.read({ from: position.next, chunk_bytes }, (bytes, at, length) =>
    body.add(bytes, at, length),
  );
  service.limits?.wasRead(shard, body.payload_bytes);
  if (stream.isDeleted) throw gone(service, position);
  const next = body.count > 0 ? body.lastIndex + 1 : position.next;
  const behind_ms = millisBehind(service, shard, { next, body });
  return body.finish(ending(service, { stream, shard, position: { ...position, next }, behind_ms }));
}

function find(service: Service, position: IteratorPosition, arn: string | undefined): Place {
  const stream = service.store.stream(position.stream);
  if (stream?.entry.createdAt_ms !== position.streamCreatedAt_ms) throw gone(service, position);
  if (arn !== undefined && findStream(service, { StreamARN: arn }) !== stream) throw gone(service, position);
  const shard = stream?.shard(position.shardIndex);
  if (!stream || !shard) throw gone(service, position);
  return { stream, shard };
}

interface Place {
  stream: LiveStream;
  shard: LiveShard;
}

function gone(service: Service, { stream, shardIndex }: IteratorPosition): Error {
  return noShard(service, { stream, shard: shardIdOf(shardIndex) });
}

/** 0 means that there is nothing more, and nothing else may mean it: readers stop there. */
export function millisBehind(
  service: Service,
  { log }: LiveShard,
  read: { next: number; body: RecordsBody },
): number {
  if (!log.hasRecordsFrom(read.next)) return 0;
  const at_ms = read.body.count > 0 ? read.body.lastArrival_ms : service.clock.now();
  return Math.max(1, Math.floor(service.clock.now() - at_ms));
}

/** A shard that is closed and read to its end has no next iterator, but children to go on with. */
function ending(
  service: Service,
  { stream, shard, position, behind_ms }: Place & { position: IteratorPosition; behind_ms: number },
): object {
  if (shard.entry.closedAt_ms !== undefined && !shard.log.hasRecordsFrom(position.next))
    return { NextShardIterator: null, MillisBehindLatest: 0, ChildShards: stream.children(shard) };
  const NextShardIterator = issueIterator(position, service.clock.now());
  return { NextShardIterator, MillisBehindLatest: behind_ms };
}
