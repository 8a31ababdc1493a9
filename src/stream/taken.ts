/** What a taking hands over. */

/**
 * Where a shard was read up to: the number of the last whole Kinesis record taken (decimal text), `end` of a closed
 * shard, or, before its first record, the start that the first commit pinned. `passed` is a shard that closed before the
 * pin, as far as we can tell: it gave no record from there on. Its children begin at the pin too: a start at "now" does
 * not bring the records of days ago only because the stream was resharded since.
 */
export type Position = string | 'end' | 'passed' | 'TRIM_HORIZON' | `AT_TIMESTAMP:${number}`;

/** Nothing more comes from a shard that stands there. */
export const isOver = (position: Position | undefined): boolean =>
  position === 'end' || position === 'passed';

/** What one batch took from one shard: everything after `from` up to and including `to`. */
export interface TakenRange {
  from: Position;
  to: Position;
}

/**
 * Between the positions `from` and `to` the stream may have dropped records before they were read: those that arrived
 * between the two times, as far as they are known. How many, nobody can tell.
 */
export interface ExpiredRange extends TakenRange {
  shard: string;
  since_ms: number | undefined;
  until_ms: number | undefined;
}

/**
 * A file of records, an uncompressed Parquet file with the columns
 * `body` BYTE_ARRAY · `seq` BYTE_ARRAY (UTF8) · `arrived_ms` INT64 · `shard` INT32 (index into `shards`) ·
 * `sub` INT32 (place in an aggregated record, −1 for a plain one). The row number is the record's id within the batch. The file goes
 * with the spool.
 */
export interface Spool extends AsyncDisposable {
  path: string;
  /** User records. Zero is possible: positions may move without records. */
  rows: number;
  /** Of the records themselves; the file is a little larger. */
  bytes: number;
  /** User records of aggregated records that belong to another shard by their key. They are among the rows. */
  stray: number;
  /** Records marked as aggregated ones that are none, by their checksum or form: plain rows. */
  damaged: number;
  shards: readonly string[];
  /** Only shards that moved. What one batch ends with is what the next begins with. */
  ranges: ReadonlyMap<string, TakenRange>;
  /** Shards that this batch read to their closed end, with the children that the stream named. */
  ended: ReadonlyMap<string, readonly string[]>;
  /** Said in the log too. */
  expired: readonly ExpiredRange[];
  /** Shards that are over, are not listed any more and whose children have positions: nothing needs theirs. */
  forgotten: readonly string[];
  /** The last answer of every shard was empty and nothing was behind it: commit at once. */
  drained: boolean;
  /** Of the shard that is furthest behind; from MillisBehindLatest. */
  behindLatest_ms: number;
  /** Times of arrival are the stream's own, which promises no order: the least and the greatest of the batch. */
  firstArrival_ms: number | undefined;
  lastArrival_ms: number | undefined;
}
