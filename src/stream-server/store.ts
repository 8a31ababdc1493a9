import { type Clock, type Log, Turns } from '../base/base.ts';
import { parseSequenceNumber } from '../kinesis/kinesis.ts';
import { Capacity } from './capacity.ts';
import { Catalog, type ShardEntry, type StreamEntry } from './catalog.ts';
import { makeDurableFolder } from './durable-folder.ts';
import { FolderLock } from './folder-lock.ts';
import { LiveShard, LiveStream } from './live-stream.ts';
import type { LogFiles } from './log-files.ts';
import { closedBy, expired, type Reshard } from './reshard.ts';
import type { SegmentLimits } from './segment-writer.ts';
import { ShardLog } from './shard-log.ts';
import type { HeldPositions } from './stream-server.ts';

export interface StoreOptions {
  folder: string;
  files: LogFiles;
  arnOf: (name: string) => string;
  maxBytes: number;
  retention_ms: number;
  limits: SegmentLimits;
  clock: Clock;
  log: Log;
}

export type NewStream = Pick<StreamEntry, 'name' | 'mode' | 'recordBytes_max' | 'tags'> & {
  shards: Pick<ShardEntry, 'startingHashKey' | 'endingHashKey'>[];
};

/** All streams of a folder, durable, with the folder to ourselves. */
export class Store {
  readonly capacity: Capacity;
  readonly #options: StoreOptions;
  readonly #lock: FolderLock;
  readonly #catalog: Catalog;
  readonly #streams = new Map<string, LiveStream>();
  readonly #creating = new Set<string>();
  readonly #turns = new WeakMap<LiveStream, Turns>();

  private constructor(options: StoreOptions, lock: FolderLock, catalog: Catalog) {
    this.#options = options;
    this.#lock = lock;
    this.#catalog = catalog;
    this.capacity = new Capacity(options.maxBytes);
  }

  static async open(options: StoreOptions): Promise<Store> {
    const { files, folder } = options;
    await makeDurableFolder(files, `${folder}/streams`);
    const lock = new FolderLock(folder);
    try {
      const store = new Store(options, lock, await Catalog.open(files, folder));
      await store.#removeLeftOvers();
      for (const entry of store.#catalog.streams)
        store.#streams.set(entry.name, await store.#openStream(entry));
      return store;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** In the order of their names. */
  get streams(): LiveStream[] {
    return [...this.#streams.values()].sort((a, b) => (a.entry.name < b.entry.name ? -1 : 1));
  }

  stream(name: string): LiveStream | undefined {
    return this.#streams.get(name);
  }

  retention_ms({ entry }: LiveStream): number {
    return entry.retention_ms ?? this.#options.retention_ms;
  }

  /** False when there is one of that name. */
  async create({ shards, ...stream }: NewStream): Promise<boolean> {
    const { name } = stream;
    if (this.#streams.has(name) || this.#creating.has(name)) return false;
    this.#creating.add(name);
    try {
      const { createdAt_ms, createdAt_s } = this.#catalog.nextCreation(this.#options.clock.now());
      const entry: StreamEntry = {
        ...stream,
        createdAt_ms,
        folder: `${createdAt_ms}-${name}`,
        shards: shards.map((shard, index) => ({
          index,
          createdAt_s,
          openedAt_ms: createdAt_ms,
          ...shard,
          parents: [],
        })),
      };
      const live = await this.#openStream(entry);
      await this.#catalog.add(entry);
      this.#streams.set(name, live);
      return true;
    } finally {
      this.#creating.delete(name);
    }
  }

  /** Once this resolves the stream is gone for good; its files follow. */
  async delete(stream: LiveStream): Promise<void> {
    stream.isDeleted = true;
    try {
      await this.#inTurn(stream, () => this.#catalog.remove(stream.entry));
    } catch (error) {
      stream.isDeleted = false;
      throw error;
    }
    this.#streams.delete(stream.entry.name);
    stream.changed.fire();
    for (const { log } of stream.shards) {
      await log.close();
      log.forget();
    }
    await this.#options.files.remove(`${this.#options.folder}/streams/${stream.entry.folder}`);
  }

  /**
   * Closes shards and opens their children. Nothing is put to the former from the call on; what was put before is
   * durable before the catalog says that they are closed.
   */
  async reshard(stream: LiveStream, plan: Reshard): Promise<void> {
    const over = Promise.withResolvers<void>();
    // Which ones close does not hang on the time.
    const entries = closedBy(stream.entry.shards, plan(stream.entry.shards, { at_ms: 0, createdAt_s: 0 }));
    const closing = new Set(stream.openShards.filter(({ entry }) => entries.includes(entry)));
    stream.resharding = { closing, over: over.promise };
    try {
      await this.#change(stream, async (entry) => {
        for (const { log } of closing) await log.drain();
        const now_ms = Math.floor(this.#options.clock.now());
        const { createdAt_s } = this.#catalog.nextCreation(now_ms);
        return { ...entry, shards: plan(entry.shards, { at_ms: now_ms, createdAt_s }) };
      });
      // Nothing is written to them any more.
      for (const { log } of closing) await log.close();
    } finally {
      stream.resharding = undefined;
      over.resolve();
    }
  }

  /** Changes what the catalog says of a stream, but not its shards. */
  update(stream: LiveStream, change: (entry: StreamEntry) => StreamEntry): Promise<void> {
    return this.#change(stream, change);
  }

  /** Lets go of what is older than the retention and not held by the lake. Where that fails the log says it. */
  async trim(held: HeldPositions): Promise<void> {
    for (const stream of this.streams) {
      const olderThan_ms = this.#options.clock.now() - this.retention_ms(stream);
      const { entry, arn, shards } = stream;
      const positions = held({ name: entry.name, arn, createdAt_ms: entry.createdAt_ms });
      if (positions === undefined) continue;
      for (const shard of shards)
        await this.#orSay(stream, shard.log.trim({ olderThan_ms, heldIndex: heldIndex(shard, positions) }));
      await this.#orSay(stream, this.#expire(stream, { olderThan_ms, positions }));
    }
  }

  /** What fails of one shard keeps no other from being trimmed. */
  async #orSay({ entry }: LiveStream, trimming: Promise<void>): Promise<void> {
    await trimming.catch((error: unknown) =>
      this.#options.log.error('stream_server.trim_failed', 'Could not remove old segments', {
        stream: entry.name,
        why: String(error),
      }),
    );
  }

  async close(): Promise<void> {
    try {
      for (const { shards } of this.#streams.values()) for (const { log } of shards) await log.close();
    } finally {
      this.#lock[Symbol.dispose]();
    }
  }

  /** A closed shard that was emptied goes itself, once the lake has read it to its end. */
  async #expire(
    stream: LiveStream,
    { olderThan_ms, positions }: { olderThan_ms: number; positions: Positions },
  ): Promise<void> {
    if (stream.resharding || stream.isDeleted) return;
    const over = stream.shards.filter(
      (shard) =>
        (shard.entry.closedAt_ms ?? Number.POSITIVE_INFINITY) < olderThan_ms &&
        !shard.log.hasRecordsFrom(0) &&
        heldIndex(shard, positions) === Number.POSITIVE_INFINITY,
    );
    const gone = expired(stream.entry.shards, (entry) => over.some((shard) => shard.entry === entry));
    if (gone.size === 0) return;
    const indexes = new Set([...gone].map(({ index }) => index));
    const isLeft = ({ index }: ShardEntry) => !indexes.has(index);
    await this.#change(stream, (entry) => ({ ...entry, shards: entry.shards.filter(isLeft) }));
    for (const { log } of over.filter(({ entry }) => !isLeft(entry))) {
      await log.close();
      log.forget();
    }
    for (const index of indexes) await this.#options.files.remove(this.#shardFolder(stream.entry, index));
  }

  /** The stream's entry, in the catalog and then here; one change of a stream at a time. */
  async #change(
    stream: LiveStream,
    next: (entry: StreamEntry) => StreamEntry | Promise<StreamEntry>,
  ): Promise<void> {
    await this.#inTurn(stream, async () => {
      const entry = await next(stream.entry);
      const shards: LiveShard[] = [];
      for (const shard of entry.shards) {
        const before = stream.shard(shard.index);
        if (before?.entry === shard) shards.push(before);
        else shards.push(new LiveShard(shard, before?.log ?? (await this.#openLog(entry, shard))));
      }
      await this.#catalog.replace(entry);
      stream.become(entry, shards);
    });
  }

  #inTurn<T>(stream: LiveStream, work: () => Promise<T>): Promise<T> {
    const turns = this.#turns.get(stream) ?? new Turns();
    this.#turns.set(stream, turns);
    return turns.take(work);
  }

  async #openStream(entry: StreamEntry): Promise<LiveStream> {
    const shards: LiveShard[] = [];
    for (const shard of entry.shards) shards.push(new LiveShard(shard, await this.#openLog(entry, shard)));
    return new LiveStream(entry, this.#options.arnOf(entry.name), shards);
  }

  #openLog(entry: StreamEntry, { index }: ShardEntry): Promise<ShardLog> {
    const { files, clock, log, limits } = this.#options;
    const folder = this.#shardFolder(entry, index);
    return ShardLog.open({ folder, files, clock, log, limits, capacity: this.capacity });
  }

  #shardFolder(entry: StreamEntry, index: number): string {
    return `${this.#options.folder}/streams/${entry.folder}/${index}`;
  }

  async #removeLeftOvers(): Promise<void> {
    const { files, folder } = this.#options;
    const named = new Set(this.#catalog.streams.map((stream) => stream.folder));
    for (const name of await files.list(`${folder}/streams`))
      if (!named.has(name)) await files.remove(`${folder}/streams/${name}`);
  }
}

type Positions = Exclude<ReturnType<HeldPositions>, undefined>;

/** The highest index that the lake does not need any more: 0 for anything that we cannot read as a position here. */
function heldIndex(shard: LiveShard, positions: Positions): number {
  if (positions === 'none') return Number.POSITIVE_INFINITY;
  const position = positions.get(shard.id);
  if (position === 'end' || position === 'passed') return Number.POSITIVE_INFINITY;
  const parts = position === undefined ? undefined : parseSequenceNumber(position);
  const isOurs =
    parts?.shardIndex === shard.entry.index && parts.shardCreatedAt_s === shard.entry.createdAt_s;
  return isOurs ? Number(parts.index) : 0;
}
