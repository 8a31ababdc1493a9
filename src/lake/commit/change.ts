/** What a commit is told to do, and what becomes of it. */
import type { Table } from '../lake.ts';
import type { DataFile, Manifest } from '../table/data-file.ts';
import type { EvolvedSchema } from '../table/evolve-schema.ts';
import type { Snapshot } from '../table/metadata.ts';

export interface Change {
  /** UUID; the token by which an unknown commit is found. Written to the summary as `lakeward.commit-id`. */
  commitId: string;
  /** `replace` keeps every row: the same rows in other files, other manifests, or fewer snapshots. */
  operation: 'append' | 'replace' | 'overwrite';
  /** From `prepare` or `readManifest`. Entries inherit snapshot id and sequence number. Empty: an empty snapshot. */
  manifests: readonly Manifest[];
  /** Files that leave the table. Refused on a base where one of them is not live. */
  remove?: readonly DataFile[];
  /** From `mergeManifests`. Refused on a base that does not list all of `from`. */
  merge?: MergedManifests;
  /**
   * The table's columns from this commit on, by `evolveSchema`: a column that stays keeps its id, a new one has an id
   * above `last-column-id`. Only for a base whose schema is that of the table given to `commit`: `stage` has to refuse
   * others.
   */
  schema?: EvolvedSchema;
  /** Snapshots that the table forgets; those it does not know are passed over. No file is deleted. */
  expire?: readonly bigint[];
  /**
   * When the first of the files was written: a change that is a day old is refused at every attempt, because the
   * removal of orphans takes files after three. Left out: it brings none.
   */
  preparedAt_ms?: number;
  /**
   * Pure. Called for every attempt with the base of that attempt; says what goes into the summary and which table
   * properties the commit sets (undefined removes one), or why the change is not valid on this base.
   */
  stage(base: Table, attempt: { snapshotId: bigint; sequenceNumber: number }): Staged | Refusal;
}

export interface MergedManifests {
  /** Locations of manifests in the base's list. */
  from: readonly string[];
  /** The same live files in fewer manifests. */
  to: readonly Manifest[];
}

export interface Staged {
  /** Beside operation, totals and commit id, which `lake` writes itself. */
  summary: Record<string, string>;
  properties: Record<string, string | undefined>;
}

export interface Refusal {
  refused: string;
}

/**
 * - committed: the snapshot is on main, by this call or by an earlier attempt of it.
 * - refused: `stage` refused and no attempt's outcome was ever uncertain: the files may be deleted by their owner.
 * - superseded: `stage` refused after an uncertain attempt, or one may have been made and undone since, by a rollback or
 *   with the table that it was sent to: not retried, not a failure, and nothing may be deleted.
 * When the outcome stays unknown (the catalog does not answer), commit throws Failure `lake.commit_unknown`.
 */
export type CommitOutcome =
  | { kind: 'committed'; table: Table; snapshot: Snapshot; attempts: number }
  | { kind: 'refused' | 'superseded'; why: string; table: Table };
