import { GET_RECORDS_COUNT_MAX, type Operations, shardIdOf } from '../kinesis/kinesis.ts';
import { arnOf, findConsumer } from './consumer-operations.ts';
import type { Encoding } from './encoding.ts';
import { EventStream, eventFrame, exceptionFrame, initialResponse } from './event-frames.ts';
import { millisBehind } from './get-records.ts';
import type { LiveShard, LiveStream } from './live-stream.ts';
import { recordsBody } from './records-body.ts';
import { noShard, type Service } from './service.ts';
import { internalFailure, ServiceError } from './service-error.ts';
import { findShard, nextIndex } from './shard-iterator.ts';
import type { Subscription } from './subscriptions.ts';

/** Of one event, one record at least. A record may be larger. */
const EVENT_BYTES = 1024 * 1024;
const ROOM_BYTES = 64 * 1024;
/** A reader hears so often that there is nothing new; its place to go on from gets younger with it. */
const IDLE_MS = 5_000;

type Input = Operations['SubscribeToShard']['input'];

interface Reading {
  service: Service;
  stream: LiveStream;
  shardIndex: number;
  encoding: Encoding;
  subscription: Subscription;
  /** Index of the next record. */
  next: number;
}

export async function subscribeToShard(
  service: Service,
  input: Input,
  encoding: Encoding,
): Promise<EventStream> {
  const { stream, consumer } = findConsumer(service, input);
  const shard = findShard(service, stream, input.ShardId);
  const { Type, SequenceNumber, Timestamp } = input.StartingPosition;
  const next = await nextIndex(
    { service, stream, shard },
    {
      ShardIteratorType: Type,
      ...(SequenceNumber !== undefined && { StartingSequenceNumber: SequenceNumber }),
      ...(Timestamp !== undefined && { Timestamp }),
    },
  );
  const consumerArn = arnOf(stream, consumer);
  const subscription = service.subscriptions.begin({ consumerArn, shardId: shard.id });
  const reading = { service, stream, shardIndex: shard.entry.index, encoding, subscription, next };
  return new EventStream({
    frames: frames(reading),
    over: subscription.over,
    cancel: () => subscription.end(),
  });
}

/** One event at a time: the next one is read when the reader has taken this one. */
async function* frames(reading: Reading): AsyncGenerator<Buffer> {
  const { stream, subscription, encoding } = reading;
  try {
    yield initialResponse(encoding);
    yield* events(reading);
    if (subscription.failure) yield exceptionFrame(subscription.failure, encoding);
  } catch (error) {
    const known = error instanceof ServiceError ? error : internalFailure();
    if (known !== error)
      reading.service.log.error(
        'stream_server.subscription_failed',
        'A subscription failed for a reason of our own',
        { stream: stream.entry.name, why: String(error) },
      );
    yield exceptionFrame(known, encoding);
  } finally {
    subscription.finish();
  }
}

async function* events(reading: Reading): AsyncGenerator<Buffer> {
  const { service, stream, subscription } = reading;
  let isWoken = false;
  let waiting = new AbortController();
  const wake = () => {
    isWoken = true;
    waiting.abort();
  };
  const { log } = liveShard(reading);
  const pushed = service.limits?.pushed();
  const listening = [log.grown.listen(wake), stream.changed.listen(wake)];
  subscription.over.addEventListener('abort', wake, { once: true });
  try {
    while (!subscription.over.aborted) {
      isWoken = false;
      const { frame, bytes, isEnd, isBehind } = await service.reads.pass(() => readEvent(reading));
      yield frame;
      pushed?.take(bytes);
      if (isEnd) return;
      const debt_ms = pushed?.debt_ms ?? 0;
      if (debt_ms > 0) await service.clock.sleep(debt_ms, subscription.over);
      if (isBehind || isWoken) continue;
      waiting = new AbortController();
      await service.clock.sleep(IDLE_MS, waiting.signal);
    }
  } finally {
    for (const stop of listening) stop();
  }
}

interface Event {
  frame: Buffer;
  /** Of keys and data. */
  bytes: number;
  /** The shard is closed and read to its end. */
  isEnd: boolean;
  isBehind: boolean;
}

async function readEvent(reading: Reading): Promise<Event> {
  const { service, stream, encoding } = reading;
  const shard = liveShard(reading);
  const limits = { limit: GET_RECORDS_COUNT_MAX, payload_bytes: EVENT_BYTES, room_bytes: ROOM_BYTES };
  const body = recordsBody(encoding, shard.numbers, limits);
  await shard.log.read({ from: reading.next, chunk_bytes: EVENT_BYTES }, (bytes, at, length) =>
    body.add(bytes, at, length),
  );
  if (body.count > 0) reading.next = body.lastIndex + 1;
  const isBehind = shard.log.hasRecordsFrom(reading.next);
  const isEnd = !isBehind && liveShard(reading).entry.closedAt_ms !== undefined;
  const payload = body.finish({
    ContinuationSequenceNumber: isEnd
      ? null
      : shard.numbers.text(Math.max(0, reading.next - 1), service.clock.now()),
    MillisBehindLatest: millisBehind(service, shard, { next: reading.next, body }),
    ...(isEnd && { ChildShards: stream.children(shard) }),
  });
  const frame = eventFrame('SubscribeToShardEvent', payload, encoding);
  return { frame, bytes: body.payload_bytes, isEnd, isBehind };
}

/** As the stream has it now: it may have been closed, or be gone. */
function liveShard({ service, stream, shardIndex }: Reading): LiveShard {
  const shard = stream.isDeleted ? undefined : stream.shard(shardIndex);
  if (shard) return shard;
  throw noShard(service, { stream: stream.entry.name, shard: shardIdOf(shardIndex) });
}
