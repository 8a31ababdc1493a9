/**
 * Whether a record takes the whole process down can only be known by the lives after it. The first batch of every taking
 * is written down before the engine sees it, as an object in `.judging` beside the tables (no part of a table's location
 * has a dot), and struck out when it was committed or given up in good order. A mark that is left: a process ended
 * without a word with a batch in hand that began there. Whether it still says anything, the table decides: where the
 * stream was read beyond, it does not, and it is removed. Nothing but the search for such records depends on marks.
 */
import { Failure } from '../../base/base.ts';
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

export class BatchMarks {
  readonly #store: MarkStore;
  readonly #stream: string;
  readonly #location: string;
  #isSet = false;

  /** `stream` is the stream's id, and `id` this process's among all. */
  constructor(store: MarkStore, { stream, id }: { stream: string; id: string }) {
    this.#store = store;
    this.#stream = stream;
    this.#location = `${store.root}/${FOLDER}/${id}.json`;
  }

  /**
   * Resolves once the batch is marked, with the number of other processes that left a mark where it begins in one of its
   * shards. `positions` are those of the table. Throws the store's Failure.
   */
  async set(from: Beginning, positions: Beginning): Promise<number> {
    const mark: Mark = { stream: this.#stream, from };
    this.#isSet = true;
    await this.#store.write(this.#location, Buffer.from(JSON.stringify(mark)));
    const left = await this.#left();
    const over = left.filter((each) => Object.entries(each.from).every(isBehind(positions)));
    if (over.length > 0) await this.#store.delete(over.map(({ location }) => location));
    return left.filter((each) => Object.entries(each.from).some(([shard, at]) => from[shard] === at)).length;
  }

  /** Without a failure: a mark that cannot be removed is behind the table soon, or is counted once. */
  async clear(): Promise<void> {
    if (!this.#isSet) return;
    this.#isSet = false;
    await this.#store.delete([this.#location]).catch(() => {});
  }

  async #left(): Promise<(Mark & { location: string })[]> {
    const locations: string[] = [];
    for await (const { location } of this.#store.list(`${this.#store.root}/${FOLDER}/`)) {
      if (location !== this.#location) locations.push(location);
      if (locations.length === MARKS_MOST) break;
    }
    const marks = await Promise.all(
      locations.map(async (location) => ({ location, mark: await this.#read(location) })),
    );
    return marks.flatMap(({ location, mark }) =>
      mark?.stream === this.#stream ? [{ location, ...mark }] : [],
    );
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
