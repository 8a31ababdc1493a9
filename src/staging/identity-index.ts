/**
 * Which identities of a batch stand in staging already, over all its history; exact, and a function of one snapshot:
 * what was appended since is read from the table, and any other change but a replace makes it begin anew.
 */
import { Failure, type Log } from '../base/base.ts';
import type { Engine, RawBatch } from '../engine/engine.ts';
import { ancestors, currentSnapshot, type DataFile, type Lake, type Table } from '../lake/lake.ts';
import { DamagedRun } from './identities/run.ts';
import { type Covered, StoredIdentities } from './identities/stored-identities.ts';

export interface IdentityIndex {
  /** Row ids of the batch whose identity is held by this snapshot of staging. */
  heldBy(staging: Table, batch: RawBatch): Promise<Int32Array>;
  close(): Promise<void>;
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
    async close() {},
  };
}

class StoredIndex implements IdentityIndex {
  readonly #options: IdentityIndexOptions;
  #stored: Promise<StoredIdentities> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: IdentityIndexOptions) {
    this.#options = options;
  }

  /** One at a time: a set that another call is filling says nothing yet. */
  heldBy(staging: Table, batch: RawBatch): Promise<Int32Array> {
    const answer = this.#turn.then(() => this.#heldBy(staging, batch));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async close(): Promise<void> {
    await this.#turn;
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
    const { keys, rows, count } = await batch.identities();
    return (await stored.heldOf(keys, count)).map((place) => rows[place]!);
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
  for (const snapshot of ancestors(metadata, current).snapshots) {
    if (snapshot['snapshot-id'] === covered.snapshot) return true;
    const operation = snapshot.summary['operation'];
    if (operation !== 'append' && operation !== 'replace') return false;
  }
  return false;
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
