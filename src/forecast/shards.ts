/** The stream: a shard takes 1 MB and 1,000 records a second, and every processor needs one to read. */
import { FIGURES } from './measured.ts';
import { type Charge, charge, GIB, HOURS_PER_MONTH, KIB } from './prices.ts';
import type { Rate } from './rate.ts';
import type { Workload } from './workload.ts';

export interface Shards {
  shards: number;
  /** What the rate itself takes, without headroom. */
  busy_shards: number;
  records_per_month: number;
  putPayloadUnits_per_month: number;
  /** At most: shards that are read to their end are asked again after the poll interval. They cost nothing. */
  getRecords_per_month: number;
}

const SHARD_BYTES_PER_S = 1_000_000;
const SHARD_RECORDS_PER_S = 1_000;
const PAYLOAD_UNIT_BYTES = 25 * KIB;
/** The interface endpoint through which processors reach Kinesis without NAT stands in two zones. */
const ENDPOINT_ZONES = 2;

export function shards({ event_bytes, events_per_record }: Workload, rate: Rate, readers: number): Shards {
  const records_per_s = rate.events_per_s / events_per_record;
  const busy_shards = Math.max(rate.bytes_per_s / SHARD_BYTES_PER_S, records_per_s / SHARD_RECORDS_PER_S);
  const count = Math.max(readers, Math.ceil(busy_shards / FIGURES.utilisation.value));
  const records_per_month = rate.events_per_month / events_per_record;
  return {
    shards: count,
    busy_shards,
    records_per_month,
    putPayloadUnits_per_month:
      records_per_month * Math.ceil((event_bytes * events_per_record) / PAYLOAD_UNIT_BYTES),
    getRecords_per_month: (count * HOURS_PER_MONTH * 3_600_000) / FIGURES.pollMs.value,
  };
}

export function streamCharges(
  { event_bytes, events_per_record }: Workload,
  rate: Rate,
  stream: Shards,
): { provisioned: Charge[]; onDemand: Charge[]; fanOut: Charge[] } {
  const shardHours = stream.shards * HOURS_PER_MONTH;
  const rounded_bytes = Math.ceil((event_bytes * events_per_record) / KIB) * KIB;
  return {
    provisioned: [
      charge('stream, shards', shardHours, 'shardHour'),
      charge('stream, PUT payload units', stream.putPayloadUnits_per_month / 1e6, 'putPayloadUnits'),
      charge('stream, endpoint', ENDPOINT_ZONES * HOURS_PER_MONTH, 'endpointHour'),
      charge('stream, through the endpoint', rate.gib_per_month, 'endpointGiB'),
    ],
    onDemand: [
      charge('on-demand stream', HOURS_PER_MONTH, 'onDemandStreamHour'),
      charge('on-demand, put', (stream.records_per_month * rounded_bytes) / GIB, 'onDemandInGiB'),
      charge('on-demand, read', rate.gib_per_month, 'onDemandOutGiB'),
    ],
    fanOut: [
      charge('fan-out, shards', shardHours, 'fanOutConsumerShardHour'),
      charge('fan-out, read', rate.gib_per_month, 'fanOutGiB'),
    ],
  };
}
