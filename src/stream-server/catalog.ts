import { Turns } from '../base/base.ts';
import { readWhole, replaceFile } from './atomic-file.ts';
import { damaged } from './damage.ts';
import type { LogFiles } from './log-files.ts';

/** A shard as the catalog keeps it. Hash keys are decimal text. */
export interface ShardEntry {
  index: number;
  /** In every sequence number of the shard; no two shards of the folder's history share one of the same index. */
  createdAt_s: number;
  /** When it took its first record at the earliest. Catalogs of version 0.1 lack it: then it is `createdAt_s`. */
  openedAt_ms?: number;
  startingHashKey: string;
  endingHashKey: string;
  /** Ids of the shards that it came from by a split (one) or a merge (two). */
  parents: string[];
  /** A closed shard takes no more records. */
  closedAt_ms?: number;
}

export interface ConsumerEntry {
  name: string;
  createdAt_s: number;
  tags?: Record<string, string>;
}

export interface StreamEntry {
  name: string;
  /** Different from that of every other stream that this folder ever had: with the name, the stream's identity. */
  createdAt_ms: number;
  folder: string;
  mode: 'PROVISIONED' | 'ON_DEMAND';
  recordBytes_max: number;
  shards: ShardEntry[];
  /** Undefined: the server's own. */
  retention_ms?: number;
  tags?: Record<string, string>;
  shardLevelMetrics?: string[];
  /** Registered for enhanced fan-out, and the newest creation that any had. */
  consumers?: { newest_s: number; registered: ConsumerEntry[] };
}

interface CatalogContent {
  format: 1;
  newestCreation_ms: number;
  newestCreation_s: number;
  streams: StreamEntry[];
}

const FILE = 'catalog.json';

/**
 * Which streams there are. One file, replaced as a whole: a stream exists, or is gone, from the instant in which the
 * new file has its name. A folder that no stream of the catalog names is a left-over of a crash.
 */
export class Catalog {
  readonly #files: LogFiles;
  readonly #folder: string;
  #content: CatalogContent;
  readonly #changes = new Turns();

  private constructor(files: LogFiles, folder: string, content: CatalogContent) {
    this.#files = files;
    this.#folder = folder;
    this.#content = content;
  }

  static async open(files: LogFiles, folder: string): Promise<Catalog> {
    const path = `${folder}/${FILE}`;
    const text = await readWhole(files, path);
    if (text !== undefined) return new Catalog(files, folder, parse(path, text));
    // Never guessed anew over existing records: those would then count as left-overs.
    if ((await files.list(`${folder}/streams`)).length > 0) throw damaged(path, 'it is missing');
    const empty: CatalogContent = { format: 1, newestCreation_ms: 0, newestCreation_s: 0, streams: [] };
    const catalog = new Catalog(files, folder, empty);
    await catalog.#replace(empty);
    return catalog;
  }

  get streams(): readonly StreamEntry[] {
    return this.#content.streams;
  }

  /** Times for a new stream and its shards: the clock's, unless it stood still or went back since the last one. */
  nextCreation(now_ms: number): { createdAt_ms: number; createdAt_s: number } {
    const { newestCreation_ms, newestCreation_s } = this.#content;
    return {
      createdAt_ms: Math.max(now_ms, newestCreation_ms + 1),
      createdAt_s: Math.max(Math.floor(now_ms / 1000), newestCreation_s + 1),
    };
  }

  add(stream: StreamEntry): Promise<void> {
    return this.#change((content) => ({
      ...content,
      newestCreation_ms: Math.max(content.newestCreation_ms, stream.createdAt_ms),
      newestCreation_s: Math.max(content.newestCreation_s, ...stream.shards.map((s) => s.createdAt_s)),
      streams: [...content.streams, stream],
    }));
  }

  /** Another entry for a stream that there is. */
  replace(stream: StreamEntry): Promise<void> {
    return this.#change((content) => ({
      ...content,
      newestCreation_s: Math.max(content.newestCreation_s, ...stream.shards.map((s) => s.createdAt_s)),
      streams: content.streams.map((one) => (one.folder === stream.folder ? stream : one)),
    }));
  }

  remove(stream: StreamEntry): Promise<void> {
    return this.#change((content) => ({
      ...content,
      streams: content.streams.filter(({ folder }) => folder !== stream.folder),
    }));
  }

  #change(next: (content: CatalogContent) => CatalogContent): Promise<void> {
    return this.#changes.take(() => this.#replace(next(this.#content)));
  }

  async #replace(content: CatalogContent): Promise<void> {
    await replaceFile(this.#files, `${this.#folder}/${FILE}`, `${JSON.stringify(content, undefined, 1)}\n`);
    this.#content = content;
  }
}

function parse(path: string, text: string): CatalogContent {
  try {
    const content = JSON.parse(text) as CatalogContent;
    if (content.format === 1 && Array.isArray(content.streams)) return content;
  } catch {}
  throw damaged(path, 'it is not a catalog of format 1');
}
