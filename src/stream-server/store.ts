import type { Clock, Log } from '../base/base.ts';
import { parseSequenceNumber } from '../kinesis/kinesis.ts';
import { Capacity } from './capacity.ts';
import { Catalog, type ShardEntry, type StreamEntry } from './catalog.ts';
import { makeDurableFolder } from './durable-folder.ts';
import { FolderLock } from './folder-lock.ts';
import { LiveShard, LiveStream } from './live-stream.ts';
import type { LogFiles } from './log-files.ts';
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

export type NewStream = Pick<StreamEntry, 'name' | 'mode' | 'recordBytes_max'> & {
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

  /** False when there is one of that name. */
  async create({ name, mode, recordBytes_max, shards }: NewStream): Promise<boolean> {
    if (this.#streams.has(name) || this.#creating.has(name)) return false;
    this.#creating.add(name);
    try {
      const { createdAt_ms, createdAt_s } = this.#catalog.nextCreation(this.#options.clock.now());
      const entry: StreamEntry = {
        name,
        createdAt_ms,
        folder: `${createdAt_ms}-${name}`,
        mode,
        recordBytes_max,
        shards: shards.map((shard, index) => ({ index, createdAt_s, ...shard, parents: [] })),
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
      await this.#catalog.remove(stream.entry);
    } catch (error) {
      stream.isDeleted = false;
      throw error;
    }
    this.#streams.delete(stream.entry.name);
    for (const { log } of stream.shards) {
      await log.close();
      log.forget();
    }
    await this.#options.files.remove(`${this.#options.folder}/streams/${stream.entry.folder}`);
  }

  /** Lets go of what is older than the retention and not held by the lake. */
  async trim(held: HeldPositions): Promise<void> {
    const olderThan_ms = this.#options.clock.now() - this.#options.retention_ms;
    for (const { entry, arn, shards } of this.streams) {
      const positions = held({ name: entry.name, arn, createdAt_ms: entry.createdAt_ms });
      if (positions === undefined) continue;
      for (const shard of shards)
        await shard.log.trim({ olderThan_ms, heldIndex: heldIndex(shard, positions) });
    }
  }

  async close(): Promise<void> {
    try {
      for (const { shards } of this.#streams.values()) for (const { log } of shards) await log.close();
    } finally {
      this.#lock[Symbol.dispose]();
    }
  }

  async #openStream(entry: StreamEntry): Promise<LiveStream> {
    const { folder, files, clock, log, limits, arnOf } = this.#options;
    const shards: LiveShard[] = [];
    for (const shard of entry.shards) {
      const path = `${folder}/streams/${entry.folder}/${shard.index}`;
      const options = { folder: path, files, clock, log, limits, capacity: this.capacity };
      shards.push(new LiveShard(shard, await ShardLog.open(options)));
    }
    return new LiveStream(entry, arnOf(entry.name), shards);
  }

  async #removeLeftOvers(): Promise<void> {
    const { files, folder } = this.#options;
    const named = new Set(this.#catalog.streams.map((stream) => stream.folder));
    for (const name of await files.list(`${folder}/streams`))
      if (!named.has(name)) await files.remove(`${folder}/streams/${name}`);
  }
}

/** The highest index that the lake does not need any more: 0 for anything that we cannot read as a position here. */
function heldIndex(shard: LiveShard, positions: ReadonlyMap<string, string> | 'none'): number {
  if (positions === 'none') return Number.POSITIVE_INFINITY;
  const position = positions.get(shard.id);
  if (position === 'end') return Number.POSITIVE_INFINITY;
  const parts = position === undefined ? undefined : parseSequenceNumber(position);
  const isOurs =
    parts?.shardIndex === shard.entry.index && parts.shardCreatedAt_s === shard.entry.createdAt_s;
  return isOurs ? Number(parts.index) : 0;
}
