/**
 * Keeps a reader on every shard that may be read. Shards are found in the listing, at the end of their parents, and
 * in an audit once in a while, because any of these may be late or incomplete.
 */
import { Failure } from '../base/base.ts';
import { startOf } from './lineage.ts';
import { type ReaderOptions, ShardReader } from './shard-reader.ts';
import type { Position, ShardInfo, TakeOptions } from './stream.ts';

export type WalkOptions = ReaderOptions & Pick<TakeOptions, 'positions' | 'pin'>;

const AUDIT_MS = 60_000;

export class ShardWalk {
  readonly #options: WalkOptions;
  readonly #listed = new Map<string, ShardInfo>();
  readonly #positions: Map<string, Position>;
  readonly #passed = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #over = Promise.withResolvers<void>();
  #reading = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#positions = new Map(options.positions);
  }

  /** Resolves when nothing is left to read, or reading was stopped; every reader has ended by then. */
  async run(shards: readonly ShardInfo[]): Promise<void> {
    const { signal } = this.#options;
    signal.addEventListener('abort', () => this.#endWhenIdle(), { once: true });
    this.#learn(shards);
    this.#audit().catch((error) => this.#fail(error));
    this.#endWhenIdle();
    await this.#over.promise;
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
      if (start !== undefined) this.#begin(shard.id, start);
    }
  }

  #begin(shard: string, start: Position): void {
    this.#begun.add(shard);
    this.#options.intake.open(shard, start);
    this.#reading++;
    this.#read(shard)
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
    const { clock, signal, listShards, log } = this.#options;
    for (;;) {
      await clock.sleep(AUDIT_MS, signal);
      if (signal.aborted) return;
      try {
        this.#learn(await listShards());
      } catch (error) {
        if (!(error instanceof Failure) || error.retry !== 'backoff') throw error;
        this.#options.onRetry?.(error);
        log.debug('stream.audit_failed', error.message, { code: error.code, why: error.why });
      }
    }
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
