/**
 * What a batch engine does for us. Rows stay inside the engine; what crosses this interface are identities as typed
 * arrays, lists of row ids, and descriptions of finished Parquet files. DuckDB is the embedded engine.
 */

import type { Placement } from '../tables/tables.ts';
import type {
  EventLimits,
  Identities,
  JudgedBatch,
  LakeFile,
  RawBatch,
  RawFile,
  RejectedRows,
  SpoolInput,
} from './batch.ts';
import { openDuckDb } from './duckdb/duckdb.ts';
import type { LocalFiles, ReadStats } from './local-files.ts';
import type { Rewrite, Rewritten, Spread } from './rewrite.ts';
import { openSpark, type SparkOptions } from './spark/spark.ts';
import type { TransformEngine } from './transform-engine.ts';
import type { QueryResult, ScanFilters, ViewDefinition } from './view.ts';

export type {
  EventLimits,
  Identities,
  JudgedBatch,
  LakeFile,
  LocalFile,
  RawBatch,
  RawFile,
  RecordPlace,
  RejectedRows,
  SpoolInput,
  StoredFile,
  WrittenFile,
} from './batch.ts';
export { isWritten, sqlType } from './duckdb/column-types.ts';
export { mayBeDamage } from './file-damage.ts';
export { inPlace, type LocalFiles, type ReadStats } from './local-files.ts';
export { type RemoteFiles, remoteFiles } from './parquet/remote-files.ts';
export { AGGREGATES, WINDOWS } from './portable/aggregates.ts';
export { SCALARS } from './portable/functions.ts';
export type { NotPortable } from './portable/portable.ts';
export type { Spread } from './rewrite.ts';
export { storeFiles } from './store-files.ts';
export type {
  OutputColumn,
  SourceView,
  TransformAnswer,
  TransformQuery,
  TransformWrite,
} from './transform-engine.ts';
export { tryOutHere } from './try-out.ts';
export type { Cell, QueryResult, ScanFilters, ViewDefinition } from './view.ts';

export interface Engine extends TransformEngine {
  judge(spool: SpoolInput, limits: EventLimits): Promise<JudgedBatch>;
  /**
   * Judges and writes the records where even a crash of the whole process hurts nobody; nothing comes into a table.
   * Throws the Failure of it. The embedded engine takes half of its memory again meanwhile.
   */
  tryOut(spool: SpoolInput, limits: EventLimits): Promise<void>;
  readRaw(files: readonly RawFile[]): Promise<RawBatch>;
  /** Event files against event files: identities that stand twice among `held`, only in `source`, only in `held`. */
  compareIdentities(
    source: readonly LakeFile[],
    held: readonly LakeFile[],
  ): Promise<{ repeated: number; missing: number; extra: number }>;
  /** Rows of `held` whose document is none of `source`'s for that identity, and identities that differ in `source`. */
  compareContents(
    source: readonly LakeFile[],
    held: readonly LakeFile[],
  ): Promise<{ altered: number; conflicting: number }>;
  /** Rows of each file, by the file itself; undefined for one that cannot be read. */
  rowCounts(files: readonly LakeFile[]): Promise<(number | undefined)[]>;
  readRejected(files: readonly LakeFile[], held: readonly LakeFile[]): Promise<RejectedRows>;
  rewrite(input: Rewrite): Promise<Rewritten>;
  /** Reads of the files only the columns by which the table is partitioned. */
  spread(input: Pick<Rewrite, 'table' | 'files'> & { placement: Placement }): Promise<Spread>;
  /** Identities, times and contents of raw files, in chunks: what the window is rebuilt from. */
  identitiesOf(files: readonly LakeFile[], since_s?: number): AsyncIterable<Identities>;
  /**
   * Defines read-only views over Parquet files; no files are an empty table of these columns. Answers what reading the
   * files of each takes; undefined where they are read in place.
   */
  defineViews(views: readonly ViewDefinition[]): Promise<readonly (ReadStats | undefined)[]>;
  /** Lets go of views and their files; an answer that is still being read keeps what it reads. */
  dropViews(views: readonly Pick<ViewDefinition, 'schema' | 'name'>[]): Promise<void>;
  /**
   * What each scan of a view filters by; the query is planned, not run. Throws Failure `query.not_a_question` for what
   * is more than one statement, or one that could change anything, and `query.failed` for what cannot run.
   */
  scanFilters(sql: string): Promise<ScanFilters[]>;
  /** An aborted signal interrupts the query, and the reading of its answer, with Failure `query.interrupted`. */
  query(sql: string, options?: { signal?: AbortSignal }): Promise<QueryResult>;
  close(): Promise<void>;
}

export interface EngineOptions {
  /** A folder of this engine alone; emptied at open. On the store's file system, so that files move by rename. */
  workFolder: string;
  memory_bytes: number;
  /** 1 for batch work: two batches in flight on one thread each beat one batch on two (3.7 against 6.1 cpu s/M). */
  threads: number;
  /** Connections that one write of staging uses at once (1); the open partitions are shared out among them. */
  lanes?: number;
  /** How files of the lake are read; without it, in place: their locations are paths of this machine. */
  files?: LocalFiles;
}

export function openEngine(options: EngineOptions): Promise<Engine> {
  return openDuckDb(options);
}

/** Apache Spark, by Spark Connect, in front of an embedded engine that does what is not the whole lake's. */
export function openSparkEngine(options: SparkOptions): Engine {
  return openSpark(options);
}
