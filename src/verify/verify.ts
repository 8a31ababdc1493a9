/** Adds it all up again from the data itself, and says precisely what does not agree. */
import type { Clock, Log } from '../base/base.ts';
import type { Engine, EventLimits } from '../engine/engine.ts';
import type { Tally } from '../event/event.ts';
import type { Lake } from '../lake/lake.ts';
import type { Stream } from '../stream/stream.ts';
import type { Expired } from '../tables/tables.ts';
import { verifyAll } from './checks.ts';

export interface Finding {
  /** Stable, e.g. `raw.rows`. */
  code: string;
  what: string;
  expected: string;
  found: string;
}

export interface Check {
  code: string;
  /** What was compared, as a sentence. */
  text: string;
  ok: boolean;
}

export interface Verified {
  checks: Check[];
  findings: Finding[];
  ledger: Tally;
  /** Rows of raw that staging has not taken yet; no finding, they are on their way. */
  waiting: number;
  events: number;
  quarantined: number;
  /**
   * What the stream may have dropped before it was read, as far as raw keeps snapshots that say so. No finding: nothing
   * here can be compared with it.
   */
  expired: readonly Expired[];
}

export interface VerifyOptions {
  lake: Lake;
  engine: Engine;
  log: Log;
  clock: Clock;
  /** The embedded stream, to be recounted as far as its retention reaches; undefined when there is none at hand. */
  stream: Stream | undefined;
  limits: EventLimits;
  /** Also compares the content of staging's rows with raw's. */
  deep: boolean;
  spoolFolder: string;
  maxRows: number;
  maxBytes: number;
  onProgress?: (text: string) => void;
  signal: AbortSignal;
}

export function verifyLake(options: VerifyOptions): Promise<Verified> {
  return verifyAll(options);
}
