/** The same rows in fewer files: what compaction asks of an engine. */
import type { PartitionValue, TableDefinition } from '../lake/lake.ts';
import type { LakeFile, LocalFile } from './batch.ts';

export interface Rewrite {
  /** The table's columns and order; files of another shape fail. */
  table: TableDefinition;
  /** Rows stand in the order of the files and within them, unless the table is sorted. */
  files: readonly (LakeFile & { recordCount: number })[];
  /** Every row lies in it; one that does not fails the rewrite. */
  partition: readonly PartitionValue[];
  /** An aborted one ends it soon, with Failure `engine.interrupted`. */
  signal: AbortSignal;
}

export interface Rewritten {
  /** One, unless there are more rows than the engine puts into one file. */
  files: LocalFile[];
  /** Removes what was not moved into the store. */
  dispose(): Promise<void>;
}
