/** The same rows in other files: what compaction asks of an engine. */
import { Failure } from '../base/base.ts';
import type { DataFile, PartitionValue, TableDefinition, TableName } from '../lake/lake.ts';
import type { Placement } from '../tables/tables.ts';
import type { Kept, LakeFile, WrittenFile } from './batch.ts';

export interface Rewrite {
  name: TableName;
  /** The table's columns and order; files of another shape fail. */
  table: TableDefinition;
  /**
   * Rows of one partition stand in the order of the files and within them, unless the table is sorted or the work is
   * shared out among many (Spark). Where all files know their first row's id (format version 3), every row keeps its id
   * and the number of the commit that brought it.
   */
  files: readonly (LakeFile & Pick<DataFile, 'recordCount' | 'firstRowId' | 'sequenceNumber'>)[];
  /** Every row lies in it; one that does not fails the rewrite. Without it the rows say where they belong. */
  partition?: readonly PartitionValue[];
  /** How far each of the partitions that the rows say may have files of its own. */
  placement?: Placement;
  /** An aborted one ends it soon, with Failure `engine.interrupted`. */
  signal: AbortSignal;
}

export interface Rewritten extends Kept {
  /** Of one partition one, unless there are more rows than the engine puts into one file. */
  files: WrittenFile[];
}

/** What a rewrite by a placement would come to. */
export interface Spread {
  /** That the rows are of. */
  partitions: number;
  /** Those that would get files of their own, and which of the files hold rows of them. */
  own: { partitions: number; rows: number; files: readonly number[] };
}

export function rewriteInterrupted(cause: unknown): Failure {
  return new Failure('the rewriting of files was interrupted', {
    code: 'engine.interrupted',
    fault: 'user',
    why: 'it was stopped before it had ended; the files are as they were',
    cause,
  });
}

export function misplaced({ files }: Pick<Rewrite, 'files'>): Failure {
  return new Failure('files hold rows of another partition than the table says', {
    code: 'engine.misplaced_rows',
    fault: 'user',
    why: `at least one of ${files.length} files that begin with ${files[0]?.location} does`,
    hint: 'rewrite them with the program that wrote them',
  });
}
