/**
 * Putting to and taking from a Kinesis-protocol stream, at any endpoint. Taking hands over spools: bytes on local
 * disk, the same for every source, with no JavaScript object per event.
 */
import type { Clock, Failure, Log } from '../base/base.ts';
import type { HashKeyRange } from '../kinesis/kinesis.ts';
import type { Credentials } from './client.ts';
import { connect } from './connect.ts';
import type { LagOptions, Lags } from './lag.ts';
import type { SendOptions, SendProgress } from './put.ts';
import type { Position, Spool } from './taken.ts';
import { Membership } from './workers/membership.ts';
import type { Share, Workers, WorkersOptions } from './workers/workers.ts';

export type { Credentials } from './client.ts';
export type { LagOptions, Lags, ShardLag } from './lag.ts';
export type { SendOptions, SendProgress } from './put.ts';
export { isThrottle } from './service-failures.ts';
export type { ExpiredRange, Position, Spool, TakenRange } from './taken.ts';
export { BatchMarks } from './workers/batch-marks.ts';
export { type HeartbeatStore, workersHeard } from './workers/heartbeats.ts';
export type { Share, Sharing, WorkerHeard, WorkerSelf, Workers, WorkersOptions } from './workers/workers.ts';

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
  hashKeys: HashKeyRange;
}

export interface TakeOptions {
  stream: StreamDescription;
  /** The positions that the table's base holds, by shard. */
  positions: ReadonlyMap<string, Position>;
  /** Where an unknown shard without a known parent begins; never LATEST. */
  pin: 'TRIM_HORIZON' | `AT_TIMESTAMP:${number}`;
  spoolFolder: string;
  /**
   * A batch ends once it holds so many; answers are taken whole, so the last may bring up to 10,000 more, or, where
   * 10 MiB of aggregated records hold nothing but the smallest user records, 1.7 million.
   */
  maxRows: number;
  /** Likewise; up to 10 MiB more. */
  maxBytes: number;
  /** A partial batch is handed over when this time has passed since its first record was read. */
  maxAge_ms: number;
  /**
   * A batch that is not full is not handed over sooner than this after the one before, however old it is and even when
   * the stream was read to its end; asked each time. Undefined: 0.
   */
  spacing_ms?: () => number;
  /** Finished spools that may wait, beside the one being filled; beyond, reading stops. */
  spoolsAhead: number;
  /**
   * Memory of answers on their way into a spool, over all shards; each counts for 17 MiB, the most that one can hold,
   * and one is always allowed. While it is used up no shard is asked. Default: 8 answers.
   */
  answers_bytes?: number;
  /** Enhanced fan-out: the name of the consumer to which records are pushed; registered where it is not yet. */
  fanOut?: string;
  /** Idle poll interval per shard. */
  poll_ms: number;
  /** The shards are shared with other workers; undefined: all are taken. */
  shared?: SharedTaking;
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
  /** Told of every failure that reading goes on after, and of the shard, where it was one's. */
  onRetry?: (failure: Failure, shard?: string) => void;
}

export interface SharedTaking extends Pick<Share, 'owns'> {
  /** The positions that the table holds now: how far other workers are. Asked every so often. */
  positions(): Promise<ReadonlyMap<string, Position>>;
  every_ms: number;
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
   * cannot mend come from here, then nothing more does; `stream.recreated` and `stream.not_found` behind the last batch,
   * because what was read of a stream that is gone nobody can read again.
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
  /** The stream drops no record that this lake has not committed, as the embedded one does not. */
  keepsUnread?: boolean;
  /** How records are asked for: CBOR has them as bytes, JSON as base64. By default CBOR of Amazon and of our own server. */
  encoding?: 'json' | 'cbor';
}

export function openStream(options: StreamOptions): Stream {
  return connect(options);
}

export function openWorkers(options: WorkersOptions): Workers {
  return new Membership(options);
}
