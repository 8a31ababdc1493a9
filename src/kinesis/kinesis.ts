/** The wire of Amazon Kinesis Data Streams, shared by our client and our embedded server. */
export {
  type AggregatedRecord,
  isMarkedAggregated,
  mayBeAggregated,
  readAggregatedRecord,
} from './aggregated-record.ts';
export { CborError, type CborType, decodeCbor, encodeCbor, writeCborHead } from './cbor.ts';
export { ERROR_STATUS, type KinesisErrorName, type PutRecordErrorCode } from './errors.ts';
export { EVENT_STREAM_CONTENT_TYPE, encodeEvent } from './event-stream.ts';
export { type EventMessage, readEvents } from './event-stream-reader.ts';
export { evenHashKeyRanges, HASH_KEY_MAX, type HashKeyRange, hashKeyOf } from './hash-key.ts';
export * from './limits.ts';
export * from './operations.ts';
export {
  compareSequenceNumbers,
  formatSequenceNumber,
  parseSequenceNumber,
  SEQUENCE_INDEX_MAX,
  SequenceNumberSeries,
  type SequenceParts,
} from './sequence-number.ts';
export { shardIdOf, shardIndexOf } from './shard-id.ts';
