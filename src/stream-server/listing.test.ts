import { expect, test } from 'vitest';
import { call, testServer } from './test-server.ts';

test('streams are listed by name, in pages', async () => {
  await using server = await testServer();
  for (const StreamName of ['c', 'a', 'b']) await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  const first = await call(server, 'ListStreams', { Limit: 2 });
  expect(first).toMatchObject({ StreamNames: ['a', 'b'], HasMoreStreams: true });
  const second = await call(server, 'ListStreams', { NextToken: first.NextToken! });
  expect(second).toMatchObject({ StreamNames: ['c'], HasMoreStreams: false });
  expect(second.NextToken).toBeUndefined();
  expect(await call(server, 'ListStreams', { ExclusiveStartStreamName: 'b' })).toMatchObject({
    StreamNames: ['c'],
  });
});

test('shards are listed in pages, whose tokens live for 300 seconds', async () => {
  await using server = await testServer();
  const StreamName = 'events';
  await call(server, 'CreateStream', { StreamName, ShardCount: 5 });
  const first = await call(server, 'ListShards', { StreamName, MaxResults: 3 });
  expect(first.Shards).toHaveLength(3);
  const NextToken = first.NextToken!;
  const second = await call(server, 'ListShards', { NextToken });
  expect(second.Shards.map(({ ShardId }) => ShardId)).toEqual([
    'shardId-000000000003',
    'shardId-000000000004',
  ]);
  expect(second.NextToken).toBeUndefined();
  await expect(call(server, 'ListShards', { StreamName, NextToken })).rejects.toThrow(
    /^InvalidArgumentException/,
  );
  await expect(call(server, 'ListShards', { NextToken: 'x' })).rejects.toThrow(/^InvalidArgumentException/);
  server.clock.move(300_001);
  await expect(call(server, 'ListShards', { NextToken })).rejects.toThrow(/^ExpiredNextTokenException/);
});

test('DescribeStream tells when there are more shards than it gave', async () => {
  await using server = await testServer();
  const StreamName = 'events';
  await call(server, 'CreateStream', { StreamName, ShardCount: 3 });
  const { StreamDescription: first } = await call(server, 'DescribeStream', { StreamName, Limit: 2 });
  expect(first).toMatchObject({ HasMoreShards: true, Shards: [{}, {}] });
  const ExclusiveStartShardId = first.Shards.at(-1)!.ShardId;
  const { StreamDescription: second } = await call(server, 'DescribeStream', {
    StreamName,
    ExclusiveStartShardId,
  });
  expect(second).toMatchObject({ HasMoreShards: false, Shards: [{ ShardId: 'shardId-000000000002' }] });
});

test('a stream is created once', async () => {
  await using server = await testServer();
  const create = () => call(server, 'CreateStream', { StreamName: 'events', ShardCount: 1 });
  const outcomes = await Promise.allSettled([create(), create(), create()]);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await expect(create()).rejects.toThrow(
    'ResourceInUseException: Stream events under account 000000000000 already exists.',
  );
});

test.each(['.', '..', 'con', 'x'.repeat(128), '...-_'])('a stream may be called %s', async (StreamName) => {
  await using server = await testServer();
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  await call(server, 'PutRecord', { StreamName, Data: '', PartitionKey: 'k' });
  await call(server, 'DeleteStream', { StreamName });
  expect(await call(server, 'ListStreams', {})).toMatchObject({ StreamNames: [] });
});

test('more shards than one server can carry are LimitExceededException', async () => {
  await using server = await testServer();
  await expect(call(server, 'CreateStream', { StreamName: 'a', ShardCount: 1_001 })).rejects.toThrow(
    /^LimitExceededException: This request would exceed the shard limit/,
  );
});

test('a provisioned stream needs its number of shards, an on-demand one brings its own', async () => {
  await using server = await testServer();
  await expect(call(server, 'CreateStream', { StreamName: 'a' })).rejects.toThrow(/^ValidationException/);
  await call(server, 'CreateStream', { StreamName: 'b', StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
  const { StreamDescriptionSummary } = await call(server, 'DescribeStreamSummary', { StreamName: 'b' });
  expect(StreamDescriptionSummary).toMatchObject({
    StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    OpenShardCount: 4,
  });
});
