/**
 * Whether a record takes the whole process down can only be known by the lives after it. Where a taking begins in a
 * shard is written down before the engine sees that batch, in an object in `.judging` beside the tables (no part of a
 * table's location has a dot), and struck out when it was committed or given up in good order. A mark that is left: a
 * process ended without a word with a batch in hand that began there. Whether it still says anything, the table decides:
 * where the stream was read beyond, it does not, and it is removed. Nothing but the search for such records depends on
 * marks.
 */
import { Failure, Turns } from '../../base/base.ts';
import { compareSequenceNumbers } from '../../kinesis/kinesis.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';

export type MarkStore = Pick<ObjectStore, 'root' | 'read' | 'write' | 'list' | 'delete'>;

/** Where a batch begins in each of its shards; empty before a shard's first record. */
export type Beginning = Readonly<Record<string, string>>;

interface Mark {
  stream: string;
  from: Beginning;
}

const FOLDER = '.judging';
/** More are not looked at. */
const MARKS_MOST = 1_000;
/** By the store's clock. The table no longer has the shards of an old reshard, nor those of a stream that is gone. */
const REMOVED_AFTER_MS = 30 * 86_400_000;

export class BatchMarks {
  readonly #store: MarkStore;
  readonly #stream: string;
  readonly #location: string;
  /** What is in hand. */
  readonly #begun = new Map<string, string>();
  readonly #turns = new Turns();
  #isSet = false;

  /** `stream` is the stream's id, and `id` this process's among all. */
  constructor(store: MarkStore, { stream, id }: { stream: string; id: string }) {
    this.#store = store;
    this.#stream = stream;
    this.#location = `${store.root}/${FOLDER}/${id}.json`;
  }

  /**
   * Resolves once the batch is marked beside what is in hand, with the number of other processes that left a mark where
   * it begins in one of its shards. `positions` are those of the table. Throws the store's Failure.
   */
  async set(from: Beginning, positions: Beginning): Promise<number> {
    for (const [shard, at] of Object.entries(from)) this.#begun.set(shard, at);
    await this.#turns.take(() => {
      this.#isSet = true;
      const mark: Mark = { stream: this.#stream, from: Object.fromEntries(this.#begun) };
      return this.#store.write(this.#location, Buffer.from(JSON.stringify(mark)));
    });
    const { left, old } = await this.#others();
    const over = left.filter((each) => Object.entries(each.from).every(isBehind(positions)));
    await this.#remove([...old, ...over.map(({ location }) => location)]);
    return left.filter((each) => Object.entries(each.from).some(([shard, at]) => from[shard] === at)).length;
  }

  /** Of these shards, by default of all: the mark goes with the last of what is in hand. */
  async clear(shards: Iterable<string> = [...this.#begun.keys()]): Promise<void> {
    for (const shard of shards) this.#begun.delete(shard);
    await this.#turns.take(async () => {
      if (!this.#isSet || this.#begun.size > 0) return;
      this.#isSet = false;
      await this.#remove([this.#location]);
    });
  }

  /** Without a failure: a mark that cannot be removed is behind the table soon, or is counted once. */
  async #remove(locations: readonly string[]): Promise<void> {
    if (locations.length > 0) await this.#store.delete(locations).catch(() => {});
  }

  async #others(): Promise<{ left: (Mark & { location: string })[]; old: string[] }> {
    const found = new Map<string, number>();
    for await (const { location, modifiedAt_ms } of this.#store.list(`${this.#store.root}/${FOLDER}/`)) {
      found.set(location, modifiedAt_ms);
      if (found.size === MARKS_MOST) break;
    }
    const now_ms = Math.max(...found.values());
    found.delete(this.#location);
    const old = [...found]
      .filter(([, at_ms]) => now_ms - at_ms > REMOVED_AFTER_MS)
      .map(([location]) => location);
    const marks = await Promise.all(
      [...new Set(found.keys()).difference(new Set(old))].map(async (location) => ({
        location,
        mark: await this.#read(location),
      })),
    );
    const left = marks.flatMap(({ location, mark }) =>
      mark?.stream === this.#stream ? [{ location, ...mark }] : [],
    );
    return { left, old };
  }

  /** Undefined for one that is gone, and for what no version of ours wrote. */
  async #read(location: string): Promise<Mark | undefined> {
    try {
      return parsed(Buffer.from(await this.#store.read(location)).toString('utf8'));
    } catch (error) {
      if (error instanceof Failure && error.code === 'object_store.not_found') return undefined;
      throw error;
    }
  }
}

/** The table's positions only grow, but for a rollback; one that needs none any longer is not there. */
const isBehind =
  (positions: Beginning) =>
  ([shard, at]: readonly [string, string]): boolean => {
    const position = positions[shard];
    if (position === undefined) return false;
    if (at === '' || !/^\d/.test(position)) return position !== at;
    return compareSequenceNumbers(position, at) > 0;
  };

function parsed(text: string): Mark | undefined {
  try {
    const { stream, from } = JSON.parse(text) as Partial<Mark>;
    if (typeof stream !== 'string' || typeof from !== 'object' || from === null) return undefined;
    return { stream, from };
  } catch {
    return undefined;
  }
}
