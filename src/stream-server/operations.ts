import type { OperationName, Operations } from '../kinesis/kinesis.ts';
import { describeStream, describeStreamSummary, listStreams } from './describe-operations.ts';
import { getRecords } from './get-records.ts';
import type { Run } from './protocol.ts';
import { putRecord, putRecords } from './put-operations.ts';
import { mergeShards, splitShard, updateShardCount } from './reshard-operations.ts';
import type { Service } from './service.ts';
import { getShardIterator } from './shard-iterator.ts';
import { listShards } from './shard-listing.ts';
import { createStream, deleteStream } from './stream-operations.ts';

type Output = object | string | Buffer | undefined;

/** Text and bytes are JSON already: the operations with large answers write their own. */
type Handlers = {
  [O in OperationName]: (service: Service, input: Operations[O]['input']) => Output | Promise<Output>;
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
  PutRecord: putRecord,
  PutRecords: putRecords,
  GetShardIterator: getShardIterator,
  GetRecords: getRecords,
};

export function operationsOf(service: Service): Run {
  return async (operation, input) => {
    // The input was checked against the operation's shape.
    const handler = HANDLERS[operation] as (service: Service, input: unknown) => Output | Promise<Output>;
    const output = await handler(service, input);
    if (output === undefined || typeof output === 'string' || Buffer.isBuffer(output)) return output;
    return JSON.stringify(output);
  };
}
