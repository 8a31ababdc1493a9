import type { Clock, Gate, Log } from '../base/base.ts';
import type { StreamRef } from '../kinesis/kinesis.ts';
import type { AnswerBuffers } from './answer-buffers.ts';
import type { LiveStream } from './live-stream.ts';
import { ServiceError } from './service-error.ts';
import type { ShardLimits } from './shard-limits.ts';
import type { Store } from './store.ts';
import type { Subscriptions } from './subscriptions.ts';

/** What every operation works on. */
export interface Service {
  store: Store;
  clock: Clock;
  region: string;
  accountId: string;
  reads: Gate;
  buffers: AnswerBuffers;
  subscriptions: Subscriptions;
  log: Log;
  /** Undefined: shards take and give what the machine can. */
  limits: ShardLimits | undefined;
}

export function arnPrefix({ region, accountId }: Pick<Service, 'region' | 'accountId'>): string {
  return `arn:aws:kinesis:${region}:${accountId}:stream/`;
}

/** Takes a stream by its name, its ARN, or both if they agree. */
export function findStream(service: Service, { StreamName, StreamARN }: StreamRef): LiveStream {
  const prefix = arnPrefix(service);
  const nameOfArn = StreamARN?.startsWith(prefix) ? StreamARN.slice(prefix.length) : undefined;
  if (StreamName === undefined && StreamARN === undefined)
    throw new ServiceError('InvalidArgumentException', 'Either StreamName or StreamARN must be given.');
  if (StreamARN !== undefined && nameOfArn === undefined)
    throw new ServiceError('ResourceNotFoundException', `Stream ${StreamARN} not found.`);
  if (StreamName !== undefined && nameOfArn !== undefined && StreamName !== nameOfArn)
    throw new ServiceError(
      'InvalidArgumentException',
      `StreamName ${StreamName} does not match StreamARN ${StreamARN}.`,
    );
  const name = StreamName ?? nameOfArn!;
  const stream = service.store.stream(name);
  if (!stream || stream.isDeleted) throw noStream(service, name);
  return stream;
}

export function noStream({ accountId }: Service, name: string): ServiceError {
  return new ServiceError(
    'ResourceNotFoundException',
    `Stream ${name} under account ${accountId} not found.`,
  );
}

/** Of one server. Each open shard costs a file handle and, when it is written, a sync. */
export const OPEN_SHARDS_MAX = 1000;

export function openShardCount({ store }: Service): number {
  return store.streams.reduce((sum, { openShards }) => sum + openShards.length, 0);
}

export function checkShardLimit(service: Service, more: number): void {
  const { accountId, region } = service;
  const open = openShardCount(service);
  if (more <= 0 || open + more <= OPEN_SHARDS_MAX) return;
  throw new ServiceError(
    'LimitExceededException',
    `This request would exceed the shard limit for the account ${accountId} in ${region}. Current shard count for the account: ${open}. Limit: ${OPEN_SHARDS_MAX}. Number of additional shards that would have resulted from this request: ${more}.`,
  );
}

export function rateExceeded({ accountId }: Service, { stream, shard }: ShardName): string {
  return `Rate exceeded for shard ${shard} in stream ${stream} under account ${accountId}.`;
}

export interface ShardName {
  stream: string;
  shard: string;
}

export function noShard({ accountId }: Service, { stream, shard }: ShardName): ServiceError {
  return new ServiceError(
    'ResourceNotFoundException',
    `Shard ${shard} in stream ${stream} under account ${accountId} does not exist`,
  );
}
