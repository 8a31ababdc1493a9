/**
 * Inputs and outputs of the operations that we speak, as JSON 1.1 has them: blobs are base64 text, timestamps epoch
 * seconds with millisecond decimals, sequence numbers and hash keys decimal text.
 * Source: the service model 2013-12-02 (boto/botocore data/kinesis/2013-12-02/service-2.json).
 */
export const TARGET_PREFIX = 'Kinesis_20131202.';
export const JSON_CONTENT_TYPE = 'application/x-amz-json-1.1';
export const CBOR_CONTENT_TYPE = 'application/x-amz-cbor-1.1';

/** What our embedded server says of itself in the header `Server`: an endpoint that speaks CBOR as Amazon does. */
export const EMBEDDED_SERVER = 'lakeward';

/** What enhanced monitoring may count; `ALL` stands for the seven of them. */
export const SHARD_LEVEL_METRICS = [
  'IncomingBytes',
  'IncomingRecords',
  'IteratorAgeMilliseconds',
  'OutgoingBytes',
  'OutgoingRecords',
  'ReadProvisionedThroughputExceeded',
  'WriteProvisionedThroughputExceeded',
] as const;

export interface StreamRef {
  StreamName?: string;
  StreamARN?: string;
}

export interface HashKeyRangeShape {
  StartingHashKey: string;
  EndingHashKey: string;
}

export interface ShardShape {
  ShardId: string;
  ParentShardId?: string;
  AdjacentParentShardId?: string;
  HashKeyRange: HashKeyRangeShape;
  SequenceNumberRange: { StartingSequenceNumber: string; EndingSequenceNumber?: string };
}

export interface ChildShardShape {
  ShardId: string;
  ParentShards: string[];
  HashKeyRange: HashKeyRangeShape;
}

export interface RecordShape {
  SequenceNumber: string;
  ApproximateArrivalTimestamp: number;
  Data: string;
  PartitionKey: string;
  EncryptionType?: string;
}

export interface PutRecordsEntry {
  Data: string;
  PartitionKey: string;
  ExplicitHashKey?: string;
}

export interface PutRecordsResultEntry {
  SequenceNumber?: string;
  ShardId?: string;
  ErrorCode?: string;
  ErrorMessage?: string;
}

export type ShardIteratorType =
  | 'AT_SEQUENCE_NUMBER'
  | 'AFTER_SEQUENCE_NUMBER'
  | 'TRIM_HORIZON'
  | 'LATEST'
  | 'AT_TIMESTAMP';

export type ShardFilterType =
  | 'AFTER_SHARD_ID'
  | 'AT_TRIM_HORIZON'
  | 'FROM_TRIM_HORIZON'
  | 'AT_LATEST'
  | 'AT_TIMESTAMP'
  | 'FROM_TIMESTAMP';

export interface ShardFilterShape {
  Type: ShardFilterType;
  ShardId?: string;
  Timestamp?: number;
}

export type StreamStatus = 'CREATING' | 'DELETING' | 'ACTIVE' | 'UPDATING';
export type StreamMode = 'PROVISIONED' | 'ON_DEMAND';

/** What every description of a stream has. */
export interface StreamFacts {
  StreamName: string;
  StreamARN: string;
  StreamStatus: StreamStatus;
  StreamModeDetails: { StreamMode: StreamMode };
  RetentionPeriodHours: number;
  StreamCreationTimestamp: number;
  EnhancedMonitoring: { ShardLevelMetrics: string[] }[];
  EncryptionType: 'NONE' | 'KMS';
  KeyId?: string;
}

export type StreamSummaryShape = Pick<
  StreamFacts,
  'StreamName' | 'StreamARN' | 'StreamStatus' | 'StreamModeDetails' | 'StreamCreationTimestamp'
>;

export interface ConsumerShape {
  ConsumerName: string;
  ConsumerARN: string;
  ConsumerStatus: 'CREATING' | 'DELETING' | 'ACTIVE';
  ConsumerCreationTimestamp: number;
}

interface TagShape {
  Key: string;
  Value: string;
}

interface MetricsShape {
  StreamName: string;
  StreamARN: string;
  CurrentShardLevelMetrics: string[];
  DesiredShardLevelMetrics: string[];
}

/** A consumer by its ARN, or by its stream and name. */
interface ConsumerRef {
  StreamARN?: string;
  ConsumerName?: string;
  ConsumerARN?: string;
}

export interface Operations {
  CreateStream: {
    input: {
      StreamName: string;
      ShardCount?: number;
      StreamModeDetails?: { StreamMode: StreamMode };
      MaxRecordSizeInKiB?: number;
      Tags?: Record<string, string>;
    };
    output: undefined;
  };
  DeleteStream: { input: StreamRef & { EnforceConsumerDeletion?: boolean }; output: undefined };
  ListStreams: {
    input: { Limit?: number; ExclusiveStartStreamName?: string; NextToken?: string };
    output: {
      StreamNames: string[];
      HasMoreStreams: boolean;
      NextToken?: string;
      StreamSummaries: StreamSummaryShape[];
    };
  };
  DescribeStream: {
    input: StreamRef & { Limit?: number; ExclusiveStartShardId?: string };
    output: { StreamDescription: StreamFacts & { Shards: ShardShape[]; HasMoreShards: boolean } };
  };
  DescribeStreamSummary: {
    input: StreamRef;
    output: {
      StreamDescriptionSummary: StreamFacts & {
        OpenShardCount: number;
        ConsumerCount: number;
        MaxRecordSizeInKiB: number;
      };
    };
  };
  ListShards: {
    input: StreamRef & {
      NextToken?: string;
      MaxResults?: number;
      ExclusiveStartShardId?: string;
      StreamCreationTimestamp?: number;
      ShardFilter?: ShardFilterShape;
    };
    output: { Shards: ShardShape[]; NextToken?: string };
  };
  RegisterStreamConsumer: {
    input: { StreamARN: string; ConsumerName: string; Tags?: Record<string, string> };
    output: { Consumer: ConsumerShape };
  };
  DeregisterStreamConsumer: { input: ConsumerRef; output: undefined };
  DescribeStreamConsumer: {
    input: ConsumerRef;
    output: { ConsumerDescription: ConsumerShape & { StreamARN: string } };
  };
  ListStreamConsumers: {
    input: { StreamARN: string; NextToken?: string; MaxResults?: number; StreamCreationTimestamp?: number };
    output: { Consumers: ConsumerShape[]; NextToken?: string };
  };
  /** Answers with an event stream; the output is that of one SubscribeToShardEvent. */
  SubscribeToShard: {
    input: {
      ConsumerARN: string;
      ShardId: string;
      StartingPosition: { Type: ShardIteratorType; SequenceNumber?: string; Timestamp?: number };
    };
    output: {
      Records: RecordShape[];
      ContinuationSequenceNumber: string | null;
      MillisBehindLatest: number;
      ChildShards?: ChildShardShape[];
    };
  };
  AddTagsToStream: { input: StreamRef & { Tags: Record<string, string> }; output: undefined };
  RemoveTagsFromStream: { input: StreamRef & { TagKeys: string[] }; output: undefined };
  ListTagsForStream: {
    input: StreamRef & { ExclusiveStartTagKey?: string; Limit?: number };
    output: { Tags: TagShape[]; HasMoreTags: boolean };
  };
  TagResource: { input: { ResourceARN: string; Tags: Record<string, string> }; output: undefined };
  UntagResource: { input: { ResourceARN: string; TagKeys: string[] }; output: undefined };
  ListTagsForResource: { input: { ResourceARN: string }; output: { Tags: TagShape[] } };
  IncreaseStreamRetentionPeriod: { input: StreamRef & { RetentionPeriodHours: number }; output: undefined };
  DecreaseStreamRetentionPeriod: { input: StreamRef & { RetentionPeriodHours: number }; output: undefined };
  EnableEnhancedMonitoring: { input: StreamRef & { ShardLevelMetrics: string[] }; output: MetricsShape };
  DisableEnhancedMonitoring: { input: StreamRef & { ShardLevelMetrics: string[] }; output: MetricsShape };
  UpdateStreamMode: {
    input: { StreamARN: string; StreamModeDetails: { StreamMode: StreamMode } };
    output: undefined;
  };
  UpdateMaxRecordSize: { input: { StreamARN?: string; MaxRecordSizeInKiB: number }; output: undefined };
  DescribeLimits: {
    input: Record<never, never>;
    output: {
      ShardLimit: number;
      OpenShardCount: number;
      OnDemandStreamCount: number;
      OnDemandStreamCountLimit: number;
    };
  };
  SplitShard: {
    input: StreamRef & { ShardToSplit: string; NewStartingHashKey: string };
    output: undefined;
  };
  MergeShards: {
    input: StreamRef & { ShardToMerge: string; AdjacentShardToMerge: string };
    output: undefined;
  };
  UpdateShardCount: {
    input: StreamRef & { TargetShardCount: number; ScalingType: 'UNIFORM_SCALING' };
    output: {
      StreamName: string;
      StreamARN: string;
      CurrentShardCount: number;
      TargetShardCount: number;
    };
  };
  PutRecord: {
    input: StreamRef & PutRecordsEntry & { SequenceNumberForOrdering?: string };
    output: { ShardId: string; SequenceNumber: string; EncryptionType?: string };
  };
  PutRecords: {
    input: StreamRef & { Records: PutRecordsEntry[] };
    output: { FailedRecordCount: number; Records: PutRecordsResultEntry[]; EncryptionType?: string };
  };
  GetShardIterator: {
    input: StreamRef & {
      ShardId: string;
      ShardIteratorType: ShardIteratorType;
      StartingSequenceNumber?: string;
      Timestamp?: number;
    };
    output: { ShardIterator: string };
  };
  GetRecords: {
    input: { ShardIterator: string; Limit?: number; StreamARN?: string };
    output: {
      Records: RecordShape[];
      NextShardIterator?: string | null;
      MillisBehindLatest: number;
      ChildShards?: ChildShardShape[];
    };
  };
}

export type OperationName = keyof Operations;
