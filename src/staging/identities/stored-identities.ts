/**
 * The identities of a table as of one of its snapshots: the newest in memory, the others in runs on disk, a few of
 * them, merged in the background as they grow. What it costs to ask grows with their number, the logarithm of history.
 *
 * The folder is a copy of what stands in the table, and may be deleted at any moment. `index.json` names the runs and
 * the snapshot that they cover whole; it is replaced only when nothing is in memory alone, so that after a crash the
 * rest is read from the table again. A run that is damaged makes all of it begin anew.
 */
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure, makeFolder, Turns } from '../../base/base.ts';
import { IdentitySet } from '../../event/event.ts';
import { mergeRuns } from './merge.ts';
import { sorted } from './order.ts';
import { DamagedRun, Run, sought } from './run.ts';
import { RunWriter } from './run-writer.ts';

export interface Covered {
  /** Of the table. */
  uuid: string;
  snapshot: bigint;
  /** Every live file of the snapshot up to this data sequence number. */
  sequenceNumber: number;
}

export interface StoredOptions {
  folder: string;
  newId: () => string;
  /** Identities in memory at most, beside the filters; 60 bytes each. At most 2,097,152. */
  memory_ids: number;
  /** Of all filters together; what is over 16 bits an identity is not used, below 4 it is exceeded. */
  filter_bytes: number;
}

const SQLITE_BUSY = 5;

/** Runs of like size that are merged into one. */
const ALIKE = 3;
/** With so many of like size, adding waits for the merge that is under way: asking costs with every run. */
const ALIKE_MOST = 2 * ALIKE;
const BITS = { most: 16, least: 4 };

export class StoredIdentities {
  readonly #options: StoredOptions;
  readonly #lock: DatabaseSync;
  #runs: Run[] = [];
  #recent = new IdentitySet();
  #covered: Covered | undefined;
  /** What the index on disk says. */
  #named: Covered | undefined;
  /** Runs were written that the index does not name yet. */
  #unnamed = false;
  /** Runs that were merged, and that the index on disk names still. */
  #replaced: Run[] = [];
  readonly #writing = new Turns();
  #merging: { done: Promise<void>; stop: AbortController } | undefined;

  private constructor(options: StoredOptions, lock: DatabaseSync) {
    this.#options = options;
    this.#lock = lock;
  }

  /** Undefined when another process has the folder open. */
  static async open(options: StoredOptions): Promise<StoredIdentities | undefined> {
    await makeFolder(options.folder);
    const lock = lockOf(options.folder);
    if (lock === undefined) return undefined;
    const stored = new StoredIdentities(options, lock);
    try {
      await stored.#load();
      return stored;
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  get covered(): Covered | undefined {
    return this.#covered;
  }

  get size(): number {
    return this.#runs.reduce((sum, { keys }) => sum + keys, this.#recent.size);
  }

  /** Until `cover` they belong to nothing: after a crash they are not there. */
  async add(keys: Uint32Array, count: number): Promise<void> {
    this.#covered = undefined;
    this.#recent.reserve(Math.min(count, this.#options.memory_ids - this.#recent.size));
    for (let i = 0; i < count; i++) {
      this.#recent.add(keys, i, 0);
      if (this.#recent.size >= this.#options.memory_ids) await this.#spill();
    }
  }

  /** What was added makes it whole as of this snapshot. */
  async cover(covered: Covered): Promise<void> {
    if (this.#unnamed || this.#recent.size > this.#options.memory_ids / 2) {
      await this.#spill();
      await this.#writeIndex(covered);
      this.#unnamed = false;
      this.#mergeSome();
      if (this.#alike().length >= ALIKE_MOST) await this.#merging?.done;
    }
    this.#covered = covered;
  }

  /** Which of the keys are there, as their places. Throws DamagedRun; then `clear`. */
  async heldOf(keys: Uint32Array, count: number): Promise<Int32Array> {
    const found = new Uint8Array(count);
    for (let i = 0; i < count; i++) if (this.#recent.has(keys, i)) found[i] = 1;
    const runs = [...this.#runs];
    for (const run of runs) run.retain();
    try {
      const wanted = sought(keys, count);
      for (const run of runs) await run.find(wanted, found);
    } finally {
      for (const run of runs) await run.release();
    }
    let held = 0;
    const places = new Int32Array(count);
    for (let i = 0; i < count; i++) if (found[i] === 1) places[held++] = i;
    return places.subarray(0, held);
  }

  /** Nothing is there any more, of no table. */
  async clear(): Promise<void> {
    await this.#letGo();
    await rm(this.#indexPath(), { force: true });
    await this.#load();
  }

  /** As it was when the index on disk was written: what an `add` that failed left behind is gone. */
  async reload(): Promise<void> {
    await this.#letGo();
    await this.#load();
  }

  async close(): Promise<void> {
    await this.#letGo();
    this.#lock.close();
  }

  async #letGo(): Promise<void> {
    this.#covered = undefined;
    this.#merging?.stop.abort();
    await this.#merging?.done;
    await this.#writing.over();
    for (const run of [...this.#runs, ...this.#replaced]) await run.release();
    this.#runs = [];
    this.#replaced = [];
    this.#recent = new IdentitySet();
    this.#unnamed = false;
    this.#named = undefined;
  }

  async #load(): Promise<void> {
    const index = await readIndex(this.#indexPath());
    const runs: Run[] = [];
    try {
      for (const name of index?.runs ?? []) runs.push(await Run.open(join(this.#options.folder, name)));
      this.#runs = runs;
      this.#covered = index?.covered;
      this.#named = index?.covered;
    } catch (error) {
      for (const run of runs) await run.release();
      const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!gone && !(error instanceof DamagedRun)) throw error;
    }
    const named = new Set(this.#runs.map(({ path }) => path));
    for (const name of await readdir(this.#options.folder)) {
      const path = join(this.#options.folder, name);
      if (name.startsWith('run-') && !named.has(path)) await rm(path);
    }
  }

  async #spill(): Promise<void> {
    if (this.#recent.size === 0) return;
    const keys = sorted(this.#recent.keys());
    const path = this.#newPath();
    const writer = await RunWriter.create(path, { keys: keys.length / 4, bits: this.#bits() });
    try {
      await writer.write(keys);
      await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    const run = await Run.open(path);
    // Only now: a merge may have put another list in place meanwhile.
    this.#runs.push(run);
    this.#recent = new IdentitySet();
    this.#unnamed = true;
  }

  /** Fewer as history grows: at 8 bits two keys in a hundred cost a page read for nothing. */
  #bits(): number {
    const bits = Math.floor((this.#options.filter_bytes * 8) / Math.max(1, this.size));
    return Math.max(BITS.least, Math.min(BITS.most, bits));
  }

  /** Without a snapshot: the one that it names already, over other runs. */
  #writeIndex(covered?: Covered): Promise<void> {
    return this.#writing.take(() => this.#writeIndexNow(covered));
  }

  async #writeIndexNow(asked: Covered | undefined): Promise<void> {
    const covered = asked ?? this.#named;
    // Runs that nothing covers yet must not be named under a snapshot that is older than they are.
    if (covered === undefined || (asked === undefined && this.#unnamed)) return;
    const replaced = [...this.#replaced];
    const runs = this.#runs.map(({ path }) => path.slice(this.#options.folder.length + 1));
    const text = JSON.stringify({
      version: 1,
      covered: { ...covered, snapshot: String(covered.snapshot) },
      runs,
    });
    const temporary = join(this.#options.folder, 'index.new');
    await using file = await open(temporary, 'w');
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, this.#indexPath());
    await using folder = await open(this.#options.folder, 'r');
    await folder.sync();
    this.#named = covered;
    this.#replaced = this.#replaced.filter((run) => !replaced.includes(run));
    for (const run of replaced) await drop(run);
  }

  #mergeSome(): void {
    const alike = this.#alike();
    if (this.#merging !== undefined || alike.length < ALIKE) return;
    const stop = new AbortController();
    const merged = this.#merge(alike, stop.signal);
    const ended = () => {
      this.#merging = undefined;
    };
    const next = () => {
      ended();
      if (!stop.signal.aborted) this.#mergeSome();
    };
    // It fails by a full disk, say: nothing is lost, and the next one tries again.
    this.#merging = { done: merged.then(next, ended), stop };
  }

  /** The most runs of like size. */
  #alike(): Run[] {
    const bySize = Map.groupBy(this.#runs, ({ keys }) => Math.floor(Math.log(keys + 1) / Math.log(ALIKE)));
    return [...bySize.values()].reduce((most, runs) => (runs.length > most.length ? runs : most), []);
  }

  async #merge(runs: readonly Run[], signal: AbortSignal): Promise<void> {
    const path = this.#newPath();
    try {
      await mergeRuns(runs, { path, bits: this.#bits(), signal });
      const merged = await Run.open(path);
      if (signal.aborted) {
        await merged.release();
        throw signal.reason;
      }
      this.#runs = [...this.#runs.filter((run) => !runs.includes(run)), merged];
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    this.#replaced.push(...runs);
    await this.#writeIndex();
  }

  #newPath = () => join(this.#options.folder, `run-${this.#options.newId()}`);
  #indexPath = () => join(this.#options.folder, 'index.json');
}

async function drop(run: Run): Promise<void> {
  await rm(run.path, { force: true });
  await run.release();
}

/** SQLite's lock dies with its holder, where a lock file would outlive a crash. */
function lockOf(folder: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw new Failure('the index of identities cannot be opened', {
      code: 'staging.index',
      fault: 'user',
      why: `${join(folder, 'lock.sqlite')}: ${(error as Error).message}`,
      hint: 'the folder identities must be writable; it may be deleted, and is then made anew',
      cause: error,
    });
  }
}

async function readIndex(path: string): Promise<{ covered: Covered; runs: readonly string[] } | undefined> {
  try {
    const { version, covered, runs } = JSON.parse(await readFile(path, 'utf8'));
    if (version !== 1) return undefined;
    return { covered: { ...covered, snapshot: BigInt(covered.snapshot) }, runs };
  } catch {
    return undefined;
  }
}
