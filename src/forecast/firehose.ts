/**
 * The same events by Amazon Data Firehose, put to it directly: to S3 as they are, and as Parquet partitioned by
 * content. One copy, with repeats, nothing checked. A record counts as the next 5 KB.
 */
import { FIGURES } from './measured.ts';
import { type Charge, charge, GIB, KIB, tiered, total } from './prices.ts';
import type { Rate } from './rate.ts';
import type { Workload } from './workload.ts';

export interface Firehose {
  /** What is paid for, after rounding. */
  billed_gib_per_month: number;
  /** Documents to S3, as they came. */
  plain: Charge[];
  plain_dollars: number;
  /** Converted to Parquet, and partitioned by date and event type. */
  partitioned: Charge[];
  partitioned_dollars: number;
}

const ROUNDING_BYTES = 5 * KIB;
/** 500 TB, and 1.5 PB more; AWS's TB is 1,024 GB. */
const TIERS = [
  { upTo: 512_000, price: 'firehoseGiB' },
  { upTo: 2_048_000, price: 'firehoseSecondTierGiB' },
  { upTo: Number.POSITIVE_INFINITY, price: 'firehoseThirdTierGiB' },
] as const;

export function firehose(workload: Workload, rate: Rate): Firehose {
  const { event_bytes, events_per_record, retention_ms } = workload;
  const record_bytes = event_bytes * events_per_record;
  const rounded_bytes = Math.ceil(record_bytes / ROUNDING_BYTES) * ROUNDING_BYTES;
  const records = rate.events_per_month / events_per_record;
  const billed = (records * rounded_bytes) / GIB;
  const intake = tiered('Firehose, intake', billed, TIERS);
  const kept_gib = (rate.bytes_per_s * (retention_ms / 1000)) / GIB;
  const plain = [...intake, charge('storage of documents', kept_gib, 's3StorageGiB')];
  const partitioned = [
    ...intake,
    charge('Firehose, conversion', billed, 'firehoseConversionGiB'),
    charge('Firehose, partitioning', billed, 'firehosePartitioningGiB'),
    charge('storage of Parquet', kept_gib * FIGURES.rawRatio.value, 's3StorageGiB'),
  ];
  return {
    billed_gib_per_month: billed,
    plain,
    plain_dollars: total(plain),
    partitioned,
    partitioned_dollars: total(partitioned),
  };
}
