/** Several workers on one stream: which shards are whose. */
import type { Clock, Log } from '../../base/base.ts';
import type { HeartbeatStore } from './heartbeats.ts';

export interface WorkerSelf {
  /** Of no other worker, ever; part of an object's name. */
  id: string;
  host: string;
  pid: number;
  /** Equal only for processes that see each other's numbers; undefined where that cannot be told. */
  machine: string | undefined;
}

export interface WorkersOptions {
  /** Heartbeats are objects beside the lake's tables. */
  store: HeartbeatStore;
  clock: Clock;
  log: Log;
  random: () => number;
  /** Milliseconds by a clock that is never set. */
  elapsed_ms: () => number;
  self: WorkerSelf;
  /** A worker that is silent for so long is taken for dead; each writes three times as often. */
  lease_ms: number;
  /** Of this machine. */
  isAlive: (pid: number) => boolean;
  onChange?: (sharing: Sharing) => void;
}

export interface Sharing {
  /** That live and read this stream, this one counted. */
  workers: number;
  /** Shards that are this worker's. */
  shards: number;
}

/** A worker among others. It is one from its first share until it leaves. */
export interface Workers {
  /** Live workers of all streams, this one counted: all of them write raw. */
  readonly writers: number;
  /**
   * What is this worker's of the stream with this ARN; it ends the share before. Throws Failure while the store cannot be
   * reached: a worker of which nobody hears has no shards.
   */
  share(stream: string): Promise<Share>;
  /** Gives everything to the others at once. */
  leave(): Promise<void>;
}

export interface Share {
  /** The same answer until the share is over. */
  owns(shard: string): boolean;
  /** Aborted once `owns` would answer otherwise: stop reading, commit what was taken, and ask for another share. */
  readonly over: AbortSignal;
  /** Nothing of it is read any more, or on its way to a commit: others may begin with its shards. */
  release(): void;
}

/** A worker as it was last heard of. */
export interface WorkerHeard {
  id: string;
  /** ARN. */
  stream: string;
  host: string;
  pid: number;
  lease_ms: number;
  shards: readonly string[];
  /** By the store's clock. */
  heardAt_ms: number;
}
