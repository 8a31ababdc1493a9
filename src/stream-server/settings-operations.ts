import { type Operations, SHARD_LEVEL_METRICS } from '../kinesis/kinesis.ts';
import type { LiveStream } from './live-stream.ts';
import { findStream, OPEN_SHARDS_MAX, openShardCount, type Service } from './service.ts';
import { ServiceError } from './service-error.ts';
import { ON_DEMAND_SHARDS } from './stream-operations.ts';

const RETENTION_HOURS = { least: 24, most: 8760 };
const HOUR_MS = 3_600_000;

type Input<O extends keyof Operations> = Operations[O]['input'];
type Output<O extends keyof Operations> = Operations[O]['output'];

/** What the descriptions say: whole hours, though the option of the server may be shorter. */
export function retentionHours({ store }: Service, stream: LiveStream): number {
  return Math.max(1, Math.round(store.retention_ms(stream) / HOUR_MS));
}

/** The same period is well, whatever the server's own is: Terraform always asks for it. */
export async function increaseStreamRetentionPeriod(
  service: Service,
  input: Input<'IncreaseStreamRetentionPeriod'>,
): Promise<undefined> {
  await setRetention(service, input, (asked_h, now_h) =>
    asked_h < now_h
      ? `can not be shorter than existing retention period (${now_h} hours). Use DecreaseRetentionPeriod API.`
      : undefined,
  );
}

export async function decreaseStreamRetentionPeriod(
  service: Service,
  input: Input<'DecreaseStreamRetentionPeriod'>,
): Promise<undefined> {
  await setRetention(service, input, (asked_h, now_h) =>
    asked_h > now_h
      ? `can not be longer than existing retention period (${now_h} hours). Use IncreaseRetentionPeriod API.`
      : undefined,
  );
}

async function setRetention(
  service: Service,
  input: Input<'IncreaseStreamRetentionPeriod'>,
  refusal: (asked_h: number, now_h: number) => string | undefined,
): Promise<void> {
  const stream = findStream(service, input);
  const hours = input.RetentionPeriodHours;
  const now_h = retentionHours(service, stream);
  const { least, most } = RETENTION_HOURS;
  const asked = `Requested retention period (${hours} hours)`;
  const wrong =
    hours < least
      ? `Minimum allowed retention period is ${least} hours. ${asked} is too short.`
      : hours > most
        ? `Maximum allowed retention period is ${most} hours. ${asked} is too long.`
        : undefined;
  if (wrong !== undefined) throw new ServiceError('InvalidArgumentException', wrong);
  const refused = refusal(hours, now_h);
  if (refused !== undefined)
    throw new ServiceError('InvalidArgumentException', `${asked} for stream ${stream.entry.name} ${refused}`);
  if (hours === now_h) return;
  await service.store.update(stream, (entry) => ({ ...entry, retention_ms: hours * HOUR_MS }));
}

/** Kept as they are asked for. No metric is sent anywhere. */
export async function enableEnhancedMonitoring(
  service: Service,
  input: Input<'EnableEnhancedMonitoring'>,
): Promise<Output<'EnableEnhancedMonitoring'>> {
  return setMetrics(service, input, (now, named) => [...new Set([...now, ...named])].sort());
}

export async function disableEnhancedMonitoring(
  service: Service,
  input: Input<'DisableEnhancedMonitoring'>,
): Promise<Output<'DisableEnhancedMonitoring'>> {
  return setMetrics(service, input, (now, named) => now.filter((metric) => !named.includes(metric)));
}

async function setMetrics(
  service: Service,
  input: Input<'EnableEnhancedMonitoring'>,
  change: (now: readonly string[], named: readonly string[]) => string[],
): Promise<Output<'EnableEnhancedMonitoring'>> {
  const stream = findStream(service, input);
  const named = input.ShardLevelMetrics.includes('ALL') ? SHARD_LEVEL_METRICS : input.ShardLevelMetrics;
  const before = stream.entry.shardLevelMetrics ?? [];
  await service.store.update(stream, (entry) => ({
    ...entry,
    shardLevelMetrics: change(entry.shardLevelMetrics ?? [], named),
  }));
  return {
    StreamName: stream.entry.name,
    StreamARN: stream.arn,
    CurrentShardLevelMetrics: before,
    DesiredShardLevelMetrics: stream.entry.shardLevelMetrics ?? [],
  };
}

/** An on-demand stream is one that is not resharded by hand; it does not reshard itself either. */
export async function updateStreamMode(
  service: Service,
  input: Input<'UpdateStreamMode'>,
): Promise<undefined> {
  const mode = input.StreamModeDetails.StreamMode;
  await service.store.update(findStream(service, input), (entry) => ({ ...entry, mode }));
}

export async function updateMaxRecordSize(
  service: Service,
  input: Input<'UpdateMaxRecordSize'>,
): Promise<undefined> {
  const recordBytes_max = input.MaxRecordSizeInKiB * 1024;
  await service.store.update(findStream(service, input), (entry) => ({ ...entry, recordBytes_max }));
}

export function describeLimits(service: Service): Output<'DescribeLimits'> {
  const onDemand = service.store.streams.filter(({ entry }) => entry.mode === 'ON_DEMAND');
  return {
    ShardLimit: OPEN_SHARDS_MAX,
    OpenShardCount: openShardCount(service),
    OnDemandStreamCount: onDemand.length,
    OnDemandStreamCountLimit: OPEN_SHARDS_MAX / ON_DEMAND_SHARDS,
  };
}
