/**
 * Stream → raw. Batches are judged, written and committed in the order in which they were taken; while one commits,
 * the next is prepared. Raw's commit decides about a range of the stream; nothing else keeps positions.
 */
import type { Clock, Failure, Log } from '../base/base.ts';
import type { Engine, EventLimits } from '../engine/engine.ts';
import type { Tally } from '../event/event.ts';
import type { Lake } from '../lake/lake.ts';
import type { ShardRead, Spool, Stream, Workers } from '../stream/stream.ts';
import type { PartitionBounds } from '../tables/tables.ts';
import { runProcessor } from './run.ts';

export interface ProcessorOptions {
  lake: Lake;
  engine: Engine;
  stream: Stream;
  clock: Clock;
  log: Log;
  /** Name of this writer in the summaries. */
  writer: string;
  newId: () => string;
  random: () => number;
  /**
   * Adopts what the last commit left for quarantine. Called after every commit that rejected records and before the
   * next commit; resolves with the raw sequence number up to which everything is adopted.
   */
  adopt: () => Promise<number>;
  onCommit?: (commit: Committed) => void;
  /** A batch was taken; it is in hand until `onCommit` or `onRetry`. */
  onBatch?: () => void;
  /** Everything in hand was given back; after this wait it is taken again from where the table stands. */
  onRetry?: (failure: Failure) => void;
  onRead?: (read: ShardRead) => void;
  /** A read failed and is tried again. */
  onReadFailed?: (failure: Failure, shard?: string) => void;
  spoolFolder: string;
  /** Where a lake that has read nothing of this stream begins; pinned by an empty commit. */
  start: 'TRIM_HORIZON' | 'NOW' | `AT_TIMESTAMP:${number}`;
  limits: EventLimits;
  bounds: PartitionBounds;
  watermark_s: number;
  maxIds: number;
  maxRows: number;
  maxBytes: number;
  maxAge_ms: number;
  spoolsAhead: number;
  /** As in TakeOptions. */
  answers_bytes?: number;
  poll_ms: number;
  /** Name of a consumer of enhanced fan-out. */
  fanOut?: string;
  /** The shards are shared with other workers; undefined: all are taken. */
  sharing?: SharedWork;
  /** Ends when every shard reached this moment of the server's clock; see TakeOptions. */
  until_ms?: number;
  /** Aborted: take nothing more, commit what was taken, return. */
  signal: AbortSignal;
}

export interface SharedWork {
  /** It is left at the end. */
  workers: Workers;
  /** Each of several writers leaves so much time between its commits, times their number. */
  spacing_ms: number;
  /** How often the table is asked how far the others are. */
  every_ms: number;
}

export interface Committed extends Pick<Spool, 'expired' | 'damaged'> {
  snapshot: bigint;
  sequenceNumber: number;
  tally: Tally;
  /** Of the newest record taken, by the stream's clock; undefined when none came. */
  lastArrival_ms: number | undefined;
  behindLatest_ms: number;
  /** Nothing more is in the stream now. */
  drained: boolean;
  /** What the dedupe window remembers now. */
  windowIds: number;
}

/** Returns when the signal was aborted or `until_ms` is reached; throws the Failure that retrying cannot mend. */
export function processStream(options: ProcessorOptions): Promise<{ commits: number }> {
  return runProcessor(options);
}
