/**
 * Keeps a reader on every shard that may be read. Shards are found in the listing, at the end of their parents, and
 * in an audit once in a while, because any of these may be late or incomplete.
 */
import { Failure } from '../base/base.ts';
import { hashKeyRange } from './hash-keys.ts';
import { forgettable, startOf } from './lineage.ts';
import { type ReaderOptions, ShardReader } from './shard-reader.ts';
import type { Position, ShardInfo, TakeOptions } from './stream.ts';
import { TrimWatch } from './trim-watch.ts';

export type WalkOptions = ReaderOptions & Pick<TakeOptions, 'positions' | 'pin'>;

const AUDIT_MS = 60_000;

export class ShardWalk {
  readonly #options: WalkOptions;
  readonly #listed = new Map<string, ShardInfo>();
  readonly #positions: Map<string, Position>;
  readonly #passed = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #over = Promise.withResolvers<void>();
  /** Shards at their end that the last listing did not name. One listing alone may be incomplete. */
  #unlisted = new Set<string>();
  #forgettable: readonly string[] = [];
  #reading = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#positions = new Map(options.positions);
  }

  /** Resolves when nothing is left to read, or reading was stopped; every reader has ended by then. */
  async run(shards: readonly ShardInfo[]): Promise<void> {
    const { signal } = this.#options;
    signal.addEventListener('abort', () => this.#endWhenIdle(), { once: true });
    await this.#endTrimmed(shards);
    this.#learn(shards);
    this.#audit().catch((error) => this.#fail(error));
    this.#endWhenIdle();
    await this.#over.promise;
  }

  /** Shards that were not read to their end and are not listed any more: all that was left of them is gone. */
  async #endTrimmed(shards: readonly ShardInfo[]): Promise<void> {
    const { intake, clock, positions } = this.#options;
    const listed = new Set(shards.map(({ id }) => id));
    const retention_ms = this.#options.retention_ms();
    for (const [shard, position] of positions) {
      if (position === 'end' || listed.has(shard)) continue;
      const trimmed = new TrimWatch(position).isGone({ now_ms: clock.now(), retention_ms });
      if (trimmed === undefined) continue;
      const children = shards.filter(({ parents }) => parents.includes(shard)).map(({ id }) => id);
      intake.open({ id: shard, hashKeys: hashKeyRange(undefined) }, position);
      await intake.end(shard, children, trimmed);
      this.#positions.set(shard, 'end');
      await intake.release(shard);
    }
  }

  /** Names each once; the batch that takes them over is the next to be handed over. */
  forgotten(): readonly string[] {
    const shards = this.#forgettable;
    this.#forgettable = [];
    for (const shard of shards) this.#positions.delete(shard);
    return shards;
  }

  /** What a child's parent names is kept until the listing says more. */
  #learn(shards: readonly ShardInfo[]): void {
    for (const shard of shards) this.#listed.set(shard.id, shard);
    this.#beginAll();
  }

  #beginAll(): void {
    if (this.#options.signal.aborted) return;
    const progress = { positions: this.#positions, passed: this.#passed, pin: this.#options.pin };
    for (const shard of this.#listed.values()) {
      if (this.#begun.has(shard.id)) continue;
      const start = startOf(shard, this.#listed, progress);
      if (start !== undefined) this.#begin(shard, start);
    }
  }

  #begin(shard: ShardInfo, start: Position): void {
    this.#begun.add(shard.id);
    this.#options.intake.open(shard, start);
    this.#reading++;
    this.#read(shard.id)
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#reading--;
        this.#endWhenIdle();
      });
  }

  async #read(shard: string): Promise<void> {
    const { intake } = this.#options;
    const outcome = await new ShardReader(shard, this.#options).run();
    if (outcome.kind === 'stopped') return;
    if (outcome.kind === 'ended') {
      if (intake.positionOf(shard).startsWith('AT_TIMESTAMP')) this.#passed.add(shard);
      else {
        await intake.end(
          shard,
          outcome.children.map((child) => child.id),
          outcome.trimmed,
        );
        this.#positions.set(shard, 'end');
      }
      this.#learn(
        outcome.children.filter(({ id }) => !this.#listed.has(id)).map((c) => ({ ...c, closed: false })),
      );
    }
    await intake.release(shard);
  }

  async #audit(): Promise<void> {
    const { clock, signal, checkIdentity, listShards, log } = this.#options;
    for (;;) {
      await clock.sleep(AUDIT_MS, signal);
      if (signal.aborted) return;
      try {
        await checkIdentity();
        const shards = await listShards();
        this.#learn(shards);
        this.#lookForForgettable(shards);
      } catch (error) {
        if (!(error instanceof Failure) || error.retry !== 'backoff') throw error;
        this.#options.onRetry?.(error);
        log.debug('stream.audit_failed', error.message, { code: error.code, why: error.why });
      }
    }
  }

  #lookForForgettable(shards: readonly ShardInfo[]): void {
    const { intake } = this.#options;
    const positions = new Map([...this.#positions, ...intake.taken()]);
    const now = forgettable(new Map(shards.map((shard) => [shard.id, shard])), positions);
    this.#forgettable = now.filter((id) => this.#unlisted.has(id));
    this.#unlisted = new Set(now);
  }

  /** Without `until_ms` a stream has no end: even when every shard is closed, new ones may come. */
  #endWhenIdle(): void {
    const { signal, until_ms } = this.#options;
    if (this.#reading === 0 && (signal.aborted || until_ms !== undefined)) this.#over.resolve();
  }

  /** Fails at once; the caller then stops the other readers, which may be waiting for room. */
  #fail(error: unknown): void {
    this.#over.reject(error);
  }
}
