/** The same rows in other files: what compaction asks of an engine. */
import type { DataFile, PartitionValue, TableDefinition } from '../lake/lake.ts';
import type { Placement } from '../tables/tables.ts';
import type { LakeFile, LocalFile } from './batch.ts';

export interface Rewrite {
  /** The table's columns and order; files of another shape fail. */
  table: TableDefinition;
  /**
   * Rows of one partition stand in the order of the files and within them, unless the table is sorted. Where all files
   * know their first row's id (format version 3), every row keeps its id and the number of the commit that brought it.
   */
  files: readonly (LakeFile & Pick<DataFile, 'recordCount' | 'firstRowId' | 'sequenceNumber'>)[];
  /** Every row lies in it; one that does not fails the rewrite. Without it the rows say where they belong. */
  partition?: readonly PartitionValue[];
  /** How far each of the partitions that the rows say may have files of its own. */
  placement?: Placement;
  /** An aborted one ends it soon, with Failure `engine.interrupted`. */
  signal: AbortSignal;
}

export interface Rewritten {
  /** Of one partition one, unless there are more rows than the engine puts into one file. */
  files: LocalFile[];
  /** Removes what was not moved into the store. */
  dispose(): Promise<void>;
}

/** What a rewrite by a placement would come to. */
export interface Spread {
  /** That the rows are of. */
  partitions: number;
  /** Those that would get files of their own, and which of the files hold rows of them. */
  own: { partitions: number; rows: number; files: readonly number[] };
}
