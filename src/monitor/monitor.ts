/**
 * What the roles do, told by themselves through one small object and turned into health, metrics and one clear line
 * of log a minute while something does not work. `status.ts` tells the same of a lake on which nothing runs.
 */
import type { Clock, Failure, Log } from '../base/base.ts';
import type { Tally } from '../event/event.ts';
import type { Lake } from '../lake/lake.ts';
import type { ShardRead, Sharing, Spool, Stream } from '../stream/stream.ts';
import type { ExpositionFormat } from './exposition.ts';
import type { Limits } from './findings.ts';
import type { Health, Progressed } from './health.ts';
import { RunningMonitor } from './running.ts';

export type { Finding, Limits } from './findings.ts';
export type { Health, Progressed, Reason } from './health.ts';
export { type Listener, type ListenOptions, listen } from './listen.ts';
export { metricsPage } from './reference.ts';
export { readStatus, type Status } from './status.ts';
export type { StreamSource } from './stream-status.ts';

/** Figures that only the composition of the process knows. */
export interface Probes {
  spoolBytes(): Promise<number>;
  engineMemory_bytes(): Promise<number>;
}

export interface MonitorOptions {
  clock: Clock;
  log: Log;
  version: string;
  /** The roles of this process. */
  roles: readonly string[];
  limits: Limits;
}

/** What is looked at while roles run. */
export interface Watched {
  lake: Lake;
  /** Where the role processor runs. */
  stream: Stream | undefined;
  /** The embedded stream keeps what is not committed, so nothing of it is ever trimmed unread. */
  keepsUncommitted: boolean;
  probes: Probes;
}

/** What roles tell. Nothing here throws or waits. */
export interface Monitor {
  /** The lake to hand to the roles: its commits are counted and timed, its answers noted. */
  observe(lake: Lake): Lake;
  /** The role took something in hand. */
  began(role: string): void;
  /** One thing in hand is done. */
  ended(role: string): void;
  /** A part of what it has in hand is done. */
  progressed(role: string): void;
  /** It did not work and is tried again. */
  failed(role: string, failure: Failure): void;
  /** A commit of this process took this into its table. */
  counted(table: string, tally: Partial<Tally>): void;
  /** A commit of this process went on over what is wrong in the stream. */
  flawed(batch: Pick<Spool, 'expired' | 'damaged'>): void;
  read(read: ShardRead): void;
  /** A read of the stream failed, of this shard or of what is about all, and is tried again. */
  readFailed(failure: Failure, shard?: string): void;
  windowSize(ids: number): void;
  /** How the shards are shared now. */
  sharing(sharing: Sharing): void;
  stopping(): void;
  /** Looks at lake and stream every few seconds until the signal; failures are part of what it sees. */
  watch(at: Watched, signal: AbortSignal): Promise<void>;
  health(): Health & Progressed;
  metrics(format: ExpositionFormat): Promise<string>;
}

export function openMonitor(options: MonitorOptions): Monitor {
  return new RunningMonitor(options);
}
