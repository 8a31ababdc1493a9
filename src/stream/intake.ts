/**
 * Where the bodies of all shards become batches. One body at a time, under one lock: a position moves only when its
 * whole body is in the spool, and the ranges of consecutive batches join because the position that one ends with is
 * the one that the next begins with.
 *
 * Bounded: a finished batch that finds no room in the queue keeps the lock, so nothing more is spooled until the
 * consumer takes one; the readers then hold at most the bodies that their slots allow, and stop reading.
 */
import { rm } from 'node:fs/promises';
import { BoundedQueue, type Clock, type Log, Turns } from '../base/base.ts';
import type { HashKeyRange } from '../kinesis/kinesis.ts';
import { Batch } from './batch.ts';
import type { SplitBody } from './split.ts';
import type { RawBody, Splitter } from './splitter.ts';
import type { ExpiredRange, Position, ShardInfo, Spool, TakeOptions } from './stream.ts';

export interface IntakeOptions
  extends Pick<TakeOptions, 'maxRows' | 'maxBytes' | 'maxAge_ms' | 'spacing_ms' | 'spoolsAhead' | 'onRead'> {
  splitter: Splitter;
  clock: Clock;
  newPath: () => string;
  log: Log;
  /** Asked when a batch is handed over; what it names is not named again. */
  forgotten: () => readonly string[];
}

interface OpenShard {
  position: Position;
  hashKeys: HashKeyRange;
  behindLatest_ms: number;
  /** The last answer was empty and nothing was behind it, or nothing more is wanted of this shard. */
  caughtUp: boolean;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #open = new Map<string, OpenShard>();
  readonly #queue: BoundedQueue<Spool>;
  readonly #undelivered = new Set<Spool>();
  #batch: Batch;
  readonly #turns = new Turns();
  #over = false;
  #cut_ms: number;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#cut_ms = options.clock.now();
    this.#queue = new BoundedQueue(options.spoolsAhead);
    this.#batch = new Batch(options.newPath());
  }

  /** From now on the shard counts: the stream is drained only when this shard is caught up too. */
  open({ id, hashKeys }: Pick<ShardInfo, 'id' | 'hashKeys'>, position: Position): void {
    this.#open.set(id, { position, hashKeys, behindLatest_ms: 0, caughtUp: false });
  }

  positionOf(shard: string): Position {
    return this.#open.get(shard)!.position;
  }

  /** Where the shards stand of which something was taken; the batch that says so is handed over before the next. */
  taken(): [shard: string, position: Position][] {
    return [...this.#open]
      .map(([shard, { position }]): [string, Position] => [shard, position])
      .filter(([, position]) => sequenceNumber(position) !== undefined);
  }

  /**
   * Undefined when the taking ended meanwhile: the body was not taken. `trimmed`: records before the first one of the
   * body may be gone, those since then.
   */
  accept(
    shard: string,
    body: RawBody,
    trimmed?: { since_ms: number | undefined },
  ): Promise<SplitBody | undefined> {
    return this.#locked(async () => {
      const { splitter } = this.#options;
      const [state, batch] = [this.#open.get(shard)!, this.#batch];
      const after = sequenceNumber(state.position);
      const { hashKeys } = state;
      const request = { path: batch.path, body, shard: batch.indexOf(shard), after, hashKeys };
      const { split, spooled } = await splitter.split(request);
      if (split.rows !== undefined) {
        this.#changing(batch);
        if (trimmed !== undefined)
          this.#expire({ shard, to: split.rows.first, ...trimmed, until_ms: split.rows.firstArrival_ms });
        batch.add(shard, state.position, split.rows);
        state.position = split.rows.last;
      }
      Object.assign(batch, spooled);
      state.behindLatest_ms = split.behindLatest_ms;
      state.caughtUp = split.rows === undefined && split.behindLatest_ms === 0;
      await this.#cutWhenDue();
      this.#options.onRead?.({
        shard,
        records: split.rows?.count ?? 0,
        behindLatest_ms: split.behindLatest_ms,
        idle: this.#drained() && !this.#batch.moved && this.#undelivered.size === 0,
      });
      return split;
    });
  }

  /** The shard was read to its closed end. Open its children before `release`, or a gap between looks like the end. */
  end(shard: string, children: readonly string[], trimmed?: { since_ms: number | undefined }): Promise<void> {
    return this.#locked(async () => {
      const state = this.#open.get(shard)!;
      this.#changing(this.#batch);
      const to = state.position.startsWith('AT_TIMESTAMP') ? 'passed' : 'end';
      if (trimmed !== undefined && to === 'end') this.#expire({ shard, to, ...trimmed, until_ms: undefined });
      this.#batch.end(shard, { from: state.position, to }, children);
      state.position = to;
    });
  }

  /** The shard no longer counts. */
  release(shard: string): Promise<void> {
    return this.#locked(async () => {
      this.#open.delete(shard);
      await this.#cutWhenDue();
    });
  }

  async next(): Promise<Spool | undefined> {
    const spool = await this.#queue.take();
    if (spool === undefined || !this.#undelivered.delete(spool)) return undefined;
    return spool;
  }

  /** Hands over what there is, and behind it the error, if there is one. Resolves once there was room for it. */
  async finish(error?: unknown): Promise<void> {
    await this.#locked(() => this.#cut());
    this.#over = true;
    this.#queue.close(error);
  }

  /** The consumer gets the error at its next turn; without one it gets nothing more. */
  fail(error?: unknown): void {
    this.#over = true;
    this.#batch.over.abort();
    if (error === undefined) this.#queue.close();
    else this.#queue.fail(error);
  }

  /** After `fail`, and after everything that writes has ended: removes every file that was not handed over. */
  async removeFiles(): Promise<void> {
    const left = [...this.#undelivered];
    this.#undelivered.clear();
    await Promise.all([
      rm(this.#batch.path, { force: true }),
      ...left.map((spool) => spool[Symbol.asyncDispose]()),
    ]);
  }

  #expire(range: Omit<ExpiredRange, 'from'>): void {
    const expired = { from: this.positionOf(range.shard), ...range };
    this.#batch.expire(expired);
    const time = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
    const { shard, from, to, since_ms, until_ms } = expired;
    const fields = { shard, from, to, since: time(since_ms), until: time(until_ms) };
    this.#options.log.warn(
      'stream.records_expired',
      'Records may have expired before they were read',
      fields,
    );
  }

  #locked<T>(action: () => Promise<T>): Promise<T | undefined> {
    return this.#turns.take(async () => (this.#over ? undefined : action()));
  }

  /** The age of a batch counts from its first change. */
  #changing(batch: Batch): void {
    if (!batch.moved) this.#cutByAge(batch).catch((error) => this.fail(error));
  }

  async #cutByAge(batch: Batch): Promise<void> {
    const { clock, maxAge_ms } = this.#options;
    await clock.sleep(Math.max(maxAge_ms, this.#spacing_ms()), batch.over.signal);
    if (batch.over.signal.aborted) return;
    await this.#locked(async () => {
      if (this.#batch === batch) await this.#cut();
    });
  }

  async #cutWhenDue(): Promise<void> {
    const { maxRows, maxBytes, clock } = this.#options;
    const full = this.#batch.rows >= maxRows || this.#batch.bytes >= maxBytes;
    const isSpaced = () => clock.now() - this.#cut_ms >= this.#spacing_ms();
    if (full || (this.#drained() && isSpaced())) await this.#cut();
  }

  #spacing_ms(): number {
    return this.#options.spacing_ms?.() ?? 0;
  }

  #drained(): boolean {
    return this.#open.values().every((shard) => shard.caughtUp);
  }

  async #cut(): Promise<void> {
    const batch = this.#batch;
    // After a failure the splitter is on its way out, and nobody would remove one more file.
    if (!batch.moved || this.#over) return;
    batch.over.abort();
    this.#cut_ms = this.#options.clock.now();
    await this.#options.splitter.finish(batch.path);
    this.#batch = new Batch(this.#options.newPath());
    const behind = this.#open.values().map((shard) => shard.behindLatest_ms);
    const forgotten = this.#options.forgotten();
    const spool = batch.spool({
      drained: this.#drained(),
      behindLatest_ms: Math.max(0, ...behind),
      forgotten,
    });
    // Refused when the taking ended meanwhile: then it is among the files that are removed.
    this.#undelivered.add(spool);
    await this.#queue.put(spool);
  }
}

/** The number that a position holds; undefined before the first record and at the end. */
export function sequenceNumber(position: Position): string | undefined {
  return /^\d/.test(position) ? position : undefined;
}
