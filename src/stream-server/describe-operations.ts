import type { Operations, ShardShape, StreamFacts, StreamSummaryShape } from '../kinesis/kinesis.ts';
import { consumersOf } from './consumer-operations.ts';
import { issueListToken, readListToken } from './list-token.ts';
import type { LiveStream } from './live-stream.ts';
import { findStream, type Service } from './service.ts';
import { retentionHours } from './settings-operations.ts';
import { shardsAfter } from './shard-listing.ts';

const LIST_MAX = 100;

type Input<O extends keyof Operations> = Operations[O]['input'];
type Output<O extends keyof Operations> = Operations[O]['output'];

export function listStreams(service: Service, input: Input<'ListStreams'>): Output<'ListStreams'> {
  const now_ms = service.clock.now();
  const after = input.NextToken
    ? readListToken(input.NextToken, 'streams', now_ms).after
    : (input.ExclusiveStartStreamName ?? '');
  const limit = Math.min(input.Limit ?? LIST_MAX, LIST_MAX);
  const rest = service.store.streams.filter(({ entry }) => entry.name > after);
  const page = rest.slice(0, limit);
  const hasMore = rest.length > page.length;
  return {
    StreamNames: page.map(({ entry }) => entry.name),
    HasMoreStreams: hasMore,
    ...(hasMore && {
      NextToken: issueListToken({ list: 'streams', after: page.at(-1)!.entry.name }, now_ms),
    }),
    StreamSummaries: page.map(summary),
  };
}

export function describeStream(service: Service, input: Input<'DescribeStream'>): Output<'DescribeStream'> {
  const stream = findStream(service, input);
  const limit = Math.min(input.Limit ?? LIST_MAX, LIST_MAX);
  const shards: ShardShape[] = shardsAfter(stream, input.ExclusiveStartShardId).map((shard) => shard.shape());
  return {
    StreamDescription: {
      ...facts(service, stream),
      Shards: shards.slice(0, limit),
      HasMoreShards: shards.length > limit,
    },
  };
}

export function describeStreamSummary(
  service: Service,
  input: Input<'DescribeStreamSummary'>,
): Output<'DescribeStreamSummary'> {
  const stream = findStream(service, input);
  return {
    StreamDescriptionSummary: {
      ...facts(service, stream),
      OpenShardCount: stream.openShards.length,
      ConsumerCount: consumersOf(stream).length,
      MaxRecordSizeInKiB: stream.entry.recordBytes_max / 1024,
    },
  };
}

function summary({ entry, arn, resharding }: LiveStream): StreamSummaryShape {
  return {
    StreamName: entry.name,
    StreamARN: arn,
    StreamStatus: resharding ? 'UPDATING' : 'ACTIVE',
    StreamModeDetails: { StreamMode: entry.mode },
    StreamCreationTimestamp: entry.createdAt_ms / 1000,
  };
}

function facts(service: Service, stream: LiveStream): StreamFacts {
  return {
    ...summary(stream),
    RetentionPeriodHours: retentionHours(service, stream),
    EnhancedMonitoring: [{ ShardLevelMetrics: stream.entry.shardLevelMetrics ?? [] }],
    EncryptionType: 'NONE',
  };
}
