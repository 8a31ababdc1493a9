/**
 * Stream → raw. Batches are judged, written and committed in the order in which they were taken; while one commits,
 * the next is prepared. Raw's commit decides about a range of the stream; nothing else keeps positions.
 */
import type { Clock, Log } from '../base/base.ts';
import type { Engine, EventLimits } from '../engine/engine.ts';
import type { Tally } from '../event/event.ts';
import type { Lake } from '../lake/lake.ts';
import type { Stream, StreamDescription } from '../stream/stream.ts';
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
  spoolFolder: string;
  start: 'TRIM_HORIZON' | `AT_TIMESTAMP:${number}`;
  limits: EventLimits;
  watermark_s: number;
  maxIds: number;
  maxRows: number;
  maxBytes: number;
  maxAge_ms: number;
  spoolsAhead: number;
  poll_ms: number;
  /** Ends when every shard reached this moment of the server's clock; see TakeOptions. */
  until_ms?: number;
  /** Aborted: take nothing more, commit what was taken, return. */
  signal: AbortSignal;
}

export interface Committed {
  snapshot: bigint;
  sequenceNumber: number;
  tally: Tally;
  /** Of the newest record taken, by the stream's clock; undefined when none came. */
  lastArrival_ms: number | undefined;
  behindLatest_ms: number;
  /** Nothing more is in the stream now. */
  drained: boolean;
}

/** Returns when the signal was aborted or `until_ms` is reached; throws the Failure that retrying cannot mend. */
export function processStream(
  options: ProcessorOptions,
): Promise<{ stream: StreamDescription; commits: number }> {
  return runProcessor(options);
}
