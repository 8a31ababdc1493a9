import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeKinesis } from '../../tests/support/fake-kinesis.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import { type ClientOptions, KinesisClient } from './client.ts';

let fake: FakeKinesis;
const clients: KinesisClient[] = [];

beforeEach(async () => {
  fake = await FakeKinesis.start();
  fake.create('events', 1);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await fake.stop();
});

function open(options: Partial<ClientOptions> = {}): KinesisClient {
  const client = new KinesisClient({
    endpoint: new URL(fake.endpoint),
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    clock: new VirtualClock({ now_ms: fake.now_ms }),
    ...options,
  });
  clients.push(client);
  return client;
}

const ref = { StreamName: 'events' };
const describeStream = (client: KinesisClient) => client.call('DescribeStreamSummary', ref);

it('signs again by the clock of the server when ours is off, and remembers the difference', async () => {
  fake.skewMax_ms = 300_000;
  const client = open({ clock: new VirtualClock({ now_ms: fake.now_ms - 3_600_000 }) });
  await describeStream(client);
  await describeStream(client);
  expect(fake.count('DescribeStreamSummary')).toBe(3);
});

it('calls a refused signature a problem with the credentials', async () => {
  fake.script('DescribeStreamSummary', { error: 'InvalidSignatureException', message: 'does not match' });
  await expect(describeStream(open())).rejects.toMatchObject({
    code: 'stream.credentials',
    fault: 'user',
    retry: 'never',
    why: expect.stringContaining('does not match'),
  });
});

it('asks the provider again for a session token that ran out, once', async () => {
  let asked = 0;
  const credentials = async () => ({ accessKeyId: `id${++asked}`, secretAccessKey: 's', sessionToken: 't' });
  fake.script('DescribeStreamSummary', { error: 'ExpiredTokenException' });
  await describeStream(open({ credentials }));
  expect(asked).toBe(2);
  fake.script(
    'DescribeStreamSummary',
    { error: 'ExpiredTokenException' },
    { error: 'ExpiredTokenException' },
  );
  await expect(describeStream(open({ credentials }))).rejects.toMatchObject({
    code: 'stream.credentials',
    retry: 'never',
  });
});

it('waits for a new session where one that served ran out, and has the provider load it anew', async () => {
  const asked: unknown[] = [];
  const credentials = async (how?: object) => {
    asked.push(how);
    return { accessKeyId: 'id', secretAccessKey: 's', sessionToken: 't' };
  };
  const client = open({ credentials });
  await describeStream(client);
  const expired = { error: 'ExpiredTokenException', message: 'The security token is expired' };
  fake.script('DescribeStreamSummary', expired, expired);
  await expect(describeStream(client)).rejects.toMatchObject({
    code: 'stream.credentials',
    retry: 'backoff',
    why: 'ExpiredTokenException: The security token is expired',
    hint: expect.stringContaining('log in again'),
  });
  expect(asked).toEqual([undefined, undefined, { forceRefresh: true }]);
  await describeStream(client);
  expect(asked.at(-1)).toBeUndefined();
});

it('goes on calling other refusals of who we are the user’s, whatever was taken before', async () => {
  const client = open();
  await describeStream(client);
  fake.script('DescribeStreamSummary', { error: 'UnrecognizedClientException' });
  await expect(describeStream(client)).rejects.toMatchObject({ code: 'stream.credentials', retry: 'never' });
});

it('waits for a provider that gave credentials before', async () => {
  let away = false;
  const credentials = async () => {
    if (away) throw new Error('IMDS: timeout');
    return { accessKeyId: 'id', secretAccessKey: 's' };
  };
  const client = open({ credentials });
  await describeStream(client);
  away = true;
  const failure = { code: 'stream.credentials', retry: 'backoff', why: 'IMDS: timeout' };
  await expect(describeStream(client)).rejects.toMatchObject(failure);
  away = false;
  await describeStream(client);
});

it('says that there are no credentials when the provider finds none', async () => {
  const credentials = () => Promise.reject(new Error('no profile'));
  await expect(describeStream(open({ credentials }))).rejects.toMatchObject({
    code: 'stream.credentials',
    fault: 'user',
    why: 'no profile',
  });
});

it.each([
  ['ProvisionedThroughputExceededException', 400, 'backoff'],
  ['LimitExceededException', 400, 'backoff'],
  ['InternalFailureException', 500, 'backoff'],
  ['ServiceUnavailable', 503, 'backoff'],
  ['AccessDeniedException', 400, 'never'],
  ['ValidationException', 400, 'never'],
] as const)('says of %s whether a retry can help', async (error, status, retry) => {
  fake.script('DescribeStreamSummary', { error, status });
  await expect(describeStream(open())).rejects.toMatchObject({ code: `kinesis.${error}`, retry });
});

it.each([{ lost: true } as const, { cut: true } as const])(
  'takes an answer that broke off for none: %o',
  async (fault) => {
    fake.script('GetRecords', fault);
    const client = open();
    const { ShardIterator } = await client.call('GetShardIterator', {
      ...ref,
      ShardId: 'shardId-000000000000',
      ShardIteratorType: 'TRIM_HORIZON',
    });
    await expect(client.getRecords({ ShardIterator })).rejects.toMatchObject({
      code: 'stream.unreachable',
      fault: 'service',
      retry: 'backoff',
    });
    expect(JSON.parse((await client.getRecords({ ShardIterator })).bytes.toString()).Records).toEqual([]);
  },
);

it.each([
  ['ours', { server: 'lakeward' }, {}, 'cbor'],
  ['ours, where it is told to ask for JSON', { server: 'lakeward' }, { recordsEncoding: 'json' }, 'json'],
  ['another', { server: 'nginx' }, {}, 'json'],
  ['one that says nothing', {}, {}, 'json'],
] as const)('asks a server that is %s for records in its encoding', async (_, says, options, encoding) => {
  Object.assign(fake, says);
  const client = open(options);
  const input = { ...ref, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' } as const;
  const { ShardIterator } = await client.call('GetShardIterator', input);
  expect(await client.getRecords({ ShardIterator })).toMatchObject({ encoding });
});

it('says where nothing answers', async () => {
  const client = open({ endpoint: new URL('http://127.0.0.1:1') });
  await expect(describeStream(client)).rejects.toMatchObject({
    message: 'DescribeStreamSummary: no answer from http://127.0.0.1:1',
    code: 'stream.unreachable',
  });
});

it('does not wait for ever for a server that says nothing', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  const endpoint = new URL(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  const client = open({ endpoint, read_ms: 20 });
  await expect(describeStream(client)).rejects.toMatchObject({
    why: 'no answer for 20 ms',
    retry: 'backoff',
  });
  silent.close();
});

it('keeps its connection', async () => {
  const client = open();
  for (let i = 0; i < 5; i++) await describeStream(client);
  expect(await fake.connections()).toBe(1);
});

it('says that a page of HTML is no answer of Kinesis', async () => {
  fake.script('DescribeStreamSummary', { garbage: '<html>' });
  await expect(describeStream(open())).rejects.toMatchObject({ code: 'stream.bad_answer', why: '<html>' });
});
