import type { OperationName, Operations } from '../kinesis/kinesis.ts';
import {
  deregisterStreamConsumer,
  describeStreamConsumer,
  listStreamConsumers,
  registerStreamConsumer,
} from './consumer-operations.ts';
import { describeStream, describeStreamSummary, listStreams } from './describe-operations.ts';
import { type Encoding, encode } from './encoding.ts';
import { EventStream } from './event-frames.ts';
import { getRecords } from './get-records.ts';
import type { Run } from './protocol.ts';
import { putRecord, putRecords } from './put-operations.ts';
import { mergeShards, splitShard, updateShardCount } from './reshard-operations.ts';
import type { Service } from './service.ts';
import {
  decreaseStreamRetentionPeriod,
  describeLimits,
  disableEnhancedMonitoring,
  enableEnhancedMonitoring,
  increaseStreamRetentionPeriod,
  updateMaxRecordSize,
  updateStreamMode,
} from './settings-operations.ts';
import { getShardIterator } from './shard-iterator.ts';
import { listShards } from './shard-listing.ts';
import { createStream, deleteStream } from './stream-operations.ts';
import { subscribeToShard } from './subscribe-to-shard.ts';
import {
  addTagsToStream,
  listTagsForResource,
  listTagsForStream,
  removeTagsFromStream,
  tagResource,
  untagResource,
} from './tag-operations.ts';

type Output = object | string | Buffer | EventStream | undefined;

/** Text and bytes are encoded already: the operations with large answers write their own. */
type Handlers = {
  [O in OperationName]: (
    service: Service,
    input: Operations[O]['input'],
    encoding: Encoding,
  ) => Output | Promise<Output>;
};

const HANDLERS: Handlers = {
  CreateStream: createStream,
  DeleteStream: deleteStream,
  ListStreams: listStreams,
  DescribeStream: describeStream,
  DescribeStreamSummary: describeStreamSummary,
  ListShards: listShards,
  SplitShard: splitShard,
  MergeShards: mergeShards,
  UpdateShardCount: updateShardCount,
  AddTagsToStream: addTagsToStream,
  RemoveTagsFromStream: removeTagsFromStream,
  ListTagsForStream: listTagsForStream,
  TagResource: tagResource,
  UntagResource: untagResource,
  ListTagsForResource: listTagsForResource,
  IncreaseStreamRetentionPeriod: increaseStreamRetentionPeriod,
  DecreaseStreamRetentionPeriod: decreaseStreamRetentionPeriod,
  EnableEnhancedMonitoring: enableEnhancedMonitoring,
  DisableEnhancedMonitoring: disableEnhancedMonitoring,
  UpdateStreamMode: updateStreamMode,
  UpdateMaxRecordSize: updateMaxRecordSize,
  DescribeLimits: describeLimits,
  RegisterStreamConsumer: registerStreamConsumer,
  DeregisterStreamConsumer: deregisterStreamConsumer,
  DescribeStreamConsumer: describeStreamConsumer,
  ListStreamConsumers: listStreamConsumers,
  SubscribeToShard: subscribeToShard,
  PutRecord: putRecord,
  PutRecords: putRecords,
  GetShardIterator: getShardIterator,
  GetRecords: getRecords,
};

type Handler = (service: Service, input: unknown, encoding: Encoding) => Output | Promise<Output>;

export function operationsOf(service: Service): Run {
  return async (operation, input, encoding) => {
    // The input was checked against the operation's shape.
    const output = await (HANDLERS[operation] as Handler)(service, input, encoding);
    if (output === undefined || typeof output === 'string') return output;
    if (Buffer.isBuffer(output) || output instanceof EventStream) return output;
    return encode(output, encoding);
  };
}
