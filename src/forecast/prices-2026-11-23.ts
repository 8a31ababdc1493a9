/**
 * What AWS asks in us-east-1, in dollars. The file's name is the day on which the sources were read. Nothing here comes
 * from AWS's price list itself: `published` is a public file or page that quotes it, `estimate` is from memory or from
 * one unofficial page. New prices are a new file, and its line in prices.ts.
 */
export interface Price {
  dollars: number;
  /** What is bought for it. */
  per: string;
  certainty: 'published' | 'estimate';
  source: string;
}

const kinesis = 'infracost, golden file of its test kinesis_stream_test';
const s3 = 'infracost, golden file of its test s3_bucket_test';
const memory = 'from memory';

const published = (dollars: number, per: string, source: string): Price => ({
  dollars,
  per,
  certainty: 'published',
  source,
});
const estimate = (dollars: number, per: string, source: string): Price => ({
  dollars,
  per,
  certainty: 'estimate',
  source,
});

export const DATE = '2026-11-23';
export const REGION = 'us-east-1';

export const PRICES = {
  shardHour: published(0.015, 'shard and hour', kinesis),
  putPayloadUnits: published(0.014, 'million PUT payload units of 25 KB', kinesis),
  fanOutConsumerShardHour: published(0.015, 'consumer, shard and hour', kinesis),
  fanOutGiB: published(0.013, 'GB read', kinesis),
  onDemandStreamHour: published(0.04, 'stream and hour', kinesis),
  onDemandInGiB: published(0.08, 'GB put, each record rounded up to 1 KB', kinesis),
  onDemandOutGiB: published(0.04, 'GB read', kinesis),
  firehoseGiB: published(
    0.029,
    'GB of the first 500 TB, each record rounded up to 5 KB',
    'several public files',
  ),
  firehoseSecondTierGiB: estimate(0.025, 'GB of the next 1.5 PB', memory),
  firehoseThirdTierGiB: estimate(0.02, 'GB beyond', memory),
  firehoseConversionGiB: published(0.018, 'GB converted to Parquet', 'several public files'),
  firehosePartitioningGiB: estimate(0.02, 'GB partitioned by content', memory),
  fargateArmVcpuHour: published(0.03238, 'vCPU and hour, ARM', 'instances.vantage.sh, Fargate'),
  fargateArmGiBHour: published(0.00356, 'GB of memory and hour, ARM', 'instances.vantage.sh, Fargate'),
  s3StorageGiB: published(0.023, 'GB and month', s3),
  s3Put: published(0.005, 'thousand PUT, COPY, POST, LIST', s3),
  s3Get: published(0.0004, 'thousand GET', s3),
  endpointHour: published(
    0.01,
    'endpoint, zone and hour',
    'infracost, golden file of its test vpc_endpoint_test',
  ),
  endpointGiB: published(0.01, 'GB through it', 'infracost, golden file of its test vpc_endpoint_test'),
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;
