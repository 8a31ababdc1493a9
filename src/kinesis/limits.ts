/** The service's own limits (quotas page and service model, 2026). */
export const PUT_RECORDS_COUNT_MAX = 500;
/** Of one PutRecords call, data and partition keys together. */
export const PUT_RECORDS_BYTES_MAX = 10 * 1024 * 1024;
/** Data and partition key of one record, unless the stream was made with a larger MaxRecordSizeInKiB. */
export const RECORD_BYTES_DEFAULT = 1024 * 1024;
export const RECORD_BYTES_MAX = 10 * 1024 * 1024;
export const PARTITION_KEY_CHARS_MAX = 256;
export const GET_RECORDS_COUNT_MAX = 10_000;
export const GET_RECORDS_BYTES_MAX = 10 * 1024 * 1024;
/** Of a shard iterator and of a NextToken, from their issue. */
export const TOKEN_LIFE_MS = 300_000;
