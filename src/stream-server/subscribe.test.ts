import { type IncomingMessage, request } from 'node:http';
import { type ClientHttp2Stream, connect } from 'node:http2';
import {
  CreateStreamCommand,
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListStreamConsumersCommand,
  RegisterStreamConsumerCommand,
  type StartingPosition,
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
} from '@aws-sdk/client-kinesis';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test } from 'vitest';
import { CBOR_CONTENT_TYPE, decodeCbor, encodeCbor } from '../kinesis/kinesis.ts';
import { base64, call, putTexts, signedHeaders, type TestServer, testServer } from './test-server.ts';

const StreamName = 'events';
const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/events';
const SHARD = 'shardId-000000000000';
const HORIZON: StartingPosition = { Type: 'TRIM_HORIZON' };

const clients: KinesisClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

/** Over HTTP/2, which is the SDK's default, or by its handler for HTTP/1.1. */
function sdk({ endpoint }: TestServer, version: 'HTTP/2' | 'HTTP/1.1' = 'HTTP/2'): KinesisClient {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const options = { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  const { requestHandler } = new S3Client({ region: 'us-east-1', credentials }).config;
  const client = new KinesisClient({ ...options, ...(version === 'HTTP/1.1' && { requestHandler }) });
  clients.push(client);
  return client;
}

async function withConsumer(options: Parameters<typeof testServer>[0] = {}) {
  const server = await testServer(options);
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  const { Consumer } = await call(server, 'RegisterStreamConsumer', { StreamARN, ConsumerName: 'app' });
  return Object.assign(server, { consumer: Consumer.ConsumerARN });
}

type Served = Awaited<ReturnType<typeof withConsumer>>;

/** The events of one subscription, one after the other. */
async function subscribe(client: KinesisClient, server: Served, StartingPosition = HORIZON) {
  const input = { ConsumerARN: server.consumer, ShardId: SHARD, StartingPosition };
  const { EventStream } = await client.send(new SubscribeToShardCommand(input));
  const events = EventStream![Symbol.asyncIterator]();
  return {
    async next(): Promise<SubscribeToShardEvent | 'end'> {
      const { done, value } = await events.next();
      return done ? 'end' : (value.SubscribeToShardEvent ?? Promise.reject(new Error(JSON.stringify(value))));
    },
  };
}

async function toTheEnd(subscription: { next(): Promise<SubscribeToShardEvent | 'end'> }): Promise<void> {
  for (;;) if ((await subscription.next()) === 'end') return;
}

const textsOf = (event: SubscribeToShardEvent | 'end') =>
  event === 'end' ? [] : (event.Records ?? []).map(({ Data }) => Buffer.from(Data!).toString('utf8'));

test('consumers are registered, described, listed and deregistered', async () => {
  await using server = await testServer();
  const client = sdk(server);
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  const register = () => client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'app' }));
  const { Consumer } = await register();
  const now_s = Math.floor(server.clock.now() / 1000);
  expect(Consumer).toEqual({
    ConsumerName: 'app',
    ConsumerARN: `${StreamARN}/consumer/app:${now_s}`,
    ConsumerStatus: 'ACTIVE',
    ConsumerCreationTimestamp: new Date(now_s * 1000),
  });
  await expect(register()).rejects.toMatchObject({ name: 'ResourceInUseException' });
  for (const ref of [{ ConsumerARN: Consumer!.ConsumerARN! }, { StreamARN, ConsumerName: 'app' }])
    expect((await client.send(new DescribeStreamConsumerCommand(ref))).ConsumerDescription).toEqual({
      ...Consumer,
      StreamARN,
    });
  await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'second' }));
  const first = await client.send(new ListStreamConsumersCommand({ StreamARN, MaxResults: 1 }));
  const { NextToken } = first;
  const rest = await client.send(new ListStreamConsumersCommand({ StreamARN, NextToken }));
  expect([first, rest].map(({ Consumers }) => Consumers?.map((c) => c.ConsumerName))).toEqual([
    ['app'],
    ['second'],
  ]);
  const summary = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
  expect(summary.StreamDescriptionSummary?.ConsumerCount).toBe(2);
  await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN: Consumer!.ConsumerARN! }));
  await expect(
    client.send(new DescribeStreamConsumerCommand({ StreamARN, ConsumerName: 'app' })),
  ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  // Another one of that name is another one.
  expect((await register()).Consumer?.ConsumerARN).not.toBe(Consumer!.ConsumerARN);
});

test('consumers outlive a restart, and hold their stream', async () => {
  const before = await withConsumer();
  await before.close();
  await using server = await testServer({ folder: before.folder, clock: before.clock });
  const { Consumers } = await call(server, 'ListStreamConsumers', { StreamARN });
  expect(Consumers.map(({ ConsumerARN }) => ConsumerARN)).toEqual([before.consumer]);
  await expect(call(server, 'DeleteStream', { StreamName })).rejects.toThrow(/^ResourceInUseException/);
  await call(server, 'DeleteStream', { StreamName, EnforceConsumerDeletion: true });
});

test('a stream has at most 20 consumers', async () => {
  await using server = await withConsumer();
  for (let i = 1; i < 20; i++)
    await call(server, 'RegisterStreamConsumer', { StreamARN, ConsumerName: `app-${i}` });
  await expect(
    call(server, 'RegisterStreamConsumer', { StreamARN, ConsumerName: 'one-more' }),
  ).rejects.toThrow(/^LimitExceededException/);
});

test.each(['HTTP/2', 'HTTP/1.1'] as const)(
  'over %s records are pushed as they come, and a split ends it with the children',
  async (version) => {
    await using server = await withConsumer();
    const numbers = await putTexts(server, StreamName, ['a', 'b']);
    const subscription = await subscribe(sdk(server, version), server);
    const first = (await subscription.next()) as SubscribeToShardEvent;
    expect(textsOf(first)).toEqual(['a', 'b']);
    expect(first.Records?.map(({ SequenceNumber }) => SequenceNumber)).toEqual(numbers);
    expect(first).toMatchObject({ MillisBehindLatest: 0, ContinuationSequenceNumber: numbers[1] });
    expect(first.Records?.[0]).toMatchObject({
      PartitionKey: 'key',
      ApproximateArrivalTimestamp: new Date(server.clock.now()),
    });
    await putTexts(server, StreamName, ['c']);
    expect(textsOf(await subscription.next())).toEqual(['c']);
    await call(server, 'SplitShard', {
      StreamName,
      ShardToSplit: SHARD,
      NewStartingHashKey: String(2n ** 127n),
    });
    const end = (await subscription.next()) as SubscribeToShardEvent;
    expect(end.ContinuationSequenceNumber ?? undefined).toBeUndefined();
    expect(end.ChildShards?.map(({ ShardId, ParentShards }) => [ShardId, ParentShards])).toEqual([
      ['shardId-000000000001', [SHARD]],
      ['shardId-000000000002', [SHARD]],
    ]);
    expect(await subscription.next()).toBe('end');
  },
);

test('a large backlog comes in order, in events of a bounded size', async () => {
  await using server = await withConsumer();
  const sent = Array.from({ length: 40 }, (_, i) => `${i} `.padEnd(100_000, 'x'));
  await putTexts(server, StreamName, sent);
  const subscription = await subscribe(sdk(server), server);
  const read: string[][] = [];
  while (read.flat().length < sent.length) read.push(textsOf(await subscription.next()));
  expect(read.flat()).toEqual(sent);
  for (const event of read) expect(event.length).toBeLessThanOrEqual(10);
});

test('where shards are limited, a subscription is pushed 2 MiB a second', async () => {
  await using server = await withConsumer({ limits: 'on' });
  for (let i = 0; i < 4; i++) {
    await putTexts(
      server,
      StreamName,
      Array.from({ length: 4 }, () => 'x'.repeat(256 * 1024 - 3)),
    );
    server.clock.move(1_000);
  }
  const held = server.clock.whenSleeping(500);
  const subscription = await subscribe(sdk(server), server);
  for (let i = 0; i < 3; i++) expect(textsOf(await subscription.next())).toHaveLength(4);
  await held;
  server.clock.move(500);
  expect(textsOf(await subscription.next())).toHaveLength(4);
});

test('an idle shard is heard of every five seconds, with a place to go on from', async () => {
  await using server = await withConsumer();
  const idle = server.clock.whenSleeping(5_000);
  const client = sdk(server);
  const subscription = await subscribe(client, server, { Type: 'LATEST' });
  const first = (await subscription.next()) as SubscribeToShardEvent;
  await idle;
  server.clock.move(5_000);
  const second = (await subscription.next()) as SubscribeToShardEvent;
  expect(second).toMatchObject({ Records: [], MillisBehindLatest: 0 });
  expect(second.ContinuationSequenceNumber! > first.ContinuationSequenceNumber!).toBe(true);
  await putTexts(server, StreamName, ['a']);
  expect(textsOf(await subscription.next())).toEqual(['a']);
  const again = await subscribe(client, server, {
    Type: 'AFTER_SEQUENCE_NUMBER',
    SequenceNumber: second.ContinuationSequenceNumber!,
  });
  expect(textsOf(await again.next())).toEqual(['a']);
  await expect(toTheEnd(subscription)).rejects.toMatchObject({ name: 'ResourceInUseException' });
});

test('after five minutes it ends well, and the consumer goes on where it was', async () => {
  await using server = await withConsumer();
  const client = sdk(server);
  const [number] = await putTexts(server, StreamName, ['a']);
  const subscription = await subscribe(client, server);
  await subscription.next();
  server.clock.move(300_000);
  let last = await subscription.next();
  while (last !== 'end') last = await subscription.next();
  await putTexts(server, StreamName, ['b']);
  const start = { Type: 'AFTER_SEQUENCE_NUMBER' as const, SequenceNumber: number! };
  expect(textsOf(await (await subscribe(client, server, start)).next())).toEqual(['b']);
});

test('within five seconds a second subscription is refused, later it takes over', async () => {
  await using server = await withConsumer();
  const client = sdk(server);
  const first = await subscribe(client, server);
  await first.next();
  await expect(subscribe(client, server)).rejects.toMatchObject({ name: 'ResourceInUseException' });
  server.clock.move(5_000);
  const second = await subscribe(client, server);
  await expect(toTheEnd(first)).rejects.toMatchObject({ name: 'ResourceInUseException' });
  await putTexts(server, StreamName, ['a']);
  let texts: string[] = [];
  while (texts.length === 0) texts = textsOf(await second.next());
  expect(texts).toEqual(['a']);
});

test.each([
  [
    'the consumer is deregistered',
    (server: Served) => call(server, 'DeregisterStreamConsumer', { ConsumerARN: server.consumer }),
  ],
  [
    'the stream is deleted',
    (server: Served) => call(server, 'DeleteStream', { StreamName, EnforceConsumerDeletion: true }),
  ],
])('when %s, its subscriptions end with an error', async (_what, change) => {
  await using server = await withConsumer();
  const subscription = await subscribe(sdk(server), server);
  await subscription.next();
  await change(server);
  await expect(toTheEnd(subscription)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('a server that closes ends subscriptions well', async () => {
  const server = await withConsumer();
  const subscription = await subscribe(sdk(server, 'HTTP/1.1'), server);
  await subscription.next();
  const closed = server.close();
  expect(await subscription.next()).toBe('end');
  await closed;
});

test.each([
  ['an unknown consumer', { ConsumerARN: `${StreamARN}/consumer/other:1` }, 'ResourceNotFoundException'],
  ['an unknown shard', { ShardId: 'shardId-000000000009' }, 'ResourceNotFoundException'],
  ['no number', { StartingPosition: { Type: 'AT_SEQUENCE_NUMBER' as const } }, 'InvalidArgumentException'],
])('%s is an error before the stream', async (_what, wrong, name) => {
  await using server = await withConsumer();
  const input = { ConsumerARN: server.consumer, ShardId: SHARD, StartingPosition: HORIZON, ...wrong };
  await expect(sdk(server).send(new SubscribeToShardCommand(input))).rejects.toMatchObject({ name });
});

/** The bytes of a subscription until `enough`, as somebody reads them who then stops. */
function bytesOf(server: Served, body: Buffer, contentType: string, enough: (bytes: Buffer) => boolean) {
  return new Promise<Buffer>((resolve, reject) => {
    const headers = { ...signedHeaders('SubscribeToShard'), 'content-type': contentType };
    const sent = request(server.endpoint, { method: 'POST', headers, agent: false }, (answer) => {
      let bytes = Buffer.alloc(0);
      answer.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (!enough(bytes)) return;
        resolve(bytes);
        answer.destroy();
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Header text and payload of each message. */
function messages(bytes: Buffer): { headers: string; payload: Buffer }[] {
  const found = [];
  for (let at = 0; at + 12 <= bytes.length && at + bytes.readUInt32BE(at) <= bytes.length; ) {
    const [length, head] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
    const headers = bytes.toString('latin1', at + 12, at + 12 + head);
    found.push({ headers, payload: bytes.subarray(at + 12 + head, at + length - 4) });
    at += length;
  }
  return found;
}

test('a client that speaks CBOR gets events in CBOR, behind an initial response', async () => {
  await using server = await withConsumer();
  await putTexts(server, StreamName, ['a']);
  const body = encodeCbor({ ConsumerARN: server.consumer, ShardId: SHARD, StartingPosition: HORIZON });
  const bytes = await bytesOf(server, body, CBOR_CONTENT_TYPE, (b) => messages(b).length === 2);
  const [initial, event] = messages(bytes);
  for (const part of ['initial-response', CBOR_CONTENT_TYPE]) expect(initial?.headers).toContain(part);
  expect({ ...(decodeCbor(initial!.payload) as object) }).toEqual({});
  expect(event?.headers).toContain('SubscribeToShardEvent');
  expect(decodeCbor(event!.payload)).toMatchObject({
    Records: [{ PartitionKey: 'key', ApproximateArrivalTimestamp: server.clock.now() }],
    MillisBehindLatest: 0,
  });
});

interface Reader {
  leave(): void;
  /** All bytes that still come, and whether the end came as it should. */
  rest(): Promise<{ received: number; isWhole: boolean }>;
}

/** A subscriber without an SDK, which has seen the beginning of the answer and reads no further. */
async function subscriber(server: Served, version: 'HTTP/2' | 'HTTP/1.1'): Promise<Reader> {
  const body = JSON.stringify({ ConsumerARN: server.consumer, ShardId: SHARD, StartingPosition: HORIZON });
  const headers = signedHeaders('SubscribeToShard');
  const stream = await new Promise<IncomingMessage | ClientHttp2Stream>((resolve) => {
    if (version === 'HTTP/1.1')
      return request(server.endpoint, { method: 'POST', headers, agent: false }, resolve).end(body);
    const session = connect(server.endpoint);
    session.on('error', () => {});
    const sent = session.request({ ':method': 'POST', ':path': '/', ...headers });
    sent.on('response', () => resolve(sent));
    sent.on('close', () => session.destroy());
    return sent.end(body);
  });
  stream.on('error', () => {});
  let received = 0;
  let isWhole = false;
  stream.on('end', () => {
    isWhole = 'complete' in stream ? stream.complete : stream.rstCode === 0;
  });
  const closed = new Promise((resolve) => stream.once('close', resolve));
  return {
    leave: () => stream.destroy(),
    async rest() {
      stream.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      await closed;
      return { received, isWhole };
    },
  };
}

describe.each(['HTTP/2', 'HTTP/1.1'] as const)('over %s', (version) => {
  test('a reader that leaves frees its place', async () => {
    await using server = await withConsumer();
    await putTexts(server, StreamName, ['x'.repeat(1_000_000)]);
    for (let i = 0; i < 3; i++) {
      (await subscriber(server, version)).leave();
      await putTexts(server, StreamName, ['more']);
      server.clock.move(5_000);
    }
  });

  test('a reader that does not read is not read for, and is cut off when its time is over', async () => {
    await using server = await withConsumer();
    const record = { PartitionKey: 'k', Data: base64('x'.repeat(1_000_000)) };
    for (let i = 0; i < 4; i++)
      await call(server, 'PutRecords', { StreamName, Records: Array.from({ length: 10 }, () => record) });
    const reader = await subscriber(server, version);
    // Turns enough to read all of it, if nothing held the server back.
    for (let i = 0; i < 200; i++) await call(server, 'ListStreams', {});
    server.clock.move(300_000);
    await call(server, 'ListStreams', {});
    const { received, isWhole } = await reader.rest();
    expect(isWhole).toBe(false);
    expect(received).toBeLessThan(30_000_000);
  });
});
