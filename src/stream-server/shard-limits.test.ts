import { expect, test } from 'vitest';
import { base64, call, iterator, ManualClock, type TestServer, testServer } from './test-server.ts';
import { TokenBucket } from './token-bucket.ts';

const StreamName = 'events';

async function limited(options: Parameters<typeof testServer>[0] = {}): Promise<TestServer> {
  const server = await testServer({ limits: 'on', ...options });
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  return server;
}

function puts(server: TestServer, count: number, bytes = 1) {
  const record = { Data: base64('x'.repeat(bytes - 1)), PartitionKey: 'k' };
  const Records = Array.from({ length: count }, () => record);
  return call(server, 'PutRecords', { StreamName, Records });
}

test('a bucket holds one second’s worth, takes a larger piece when it is full, and works off the debt', () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(10, clock);
  clock.move(60_000);
  expect([bucket.has(10), bucket.has(25), bucket.debt_ms]).toEqual([true, true, 0]);
  bucket.take(25);
  expect([bucket.has(1), bucket.debt_ms]).toEqual([false, 1_500]);
  clock.move(1_600);
  expect([bucket.has(1), bucket.has(2), bucket.debt_ms]).toEqual([true, false, 0]);
  clock.move(-60_000);
  expect([bucket.has(1), bucket.has(2)]).toEqual([true, false]);
});

test('a shard takes 1,000 records a second; those beyond fail one by one', async () => {
  await using server = await limited();
  expect((await puts(server, 500)).FailedRecordCount).toBe(0);
  expect((await puts(server, 400)).FailedRecordCount).toBe(0);
  const { FailedRecordCount, Records } = await puts(server, 101);
  expect(FailedRecordCount).toBe(1);
  expect(Records[99]).toHaveProperty('SequenceNumber');
  expect(Records[100]).toEqual({
    ErrorCode: 'ProvisionedThroughputExceededException',
    ErrorMessage: 'Rate exceeded for shard shardId-000000000000 in stream events under account 000000000000.',
  });
  server.clock.move(1_000);
  expect((await puts(server, 500)).FailedRecordCount).toBe(0);
});

test('a shard takes 1 MiB a second, keys counted; a single put beyond is an error', async () => {
  await using server = await limited();
  expect((await puts(server, 4, 256 * 1024)).FailedRecordCount).toBe(0);
  const one = { StreamName, Data: base64('x'), PartitionKey: 'k' };
  await expect(call(server, 'PutRecord', one)).rejects.toThrow(
    'ProvisionedThroughputExceededException: Rate exceeded for shard shardId-000000000000 in stream events under account 000000000000.',
  );
  server.clock.move(1);
  await call(server, 'PutRecord', one);
});

test('each shard has limits of its own', async () => {
  await using server = await limited();
  const NewStartingHashKey = String(2n ** 127n);
  await puts(server, 4, 256 * 1024);
  await call(server, 'SplitShard', { StreamName, ShardToSplit: '0', NewStartingHashKey });
  expect((await puts(server, 4, 256 * 1024)).FailedRecordCount).toBe(0);
});

test('a shard is read five times a second, by all its readers together', async () => {
  await using server = await limited();
  const [a, b] = [await iterator(server, StreamName), await iterator(server, StreamName)];
  for (const ShardIterator of [a, b, a, b, a]) await call(server, 'GetRecords', { ShardIterator });
  const again = () => call(server, 'GetRecords', { ShardIterator: b });
  await expect(again()).rejects.toThrow(/^ProvisionedThroughputExceededException: Rate exceeded for shard/);
  server.clock.move(200);
  await again();
});

test('a shard gives 2 MiB a second: after 10 MiB at once, nothing for five', async () => {
  await using server = await limited();
  for (let i = 0; i < 10; i++) {
    await puts(server, 4, 256 * 1024);
    server.clock.move(1_000);
  }
  const ShardIterator = await iterator(server, StreamName);
  expect((await call(server, 'GetRecords', { ShardIterator })).Records).toHaveLength(40);
  const again = () => call(server, 'GetRecords', { ShardIterator });
  server.clock.move(3_900);
  await expect(again()).rejects.toThrow(/^ProvisionedThroughputExceededException/);
  server.clock.move(1_000);
  expect((await again()).Records).toHaveLength(40);
});

test('without the option nothing is limited', async () => {
  await using server = await limited({ limits: 'off' });
  for (let i = 0; i < 4; i++) expect((await puts(server, 500, 4_000)).FailedRecordCount).toBe(0);
  const ShardIterator = await iterator(server, StreamName);
  for (let i = 0; i < 8; i++) await call(server, 'GetRecords', { ShardIterator, Limit: 1 });
});
