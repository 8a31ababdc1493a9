import {
  GET_RECORDS_COUNT_MAX,
  type OperationName,
  PARTITION_KEY_CHARS_MAX,
  PUT_RECORDS_COUNT_MAX,
  RECORD_BYTES_MAX,
  SHARD_LEVEL_METRICS,
} from '../kinesis/kinesis.ts';

interface Constraints {
  notNull?: true;
  min?: number;
  max?: number;
  length_min?: number;
  length_max?: number;
  pattern?: RegExp;
  values?: readonly string[];
}

/** One member of an input, as the service model declares it. */
export type Member = Constraints &
  (
    | { type: 'String' | 'Integer' | 'Boolean' | 'Blob' | 'Timestamp' }
    | { type: 'Map' }
    | { type: 'Structure'; members: Shape }
    | { type: 'List'; of: Member; print: string }
  );

/** Members that are not listed are ignored, as the service ignores what it does not know. */
export type Shape = Readonly<Record<string, Member>>;

const name: Member = {
  type: 'String',
  length_min: 1,
  length_max: 128,
  pattern: /^[a-zA-Z0-9_.-]+$/,
};
const arn: Member = {
  type: 'String',
  length_min: 1,
  length_max: 2048,
  pattern: /^arn:aws.*:kinesis:.*:\d{12}:stream\/\S+$/,
};
const stream = { StreamName: name, StreamARN: arn };
const consumerArn: Member = {
  type: 'String',
  length_min: 1,
  length_max: 2048,
  pattern: /^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+$/,
};
const oneConsumer = { StreamARN: arn, ConsumerName: name, ConsumerARN: consumerArn };
const nextToken: Member = { type: 'String', length_min: 1, length_max: 1_048_576 };
const atMost10k: Member = { type: 'Integer', min: 1, max: 10_000 };
const timestamp: Member = { type: 'Timestamp' };
const sequenceNumber: Member = { type: 'String', pattern: /^(0|([1-9]\d{0,128}))$/ };

const hashKey: Member = { type: 'String', pattern: /^(0|([1-9]\d{0,38}))$/ };
const notNull = { notNull: true } as const;

const streamMode: Member = {
  type: 'Structure',
  members: { StreamMode: { type: 'String', notNull: true, values: ['PROVISIONED', 'ON_DEMAND'] } },
};
const recordSize: Member = { type: 'Integer', min: 1024, max: 10_240 };
const tagKey: Member = { type: 'String', length_min: 1, length_max: 128 };
const tagKeys: Member = {
  type: 'List',
  notNull: true,
  length_min: 1,
  length_max: 50,
  of: { ...tagKey, notNull: true },
  print: 'TagKey',
};
const resourceArn: Member = {
  type: 'String',
  notNull: true,
  length_min: 1,
  length_max: 2048,
  pattern: /^arn:aws.*:kinesis:.*:\d{12}:.*stream\/\S+$/,
};
const metrics: Member = {
  type: 'List',
  notNull: true,
  length_min: 1,
  length_max: 7,
  of: { type: 'String', notNull: true, values: [...SHARD_LEVEL_METRICS, 'ALL'] },
  print: 'MetricsName',
};

const POSITION_TYPES = [
  'AFTER_SEQUENCE_NUMBER',
  'LATEST',
  'AT_TIMESTAMP',
  'AT_SEQUENCE_NUMBER',
  'TRIM_HORIZON',
] as const;

const record: Shape = {
  PartitionKey: { type: 'String', notNull: true, length_min: 1, length_max: PARTITION_KEY_CHARS_MAX },
  ExplicitHashKey: hashKey,
  Data: { type: 'Blob', notNull: true, length_max: RECORD_BYTES_MAX },
};

export const INPUT_SHAPES: Record<OperationName, Shape> = {
  CreateStream: {
    ShardCount: { type: 'Integer', min: 1, max: 100_000 },
    StreamName: { ...name, notNull: true },
    StreamModeDetails: streamMode,
    MaxRecordSizeInKiB: recordSize,
    Tags: { type: 'Map' },
  },
  DeleteStream: { ...stream, EnforceConsumerDeletion: { type: 'Boolean' } },
  ListStreams: { Limit: atMost10k, ExclusiveStartStreamName: name, NextToken: nextToken },
  DescribeStream: { Limit: atMost10k, ExclusiveStartShardId: name, ...stream },
  DescribeStreamSummary: stream,
  ListShards: {
    ExclusiveStartShardId: name,
    MaxResults: atMost10k,
    NextToken: nextToken,
    StreamCreationTimestamp: timestamp,
    ShardFilter: {
      type: 'Structure',
      members: {
        Type: {
          type: 'String',
          notNull: true,
          values: [
            'AFTER_SHARD_ID',
            'AT_TRIM_HORIZON',
            'FROM_TRIM_HORIZON',
            'AT_LATEST',
            'AT_TIMESTAMP',
            'FROM_TIMESTAMP',
          ],
        },
        ShardId: name,
        Timestamp: timestamp,
      },
    },
    ...stream,
  },
  RegisterStreamConsumer: {
    StreamARN: { ...arn, notNull: true },
    ConsumerName: { ...name, notNull: true },
    Tags: { type: 'Map' },
  },
  DeregisterStreamConsumer: oneConsumer,
  DescribeStreamConsumer: oneConsumer,
  ListStreamConsumers: {
    StreamARN: { ...arn, notNull: true },
    NextToken: nextToken,
    MaxResults: atMost10k,
    StreamCreationTimestamp: timestamp,
  },
  SubscribeToShard: {
    ConsumerARN: { ...consumerArn, notNull: true },
    ShardId: { ...name, notNull: true },
    StartingPosition: {
      type: 'Structure',
      notNull: true,
      members: {
        Type: { type: 'String', notNull: true, values: POSITION_TYPES },
        SequenceNumber: sequenceNumber,
        Timestamp: timestamp,
      },
    },
  },
  AddTagsToStream: { ...stream, Tags: { type: 'Map', notNull: true } },
  RemoveTagsFromStream: { ...stream, TagKeys: tagKeys },
  ListTagsForStream: { ...stream, ExclusiveStartTagKey: tagKey, Limit: { type: 'Integer', min: 1, max: 50 } },
  TagResource: { ResourceARN: resourceArn, Tags: { type: 'Map', notNull: true } },
  UntagResource: { ResourceARN: resourceArn, TagKeys: tagKeys },
  ListTagsForResource: { ResourceARN: resourceArn },
  IncreaseStreamRetentionPeriod: { ...stream, RetentionPeriodHours: { type: 'Integer', notNull: true } },
  DecreaseStreamRetentionPeriod: { ...stream, RetentionPeriodHours: { type: 'Integer', notNull: true } },
  EnableEnhancedMonitoring: { ...stream, ShardLevelMetrics: metrics },
  DisableEnhancedMonitoring: { ...stream, ShardLevelMetrics: metrics },
  UpdateStreamMode: {
    StreamARN: { ...arn, notNull: true },
    StreamModeDetails: { ...streamMode, notNull: true },
  },
  UpdateMaxRecordSize: { StreamARN: arn, MaxRecordSizeInKiB: { ...recordSize, notNull: true } },
  DescribeLimits: {},
  SplitShard: {
    ...stream,
    ShardToSplit: { ...name, ...notNull },
    NewStartingHashKey: { ...hashKey, ...notNull },
  },
  MergeShards: {
    ...stream,
    ShardToMerge: { ...name, ...notNull },
    AdjacentShardToMerge: { ...name, ...notNull },
  },
  UpdateShardCount: {
    ...stream,
    TargetShardCount: { type: 'Integer', ...notNull, min: 1 },
    ScalingType: { type: 'String', ...notNull, values: ['UNIFORM_SCALING'] },
  },
  PutRecord: { SequenceNumberForOrdering: sequenceNumber, ...record, ...stream },
  PutRecords: {
    Records: {
      type: 'List',
      notNull: true,
      length_min: 1,
      length_max: PUT_RECORDS_COUNT_MAX,
      of: { type: 'Structure', members: record },
      print: 'com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry',
    },
    ...stream,
  },
  GetShardIterator: {
    ShardId: { ...name, notNull: true },
    ShardIteratorType: {
      type: 'String',
      notNull: true,
      values: POSITION_TYPES,
    },
    StartingSequenceNumber: sequenceNumber,
    ...stream,
    Timestamp: timestamp,
  },
  GetRecords: {
    Limit: { type: 'Integer', min: 1, max: GET_RECORDS_COUNT_MAX },
    ShardIterator: { type: 'String', notNull: true, length_min: 1, length_max: 512 },
    StreamARN: arn,
  },
};
