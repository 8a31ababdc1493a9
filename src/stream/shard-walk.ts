/**
 * Keeps a reader on every shard that may be read. Shards are found in the listing, at the end of their parents, and
 * in an audit once in a while, because any of these may be late or incomplete.
 */
import { Failure } from '../base/base.ts';
import { hashKeyRange } from './hash-keys.ts';
import { forgettable, startOf } from './lineage.ts';
import { type ReaderOptions, ShardReader } from './shard-reader.ts';
import type { ChildShard } from './split.ts';
import type { Position, ShardInfo, TakeOptions } from './stream.ts';
import { isOver } from './taken.ts';
import { TrimWatch } from './trim-watch.ts';

export type WalkOptions = ReaderOptions & Pick<TakeOptions, 'positions' | 'pin' | 'shared'>;

const AUDIT_MS = 60_000;

export class ShardWalk {
  readonly #options: WalkOptions;
  readonly #listed = new Map<string, ShardInfo>();
  #positions: Map<string, Position>;
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
    this.#learn(await this.#endTrimmed(shards));
    this.#audit().catch((error) => this.#fail(error));
    this.#followOthers().catch((error) => this.#fail(error));
    this.#endWhenIdle();
    await this.#over.promise;
  }

  /**
   * Shards that were not read to their end and are not listed any more: all that was left of them is gone. Their end is
   * for good, so another listing must not name them either. Gives the shards of the last listing.
   */
  async #endTrimmed(shards: readonly ShardInfo[]): Promise<readonly ShardInfo[]> {
    if (this.#trimmedIn(shards).length === 0) return shards;
    const again = await this.#options.listShards();
    for (const { shard, position, trimmed } of this.#trimmedIn(again)) {
      const { intake } = this.#options;
      const children = again.filter(({ parents }) => parents.includes(shard)).map(({ id }) => id);
      intake.open({ id: shard, hashKeys: hashKeyRange(undefined) }, position);
      await intake.end(shard, children, trimmed);
      this.#positions.set(shard, 'end');
      await intake.release(shard);
    }
    return again;
  }

  #trimmedIn(shards: readonly ShardInfo[]) {
    const { clock, positions } = this.#options;
    const listed = new Set(shards.map(({ id }) => id));
    const now = { now_ms: clock.now(), retention_ms: this.#options.retention_ms() };
    return [...positions].flatMap(([shard, position]) => {
      if (isOver(position) || listed.has(shard) || !this.#owns(shard)) return [];
      const trimmed = new TrimWatch(position).isGone(now);
      return trimmed === undefined ? [] : [{ shard, position, trimmed }];
    });
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

  /**
   * Of two reshards in a row the second may merge a shard with a child of one that we still read: a parent that no listing
   * has named yet. Unlisted parents count as trimmed, so the listing is asked first.
   */
  async #learnNamed(children: readonly ChildShard[]): Promise<void> {
    const isUnlisted = (id: string) => !this.#listed.has(id);
    if (children.some(({ parents }) => parents.some(isUnlisted)))
      this.#learn(await this.#options.listShards());
    this.#learn(children.filter(({ id }) => isUnlisted(id)).map((child) => ({ ...child, closed: false })));
  }

  #beginAll(): void {
    if (this.#options.signal.aborted) return;
    const progress = { positions: this.#positions, pin: this.#options.pin };
    for (const shard of this.#listed.values()) {
      if (this.#begun.has(shard.id) || isOver(this.#positions.get(shard.id))) continue;
      // Asked of shards that wait for a parent too: whose they are may change meanwhile.
      if (!this.#owns(shard.id)) continue;
      const start = startOf(shard, this.#listed, progress);
      if (start !== undefined) this.#begin(shard, start);
    }
  }

  #owns(shard: string): boolean {
    return this.#options.shared?.owns(shard) ?? true;
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
      await intake.end(
        shard,
        outcome.children.map((child) => child.id),
        outcome.trimmed,
      );
      this.#positions.set(shard, intake.positionOf(shard));
      await this.#learnNamed(outcome.children);
    }
    await intake.release(shard);
  }

  #audit(): Promise<void> {
    const { checkIdentity, listShards } = this.#options;
    return this.#regularly(AUDIT_MS, async () => {
      await checkIdentity();
      const shards = await listShards();
      this.#learn(shards);
      this.#lookForForgettable(shards);
    });
  }

  /**
   * A shard of ours whose parent is another worker's begins when the table says that the parent was read to its end. And
   * children that another worker's shard ended with are found by that, sooner than by the audit.
   */
  async #followOthers(): Promise<void> {
    const { shared, listShards } = this.#options;
    if (shared === undefined) return;
    await this.#regularly(shared.every_ms, async () => {
      const held = await shared.positions();
      const ended = [...held].some(
        ([shard, position]) => isOver(position) && !isOver(this.#positions.get(shard)),
      );
      const own = [...this.#positions].filter(([shard]) => this.#begun.has(shard));
      this.#positions = new Map([...held, ...own]);
      if (ended) this.#learn(await listShards());
    });
  }

  /** Failures that waiting can mend are told, and the next turn tries again. */
  async #regularly(every_ms: number, action: () => Promise<void>): Promise<void> {
    const { clock, signal, log } = this.#options;
    for (;;) {
      await clock.sleep(every_ms, signal);
      if (signal.aborted) return;
      try {
        await action();
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
    this.#forgettable = now.filter((id) => this.#unlisted.has(id) && this.#owns(id));
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
