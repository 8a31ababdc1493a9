import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  ResourceNotFoundException,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import { testServer } from './test-server.ts';

/** As anybody would make it: over HTTP/2, which is the SDK's default. */
function sdk(endpoint: string): KinesisClient {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  return new KinesisClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
}

test('the AWS SDK for JavaScript creates, describes, lists and deletes streams', async () => {
  await using server = await testServer();
  const client = sdk(server.endpoint);
  await client.send(new CreateStreamCommand({ StreamName: 'events', ShardCount: 2 }));
  await client.send(new CreateStreamCommand({ StreamName: 'other', ShardCount: 1 }));
  const listed = await client.send(new ListStreamsCommand({}));
  expect(listed).toMatchObject({ StreamNames: ['events', 'other'], HasMoreStreams: false });
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamName: 'events' }));
  expect(StreamDescription).toMatchObject({
    StreamStatus: 'ACTIVE',
    StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
    StreamCreationTimestamp: new Date(server.clock.now()),
    RetentionPeriodHours: 24,
    HasMoreShards: false,
  });
  expect(StreamDescription?.Shards?.map(({ ShardId }) => ShardId)).toEqual([
    'shardId-000000000000',
    'shardId-000000000001',
  ]);
  const { StreamDescriptionSummary } = await client.send(
    new DescribeStreamSummaryCommand({ StreamARN: StreamDescription?.StreamARN }),
  );
  expect(StreamDescriptionSummary).toMatchObject({ StreamName: 'events', OpenShardCount: 2 });
  await client.send(new DeleteStreamCommand({ StreamName: 'events' }));
  await expect(client.send(new DescribeStreamCommand({ StreamName: 'events' }))).rejects.toThrow(
    ResourceNotFoundException,
  );
  client.destroy();
});

test('the AWS SDK for JavaScript puts records and reads the same bytes from each shard', async () => {
  await using server = await testServer();
  const client = sdk(server.endpoint);
  const StreamName = 'events';
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 3 }));
  const Records = Array.from({ length: 500 }, (_, i) => ({
    Data: Buffer.alloc(i, i),
    PartitionKey: `key "${i}" \\ ü \u0001`,
  }));
  const put = await client.send(new PutRecordsCommand({ StreamName, Records }));
  expect(put.FailedRecordCount).toBe(0);
  const one = { StreamName, Data: Buffer.from('one'), PartitionKey: 'one', ExplicitHashKey: '0' };
  expect(await client.send(new PutRecordCommand(one))).toMatchObject({ ShardId: 'shardId-000000000000' });

  const read = new Map<string, Buffer>();
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
  for (const { ShardId } of Shards) {
    const from = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' as const };
    const { ShardIterator } = await client.send(new GetShardIteratorCommand(from));
    const answer = await client.send(new GetRecordsCommand({ ShardIterator }));
    expect(answer.MillisBehindLatest).toBe(0);
    for (const record of answer.Records ?? []) {
      expect(record.ApproximateArrivalTimestamp).toEqual(new Date(server.clock.now()));
      read.set(`${ShardId} ${record.SequenceNumber} ${record.PartitionKey}`, Buffer.from(record.Data!));
    }
  }
  expect(read.size).toBe(501);
  for (const [i, { Data, PartitionKey }] of Records.entries()) {
    const { ShardId, SequenceNumber } = put.Records![i]!;
    expect(read.get(`${ShardId} ${SequenceNumber} ${PartitionKey}`)).toEqual(Data);
  }
  client.destroy();
});

test('the AWS SDK for JavaScript splits, merges, scales, and reads a closed shard to its children', async () => {
  await using server = await testServer();
  const client = sdk(server.endpoint);
  const StreamName = 'events';
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  await client.send(new PutRecordCommand({ StreamName, Data: Buffer.from('x'), PartitionKey: 'a' }));
  const [ShardToSplit, NewStartingHashKey] = ['shardId-000000000000', String(2n ** 127n)];
  await client.send(new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey }));
  const from = { StreamName, ShardId: ShardToSplit, ShardIteratorType: 'TRIM_HORIZON' as const };
  const { ShardIterator } = await client.send(new GetShardIteratorCommand(from));
  const end = await client.send(new GetRecordsCommand({ ShardIterator }));
  expect(end.NextShardIterator ?? undefined).toBeUndefined();
  expect(end.ChildShards?.map(({ ShardId, ParentShards }) => [ShardId, ParentShards])).toEqual([
    ['shardId-000000000001', [ShardToSplit]],
    ['shardId-000000000002', [ShardToSplit]],
  ]);
  const [ShardToMerge, AdjacentShardToMerge] = end.ChildShards!.map(({ ShardId }) => ShardId);
  await client.send(new MergeShardsCommand({ StreamName, ShardToMerge, AdjacentShardToMerge }));
  const scaling = { StreamName, TargetShardCount: 2, ScalingType: 'UNIFORM_SCALING' as const };
  expect(await client.send(new UpdateShardCountCommand(scaling))).toMatchObject({ CurrentShardCount: 1 });
  const { Shards } = await client.send(new ListShardsCommand({ StreamName }));
  expect(Shards).toHaveLength(6);
  client.destroy();
});
