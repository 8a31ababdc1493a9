/**
 * What a rate of events needs and costs: shards, requests, files, processors, dollars, and the same by Amazon Data
 * Firehose. Pure arithmetic over one file of dated prices and one list of measured figures. The rate holds all month
 * long: give that of the busiest hour to size, and the mean to estimate a bill.
 */
export type { Firehose } from './firehose.ts';
export type { LakeLoad } from './lake-load.ts';
export type { Figure } from './measured.ts';
export { type Forecast, forecast } from './model.ts';
export type { Charge, Price, PriceName } from './prices.ts';
export type { Processors } from './processors.ts';
export type { Rate } from './rate.ts';
export type { Shards } from './shards.ts';
export { comparisonTable, pricesTable, scaleTable } from './tables.ts';
export { DEFAULT_WORKLOAD, type Workload } from './workload.ts';
