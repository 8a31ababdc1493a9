/**
 * The protocol of a commit. After any answer but success the table is loaded anew and the commit id looked for among
 * main's ancestors, before anything else is judged: an answer can be lost after the swap was made. Once the outcome
 * of any attempt was uncertain, none of this commit's files is ever deleted here: the request may still be on its
 * way. A swap is never sent twice, and what may have been made and rolled back is not made again of the same files.
 */
import { Failure } from '../../base/base.ts';
import type { Change, CommitOutcome, Refusal, Table } from '../lake.ts';
import type { Manifest } from '../table/data-file.ts';
import { ancestors, type Snapshot } from '../table/metadata.ts';
import { pause, reload } from './load.ts';
import { mayBeGone } from './new-file.ts';
import type { CommitPorts } from './ports.ts';
import { readPrepared } from './prepare.ts';
import { type Attempt, COMMIT_ID, writeAttempt } from './stage.ts';

export async function commitChange(ports: CommitPorts, table: Table, change: Change): Promise<CommitOutcome> {
  checkChange(table, change);
  const manifests = await Promise.all(change.manifests.map((manifest) => described(ports, table, manifest)));
  return new Commit(ports, table, { ...change, manifests }).run();
}

/** What another reader would take for something else than it is. */
function checkChange(table: Table, { operation, manifests, remove = [] }: Change): void {
  const rows = manifests.reduce((sum, each) => sum + each.addedRows, 0);
  const removed = remove.reduce((sum, file) => sum + file.recordCount, 0);
  const why =
    operation === 'append' && remove.length > 0
      ? 'an append removes nothing'
      : operation === 'replace' && rows !== removed
        ? `a replace keeps every row, and this one turns ${removed} rows into ${rows}`
        : undefined;
  if (why === undefined) return;
  throw new Failure(`cannot commit to ${table.name}`, { code: 'lake.bad_change', fault: 'ourselves', why });
}

/** A manifest that came from elsewhere is read once, for what the summary has to say of it. */
async function described(ports: CommitPorts, table: Table, manifest: Manifest): Promise<Manifest> {
  return manifest.added === undefined
    ? (await readPrepared(ports, table, manifest.location)).manifest
    : manifest;
}

class Commit {
  readonly #ports: CommitPorts;
  readonly #change: Change;
  readonly #uuid: string;
  #base: Table;
  #attempts = 0;
  /** Snapshots of attempts whose answer left open whether the swap was made; never taken back. */
  readonly #uncertain: Snapshot[] = [];

  constructor(ports: CommitPorts, table: Table, change: Change) {
    this.#ports = ports;
    this.#change = change;
    this.#base = table;
    this.#uuid = table.metadata['table-uuid'];
  }

  async run(): Promise<CommitOutcome> {
    try {
      for (;;) {
        const outcome = this.#judge() ?? (await this.#attempt());
        if (outcome !== undefined) return outcome;
      }
    } catch (error) {
      throw this.#isUncertain() ? this.#unknown(error) : error;
    }
  }

  /** What the base itself says: the commit is there, or can never be. */
  #judge(): CommitOutcome | undefined {
    const landed = findCommit(this.#base, this.#change.commitId);
    if (landed !== undefined) return this.#committed(this.#base, landed);
    if (this.#isElsewhere()) return this.#refused('the table was dropped and made anew');
    if (this.#uncertain.some((attempt) => mayBeUndone(this.#base, attempt)))
      return this.#refused(
        'it may have been made and undone since: its files go with the snapshot that is expired',
      );
    const { preparedAt_ms = Number.POSITIVE_INFINITY } = this.#change;
    if (mayBeGone(this.#ports.clock, preparedAt_ms)) {
      return this.#refused('its files were written too long ago, and may be gone');
    }
    if (this.#attempts >= this.#ports.commitAttempts) throw this.#exhausted();
    return undefined;
  }

  /** Undefined when it did not succeed, or may have: the base is then a new one, to be judged. */
  async #attempt(): Promise<CommitOutcome | undefined> {
    const { name } = this.#base;
    const attempt = await this.#write();
    if (attempt === undefined) return undefined;
    if ('refused' in attempt) return this.#refused(attempt.refused);

    this.#attempts++;
    const answer = await this.#send(attempt);
    if (typeof answer === 'object' && 'table' in answer) {
      await this.#delete(answer.forgotten);
      return this.#committed(answer.table, attempt.snapshot);
    }
    if (answer === 'uncertain') this.#uncertain.push(attempt.snapshot);
    await pause(this.#ports, this.#attempts - 1);
    this.#base = await reload(this.#ports, name);
    // It says it did nothing, and the snapshot is there, or may have been: on the way the request was sent twice.
    if (this.#isElsewhere() || mayBeUndone(this.#base, attempt.snapshot))
      this.#uncertain.push(attempt.snapshot);
    if (!this.#isUncertain()) await this.#discard(attempt);
    if (answer instanceof Failure && answer.retry === 'never') {
      const landed = findCommit(this.#base, this.#change.commitId);
      if (landed === undefined) throw answer;
    }
    return undefined;
  }

  /**
   * Undefined when the base has aged: its manifests were tidied away, by maintenance or a rewrite, while the caller
   * held it. The newest one takes its place.
   */
  async #write(): Promise<Attempt | Refusal | undefined> {
    const { name, metadataLocation } = this.#base;
    const missing = missingSpec(this.#base, this.#change);
    try {
      // The caller holds a table from before the spec was added; or another program has removed it since.
      if (missing !== undefined) {
        this.#base = await reload(this.#ports, name);
        if (missingSpec(this.#base, this.#change) !== undefined)
          return { refused: `the table has no partition spec ${missing}` };
        return undefined;
      }
      return await writeAttempt(this.#ports, this.#base, this.#change);
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'object_store.not_found')) throw error;
      const newest = await reload(this.#ports, name);
      if (newest.metadataLocation === metadataLocation) throw error;
      this.#attempts++;
      this.#base = newest;
      return undefined;
    }
  }

  /** A Failure says that nothing was done, for certain. */
  async #send(attempt: Attempt): Promise<Awaited<ReturnType<Attempt['send']>> | 'uncertain' | Failure> {
    try {
      return await attempt.send();
    } catch (error) {
      if (error instanceof Failure && error.code !== 'catalog.unknown') return error;
      this.#ports.log.warn('lake.commit_uncertain', 'the outcome of a commit is uncertain; looking for it', {
        table: this.#base.name,
        commit: this.#change.commitId,
        why: error instanceof Failure ? (error.why ?? error.message) : String(error),
      });
      return 'uncertain';
    }
  }

  /** The files of an attempt that certainly lost. */
  async #discard(attempt: Attempt): Promise<void> {
    await this.#delete(attempt.files);
  }

  /** What stays behind costs only space, and orphan removal finds it; the commit does not fail over it. */
  async #delete(locations: readonly string[]): Promise<void> {
    if (locations.length === 0) return;
    try {
      await this.#ports.store.delete(locations);
    } catch (error) {
      this.#ports.log.warn('lake.delete_failed', 'old metadata files could not be deleted', {
        table: this.#base.name,
        files: locations.length,
        why: error instanceof Error ? error.message : String(error),
      });
    }
  }

  #committed(table: Table, snapshot: Snapshot): CommitOutcome {
    return { kind: 'committed', table, snapshot, attempts: this.#attempts };
  }

  /** Another table has the name: what became of an attempt cannot be looked for any more. */
  #isElsewhere(): boolean {
    return this.#base.metadata['table-uuid'] !== this.#uuid;
  }

  #isUncertain(): boolean {
    return this.#uncertain.length > 0;
  }

  #refused(why: string): CommitOutcome {
    return { kind: this.#isUncertain() ? 'superseded' : 'refused', why, table: this.#base };
  }

  #exhausted(): Failure {
    return new Failure(`cannot commit to ${this.#base.name}`, {
      code: 'lake.commit_conflict',
      fault: 'service',
      retry: 'backoff',
      why: `${this.#attempts} attempts in a row were overtaken or turned away`,
      hint: 'fewer writers, or longer between their commits',
    });
  }

  #unknown(cause: unknown): Failure {
    return new Failure(`cannot tell whether commit ${this.#change.commitId} to ${this.#base.name} was made`, {
      code: 'lake.commit_unknown',
      fault: 'service',
      retry: 'refresh',
      why: cause instanceof Error ? cause.message : String(cause),
      hint: 'none of its files was deleted; once the catalog answers, its snapshot is there or it is not',
      cause,
    });
  }
}

/**
 * Whether an uncertain attempt can have been made and taken off main since. What a program deletes after an expiry is
 * worked out before and deleted later: files that such a snapshot named may not come back in another one. A number is
 * given to one snapshot only, so the attempt was not made where another has it, or where it was not given yet.
 */
function mayBeUndone({ metadata }: Table, attempt: Snapshot): boolean {
  if (metadata['last-sequence-number'] < attempt['sequence-number']) return false;
  const holder = metadata.snapshots.find((each) => each['sequence-number'] === attempt['sequence-number']);
  return holder === undefined || holder['snapshot-id'] === attempt['snapshot-id'];
}

/** The id of a spec that the base does not know and a manifest is of. */
function missingSpec({ metadata }: Table, { manifests }: Change): number | undefined {
  const known = new Set(metadata['partition-specs'].map((spec) => spec['spec-id']));
  return manifests.find(({ specId }) => !known.has(specId))?.specId;
}

/** Among main's ancestors only: on another branch, or rolled back, it is not part of the table. */
export function findCommit(table: Table, commitId: string): Snapshot | undefined {
  const current = table.metadata['current-snapshot-id'];
  if (current === null) return undefined;
  return ancestors(table.metadata, current).snapshots.find(
    (snapshot) => snapshot.summary[COMMIT_ID] === commitId,
  );
}
