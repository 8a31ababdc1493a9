/**
 * Which identities of a batch stand in staging already, over all its history; exact, and a function of one snapshot:
 * what was appended since is read from the table, unless this process brought it, and any other change but a replace
 * makes it begin anew.
 */
import { Failure, type Log, Turns } from '../base/base.ts';
import type { Engine, Identities, RawBatch } from '../engine/engine.ts';
import { copyKey } from '../event/event.ts';
import {
  ancestors,
  currentSnapshot,
  type DataFile,
  type Lake,
  type Snapshot,
  type Table,
} from '../lake/lake.ts';
import { DamagedRun } from './identities/run.ts';
import { type Covered, StoredIdentities } from './identities/stored-identities.ts';

export interface IdentityIndex {
  /** Row ids of the batch whose identity is held by this snapshot of staging. */
  heldBy(staging: Table, batch: RawBatch): Promise<Int32Array>;
  /**
   * Tells that a batch that was asked for is in this snapshot, but for the rows that were dropped: then its identities
   * need not be read back from files. It works on this by itself; should it fail, they are.
   */
  committed(commit: Committed): void;
  close(): Promise<void>;
}

export interface Committed {
  /** Staging with the commit. */
  staging: Table;
  snapshot: Snapshot;
  batch: RawBatch;
  /** Row ids of the batch. */
  dropped: Int32Array;
}

export interface IdentityIndexOptions {
  lake: Lake;
  engine: Engine;
  log: Log;
  newId: () => string;
  /** Kept from run to run, so that history is not read again. */
  folder: string;
  /** Used when another process has the folder; of this process alone. */
  spareFolder: string;
  /** Identities in memory at most, beside the filters; 60 bytes each. */
  memory_ids: number;
  /** What the filters take in memory. */
  filter_bytes: number;
}

/** What a set of identities can sort at once. */
const MOST_IN_MEMORY = 2_000_000;

export function openIdentityIndex(options: IdentityIndexOptions): IdentityIndex {
  return new StoredIndex(options);
}

/** Without an index: the table itself is asked, exactly, at a cost that grows with history (5 s a batch at 30M rows). */
export function askTheTable({ lake }: { lake: Lake }): IdentityIndex {
  return {
    heldBy: async (staging, batch) => batch.heldBy((await lake.files(staging)).files),
    committed() {},
    async close() {},
  };
}

class StoredIndex implements IdentityIndex {
  readonly #options: IdentityIndexOptions;
  #stored: Promise<StoredIdentities> | undefined;
  readonly #turns = new Turns();
  /** What the last question was about: of another batch it says nothing. */
  #asked: { batch: RawBatch; identities: Identities } | undefined;

  constructor(options: IdentityIndexOptions) {
    this.#options = options;
  }

  /** One at a time: a set that another call is filling says nothing yet. */
  heldBy(staging: Table, batch: RawBatch): Promise<Int32Array> {
    return this.#turns.take(() => this.#heldBy(staging, batch));
  }

  committed(commit: Committed): void {
    this.#turns.take(() => this.#learn(commit)).catch(() => {});
  }

  async close(): Promise<void> {
    await this.#turns.over();
    await (await this.#stored?.catch(() => undefined))?.close();
    this.#stored = undefined;
  }

  async #heldBy(staging: Table, batch: RawBatch): Promise<Int32Array> {
    this.#stored ??= this.#open();
    const stored = await this.#stored.catch((error: unknown) => {
      this.#stored = undefined;
      throw onDisk(error);
    });
    try {
      return await this.#ask(stored, { staging, batch });
    } catch (error) {
      if (!(error instanceof DamagedRun)) {
        await stored.reload().catch(() => {});
        throw onDisk(error);
      }
      const why = error.message;
      this.#options.log.warn('staging.index_damaged', 'the index of identities is damaged; making it anew', {
        why,
      });
      await stored.clear();
      return this.#ask(stored, { staging, batch });
    }
  }

  async #open(): Promise<StoredIdentities> {
    const { folder, spareFolder, newId, memory_ids, filter_bytes } = this.#options;
    const options = { newId, filter_bytes, memory_ids: Math.min(memory_ids, MOST_IN_MEMORY) };
    const stored =
      (await StoredIdentities.open({ ...options, folder })) ??
      (await StoredIdentities.open({ ...options, folder: spareFolder }));
    if (stored === undefined) throw new Error(`${spareFolder} is in use`);
    return stored;
  }

  async #ask(
    stored: StoredIdentities,
    { staging, batch }: { staging: Table; batch: RawBatch },
  ): Promise<Int32Array> {
    await this.#catchUp(stored, staging);
    const identities = await batch.identities();
    this.#asked = { batch, identities };
    const { keys, rows, count } = identities;
    return (await stored.heldOf(keys, count)).map((place) => rows[place]!);
  }

  async #learn(commit: Committed): Promise<void> {
    const { staging, snapshot, batch, dropped } = commit;
    const [asked, stored] = [this.#asked, await this.#stored];
    if (asked?.batch !== batch || stored?.covered === undefined) return;
    this.#asked = undefined;
    if (!isNextTo(stored.covered, commit)) return;
    try {
      await stored.add(...keptOf(asked.identities, dropped));
      await stored.cover({
        uuid: staging.metadata['table-uuid'],
        snapshot: snapshot['snapshot-id'],
        sequenceNumber: snapshot['sequence-number'],
      });
    } catch {
      // The table has it all; whoever asks next hears of what is wrong.
      await stored.reload();
    }
  }

  async #catchUp(stored: StoredIdentities, staging: Table): Promise<void> {
    const { metadata } = staging;
    const current = currentSnapshot(metadata);
    if (stored.covered !== undefined && !isExtendedBy(stored.covered, staging)) await stored.clear();
    if (current === undefined) return;
    const after = stored.covered;
    if (after === undefined && stored.size > 0) await stored.clear();
    const covers = { uuid: metadata['table-uuid'], snapshot: current['snapshot-id'] };
    const { files } = await this.#options.lake.files(staging, {
      afterSequenceNumber: after?.sequenceNumber ?? -1,
    });
    for (const portion of portionsOf(files, MOST_IN_MEMORY / 2)) {
      for await (const { keys, count } of this.#options.engine.identitiesOf(portion))
        await stored.add(keys, count);
      await stored.cover({ ...covers, sequenceNumber: portion.at(-1)!.sequenceNumber! });
    }
    await stored.cover({ ...covers, sequenceNumber: current['sequence-number'] });
  }
}

/** Files in the order of their commits, a commit's together: after each portion a death loses no more than the next. */
function* portionsOf(files: readonly DataFile[], rows: number): Generator<DataFile[]> {
  let portion: DataFile[] = [];
  let sum = 0;
  for (const file of files.toSorted((a, b) => a.sequenceNumber! - b.sequenceNumber!)) {
    const isNext = portion.length > 0 && portion.at(-1)!.sequenceNumber !== file.sequenceNumber;
    if (isNext && sum >= rows) {
      yield portion;
      portion = [];
      sum = 0;
    }
    portion.push(file);
    sum += file.recordCount;
  }
  if (portion.length > 0) yield portion;
}

/** Whether the table is what was covered and appends or replaces since: then nothing covered has gone. */
function isExtendedBy(covered: Covered, { metadata }: Table): boolean {
  const current = metadata['current-snapshot-id'];
  if (current === null || covered.uuid !== metadata['table-uuid']) return false;
  return isReached(covered, ancestors(metadata, current).snapshots, ['append', 'replace']);
}

/** Whether the snapshot holds what is covered and what itself brought, and nothing else. */
function isNextTo(covered: Covered, { staging: { metadata }, snapshot }: Committed): boolean {
  const [, ...before] = ancestors(metadata, snapshot['snapshot-id']).snapshots;
  return covered.uuid === metadata['table-uuid'] && isReached(covered, before, ['replace']);
}

/** Whether these snapshots, newest first, lead to the one that is covered by such operations alone. */
function isReached(covered: Covered, snapshots: readonly Snapshot[], operations: readonly string[]): boolean {
  for (const snapshot of snapshots) {
    if (snapshot['snapshot-id'] === covered.snapshot) return true;
    if (!operations.includes(snapshot.summary['operation'] ?? '')) return false;
  }
  return false;
}

/** Identities of the rows that were not dropped. */
function keptOf({ keys, rows, count }: Identities, dropped: Int32Array): [keys: Uint32Array, count: number] {
  const gone = new Set(dropped);
  const kept = new Uint32Array((count - gone.size) * 4);
  let size = 0;
  for (let i = 0; i < count; i++) if (!gone.has(rows[i]!)) copyKey(keys, i, kept, size++);
  return [kept, size];
}

/** An error of the operating system under the index; anything else goes on as it is. */
function onDisk(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (error instanceof Failure || code === undefined || !/^E[A-Z]+$/.test(code)) return error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new Failure('the index of identities cannot be kept', {
    code: full ? 'staging.index_full' : 'staging.index',
    fault: 'user',
    retry: full ? 'backoff' : 'never',
    why: (error as Error).message,
    hint: full
      ? 'make room on the disk of the lake folder: the index takes about 18 bytes an event'
      : 'the folder identities must be readable and writable; it may be deleted, and is then made anew',
    cause: error,
  });
}
