import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DescribeLimitsCommand,
  DescribeStreamSummaryCommand,
  EnableEnhancedMonitoringCommand,
  IncreaseStreamRetentionPeriodCommand,
  KinesisClient,
  ListTagsForStreamCommand,
  RemoveTagsFromStreamCommand,
  StartStreamEncryptionCommand,
  UpdateStreamModeCommand,
} from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import { SHARD_LEVEL_METRICS } from '../kinesis/kinesis.ts';
import {
  call,
  HOUR_MS,
  putTexts,
  raw,
  signedHeaders,
  type TestServer,
  testServer,
  texts,
} from './test-server.ts';

const StreamName = 'events';
const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/events';

async function withStream(options: Parameters<typeof testServer>[0] = {}): Promise<TestServer> {
  const server = await testServer(options);
  await call(server, 'CreateStream', { StreamName, ShardCount: 1, Tags: { team: 'data' } });
  return server;
}

const tagsOf = async (server: TestServer, ResourceARN = StreamARN) =>
  Object.fromEntries(
    (await call(server, 'ListTagsForResource', { ResourceARN })).Tags.map(({ Key, Value }) => [Key, Value]),
  );
const summary = async (server: TestServer) =>
  (await call(server, 'DescribeStreamSummary', { StreamName })).StreamDescriptionSummary;

test('what Terraform asks for when it makes a stream, by the AWS SDK', async () => {
  await using server = await testServer();
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const client = new KinesisClient({ endpoint: server.endpoint, region: 'us-east-1', credentials });
  const limits = await client.send(new DescribeLimitsCommand({}));
  expect(limits).toMatchObject({ ShardLimit: 1_000, OpenShardCount: 0, OnDemandStreamCount: 0 });
  await client.send(
    new CreateStreamCommand({ StreamName, ShardCount: 2, Tags: { team: 'data', empty: '' } }),
  );
  const retention = { StreamName, RetentionPeriodHours: 24 };
  await client.send(new IncreaseStreamRetentionPeriodCommand(retention));
  const ShardLevelMetrics = ['IncomingBytes' as const, 'OutgoingBytes' as const];
  const monitoring = await client.send(
    new EnableEnhancedMonitoringCommand({ StreamName, ShardLevelMetrics }),
  );
  expect(monitoring).toMatchObject({
    CurrentShardLevelMetrics: [],
    DesiredShardLevelMetrics: ShardLevelMetrics,
  });
  const read = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
  expect(read.StreamDescriptionSummary).toMatchObject({
    RetentionPeriodHours: 24,
    EncryptionType: 'NONE',
    OpenShardCount: 2,
    EnhancedMonitoring: [{ ShardLevelMetrics }],
    MaxRecordSizeInKiB: 1024,
    StreamModeDetails: { StreamMode: 'PROVISIONED' },
  });
  await client.send(new AddTagsToStreamCommand({ StreamName, Tags: { team: 'lake', env: 'dev' } }));
  await client.send(new RemoveTagsFromStreamCommand({ StreamName, TagKeys: ['env'] }));
  expect(await client.send(new ListTagsForStreamCommand({ StreamName }))).toMatchObject({
    Tags: [
      { Key: 'empty', Value: '' },
      { Key: 'team', Value: 'lake' },
    ],
    HasMoreTags: false,
  });
  const StreamModeDetails = { StreamMode: 'ON_DEMAND' as const };
  await client.send(new UpdateStreamModeCommand({ StreamARN, StreamModeDetails }));
  await client.send(new DecreaseStreamRetentionPeriodCommand(retention));
  const encryption = { StreamName, EncryptionType: 'KMS' as const, KeyId: 'alias/aws/kinesis' };
  await expect(client.send(new StartStreamEncryptionCommand(encryption))).rejects.toThrow(
    'The embedded stream has no StartStreamEncryption: it does not encrypt',
  );
  expect(await summary(server)).toMatchObject({ StreamModeDetails, EncryptionType: 'NONE' });
  client.destroy();
});

test('settings outlive a restart', async () => {
  const before = await withStream();
  await call(before, 'IncreaseStreamRetentionPeriod', { StreamName, RetentionPeriodHours: 48 });
  await call(before, 'UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: 2048 });
  await call(before, 'EnableEnhancedMonitoring', { StreamName, ShardLevelMetrics: ['ALL'] });
  await before.close();
  await using server = await testServer({ folder: before.folder });
  expect(await summary(server)).toMatchObject({
    RetentionPeriodHours: 48,
    MaxRecordSizeInKiB: 2048,
    EnhancedMonitoring: [{ ShardLevelMetrics: SHARD_LEVEL_METRICS }],
  });
  expect(await tagsOf(server)).toEqual({ team: 'data' });
  await putTexts(server, StreamName, ['x'.repeat(1_500_000)]);
});

test('tags of a stream and of a consumer are told apart, and listed in pages', async () => {
  await using server = await withStream();
  const { Consumer } = await call(server, 'RegisterStreamConsumer', {
    StreamARN,
    ConsumerName: 'app',
    Tags: { a: '1' },
  });
  const ResourceARN = Consumer.ConsumerARN;
  await call(server, 'TagResource', { ResourceARN, Tags: { b: '2' } });
  await call(server, 'UntagResource', { ResourceARN, TagKeys: ['a'] });
  await call(server, 'TagResource', { ResourceARN: StreamARN, Tags: { z: '3' } });
  expect(await tagsOf(server, ResourceARN)).toEqual({ b: '2' });
  expect(await tagsOf(server)).toEqual({ team: 'data', z: '3' });
  const first = await call(server, 'ListTagsForStream', { StreamName, Limit: 1 });
  expect(first).toEqual({ Tags: [{ Key: 'team', Value: 'data' }], HasMoreTags: true });
  expect(await call(server, 'ListTagsForStream', { StreamName, ExclusiveStartTagKey: 'team' })).toEqual({
    Tags: [{ Key: 'z', Value: '3' }],
    HasMoreTags: false,
  });
});

test('a stream has at most 50 tags, and none is added of those that are too many', async () => {
  await using server = await withStream();
  const Tags = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`tag-${i}`, '']));
  await expect(call(server, 'AddTagsToStream', { StreamName, Tags })).rejects.toThrow(/more than 50 tags/);
  expect(await tagsOf(server)).toEqual({ team: 'data' });
  await expect(
    call(server, 'AddTagsToStream', { StreamName, Tags: { ['k'.repeat(129)]: '' } }),
  ).rejects.toThrow(/^InvalidArgumentException/);
  await expect(
    call(server, 'AddTagsToStream', { StreamName, Tags: { a: 1 as unknown as string } }),
  ).rejects.toThrow(/^SerializationException/);
});

test.each([
  ['IncreaseStreamRetentionPeriod', 23, /too short/],
  ['IncreaseStreamRetentionPeriod', 8761, /too long/],
  ['IncreaseStreamRetentionPeriod', 47, /can not be shorter than existing retention period \(48 hours\)/],
  ['DecreaseStreamRetentionPeriod', 49, /can not be longer than existing retention period \(48 hours\)/],
] as const)('%s to %i hours is refused', async (operation, RetentionPeriodHours, error) => {
  await using server = await withStream({ retention_ms: 48 * HOUR_MS });
  await expect(call(server, operation, { StreamName, RetentionPeriodHours })).rejects.toThrow(error);
});

test('a stream’s own retention decides what is trimmed', async () => {
  await using server = await withStream({ held: () => 'none', segment_bytes: 1 });
  await call(server, 'IncreaseStreamRetentionPeriod', { StreamName, RetentionPeriodHours: 48 });
  await putTexts(server, StreamName, ['old']);
  const after = async (hours: number) => {
    await server.clock.asleep();
    server.clock.move(hours * HOUR_MS);
    await server.clock.asleep();
    return texts(server, StreamName);
  };
  expect(await after(30)).toEqual(['old']);
  await call(server, 'DecreaseStreamRetentionPeriod', { StreamName, RetentionPeriodHours: 24 });
  expect(await after(1)).toEqual([]);
});

test('an operation of Kinesis that is not here says why; what is none, does not', async () => {
  await using server = await testServer();
  const send = async (operation: string) =>
    (await raw(server, { headers: signedHeaders(operation), body: '{}' })).body;
  expect(await send('PutResourcePolicy')).toBe(
    '{"__type":"UnknownOperationException","message":"The embedded stream has no PutResourcePolicy: it checks that requests are signed, not by whom."}',
  );
  expect(await send('MakeCoffee')).toBe('{"__type":"UnknownOperationException"}');
});
