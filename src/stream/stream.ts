/**
 * Putting to and taking from a Kinesis-protocol stream, at any endpoint. Taking hands over spools: bytes on local
 * disk, the same for every source, with no JavaScript object per event.
 */
import type { Clock, Failure, Log } from '../base/base.ts';
import type { Credentials } from './client.ts';
import { connect } from './connect.ts';
import type { LagOptions, Lags } from './lag.ts';
import type { SendOptions, SendProgress } from './put.ts';

export type { Credentials } from './client.ts';
export type { LagOptions, Lags, ShardLag } from './lag.ts';
export type { SendOptions, SendProgress } from './put.ts';

/**
 * Where a shard was read up to: the number of the last whole Kinesis record taken (decimal text), `end` of a closed
 * shard, or, before its first record, the start that the first commit pinned.
 */
export type Position = string | 'end' | 'TRIM_HORIZON' | `AT_TIMESTAMP:${number}`;

export interface StreamDescription {
  /** ARN + `@` + creation time in ms: a stream re-created under its name is another stream. */
  id: string;
  name: string;
  arn: string;
  createdAt_ms: number;
  openShards: number;
  retention_ms: number;
}

export interface ShardInfo {
  id: string;
  parents: readonly string[];
  closed: boolean;
}

/** What one batch took from one shard: everything after `from` up to and including `to`. */
export interface TakenRange {
  from: Position;
  to: Position;
}

/**
 * A file of records, an uncompressed Parquet file with the columns
 * `body` BYTE_ARRAY · `seq` BYTE_ARRAY (UTF8) · `arrived_ms` INT64 · `shard` INT32 (index into `shards`) ·
 * `sub` INT32 (place in an aggregated record, −1 for a plain one). The row number is the record's id within the batch.
 */
export interface Spool {
  path: string;
  /** User records. Zero is possible: positions may move without records. */
  rows: number;
  /** Of the records themselves; the file is a little larger. */
  bytes: number;
  shards: readonly string[];
  /** Only shards that moved. What one batch ends with is what the next begins with. */
  ranges: ReadonlyMap<string, TakenRange>;
  /** Shards that this batch read to their closed end, with the children that the stream named. */
  ended: ReadonlyMap<string, readonly string[]>;
  /** The last answer of every shard was empty and nothing was behind it: commit at once. */
  drained: boolean;
  /** Of the shard that is furthest behind; from MillisBehindLatest. */
  behindLatest_ms: number;
  /** Times of arrival are the stream's own, which promises no order: the least and the greatest of the batch. */
  firstArrival_ms: number | undefined;
  lastArrival_ms: number | undefined;
  /** Removes the file. */
  dispose(): Promise<void>;
}

export interface TakeOptions {
  stream: StreamDescription;
  /** The positions that the table's base holds, by shard. */
  positions: ReadonlyMap<string, Position>;
  /** Where an unknown shard without a known parent begins; never LATEST. */
  pin: 'TRIM_HORIZON' | `AT_TIMESTAMP:${number}`;
  spoolFolder: string;
  /** A batch ends once it holds so many; answers are taken whole, so the last may bring up to 10,000 more. */
  maxRows: number;
  /** Likewise; up to 10 MiB more. */
  maxBytes: number;
  /** A partial batch is handed over when this time has passed since its first record was read. */
  maxAge_ms: number;
  /** Finished spools that may wait, beside the one being filled; beyond, reading stops. */
  spoolsAhead: number;
  /** Idle poll interval per shard. */
  poll_ms: number;
  /**
   * Ends the taking: a shard is done at its first record that arrived later than this (by the server's clock), at an
   * empty answer with MillisBehindLatest 0, or at its closed end (children count if they began before). Compared in
   * whole seconds, as `Date` has them: a record of that same second is not later.
   */
  until_ms?: number;
  /** Aborted: like `stop`. */
  signal?: AbortSignal;
  /** Told of every answer that was taken. */
  onRead?: (read: ShardRead) => void;
  /** Told of every failure that reading goes on after. */
  onRetry?: (failure: Failure) => void;
}

/** One answer of a shard. */
export interface ShardRead {
  shard: string;
  records: number;
  behindLatest_ms: number;
  /** Every shard is read to its end, and everything that was read is handed over. */
  idle: boolean;
}

export interface Taking {
  /**
   * The next batch, in order; undefined when the taking ended (`until_ms` reached, or stopped). Failures that waiting
   * cannot mend come from here, `stream.recreated` and `stream.not_found` among them; then nothing more does.
   */
  next(): Promise<Spool | undefined>;
  /** Reads nothing more. What is spooled is handed over as a last batch: go on with `next` until it gives undefined. */
  stop(): Promise<void>;
  /** Ends at once and removes what was not handed over. Safe after any other end. */
  abandon(): Promise<void>;
}

export interface Stream {
  /** Failure `stream.not_found` when there is none. */
  describe(): Promise<StreamDescription>;
  /** Creates the stream when it does not exist and waits until it is active. */
  ensure(shards: number): Promise<StreamDescription>;
  shards(): Promise<ShardInfo[]>;
  /** The server's clock in ms, from the `Date` header of an answer: whole seconds, rounded down. */
  serverTime(): Promise<number>;
  /**
   * Puts every record, partial failures retried; resolves when all are acknowledged. At least once: a record whose
   * acknowledgement got lost is put again. Nothing keeps the order of records that share no request.
   */
  send(records: AsyncIterable<Uint8Array>, options?: SendOptions): Promise<SendProgress>;
  take(options: TakeOptions): Promise<Taking>;
  /** How far these positions are behind; nothing is taken. */
  lag(options: LagOptions): Promise<Lags>;
  close(): Promise<void>;
}

export interface StreamOptions {
  /** Name or ARN. */
  name: string;
  /** Undefined: Amazon's own for the region. */
  endpoint?: string;
  region: string;
  credentials: Credentials;
  clock: Clock;
  log: Log;
  random: () => number;
}

export function openStream(options: StreamOptions): Stream {
  return connect(options);
}
