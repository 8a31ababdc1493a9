/**
 * What a batch engine does for us. Rows stay inside the engine; what crosses this interface are identities as typed
 * arrays, lists of row ids, and descriptions of finished Parquet files. DuckDB is the embedded engine.
 */
import type { DataFile, FileFilter, PartitionValue } from '../lake/lake.ts';
import { openDuckDb } from './duckdb/duckdb.ts';

export { parquet } from './duckdb/sql.ts';
export { localPaths, storeFiles } from './lake-files.ts';

/** A finished Parquet file on local disk, still to be moved into the store under a location. */
export interface WrittenFile {
  localPath: string;
  /** Readable partition path such as `created_datetime_day=2026-01-01/event_type=payment`. */
  hint: string;
  file: Omit<DataFile, 'location'>;
}

/** Records of a batch in the order in which the first of equals wins. */
export interface Identities {
  count: number;
  /** Row id of each. */
  rows: Int32Array;
  /** Four u32 words each. */
  keys: Uint32Array;
  /** 32-bit hash of the document: a repeat with another one is counted as conflicting, never decided by it. */
  contents: Uint32Array;
  /** min(created_at, arrived_at), Unix seconds: what the watermark advances by. */
  times: Float64Array;
}

/** The records of one spool, judged. */
export interface JudgedBatch {
  records: number;
  events: number;
  rejected: number;
  identities(): Promise<Identities>;
  /** How many events have an identity that stands in none of these event files. */
  missingFrom(paths: readonly string[]): Promise<number>;
  /** Writes every event but the dropped row ids, partitioned by day and type. */
  writeEvents(drop: Int32Array): Promise<WrittenFile[]>;
  /** Writes what is no event, with its bytes, reason and position. */
  writeRejected(): Promise<WrittenFile[]>;
  dispose(): Promise<void>;
}

/** Rows of raw that staging has not seen yet. */
export interface RawBatch {
  rows: number;
  /** Of every row, in no particular order; without contents and times. */
  identities(): Promise<Identities>;
  /** The rows whose identity stands more than once in the batch, in the order in which the first of equals wins. */
  repeated(): Promise<Identities>;
  /** Row ids whose identity stands in one of these files. Memory is bounded by the batch, not by the files. */
  heldBy(paths: readonly string[]): Promise<Int32Array>;
  /** Writes every row but the dropped ones, partitioned, sorted by event_name and created_datetime within a file. */
  writeSorted(drop: Int32Array): Promise<WrittenFile[]>;
  dispose(): Promise<void>;
}

/** A live file of raw, with the sequence number of the commit that brought it: the first to be committed wins. */
export interface RawFile {
  path: string;
  sequenceNumber: number;
  rows: number;
  /** Its partition values where it lies in one: saves asking the rows. */
  partition?: readonly PartitionValue[];
}

/** Rows of quarantine files, compared by position with those that quarantine holds already. */
export interface RejectedRows {
  rows: number;
  /** Rows whose position is not held yet. */
  fresh: number;
  writeFresh(): Promise<WrittenFile[]>;
  dispose(): Promise<void>;
}

export interface SpoolInput {
  path: string;
  shards: readonly string[];
  stream: string;
  /** Leaves out records behind these positions (shard → sequence number or `end`), and shards not named. */
  upTo?: Readonly<Record<string, string>>;
}

export interface EventLimits {
  /** Unix seconds: before this, a created_at is absurd. */
  minTime_s: number;
  /** How far a created_at may be ahead of its own arrival. */
  maxAhead_s: number;
}

/** One value of a result as JSON has it; large integers and decimals are text. */
export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };

export interface QueryResult {
  columns: readonly { name: string; type: string }[];
  /** Rows come in chunks as the engine makes them. */
  chunks(): AsyncIterable<readonly (readonly Cell[])[]>;
}

/** Filters of one table scan of a query, as far as they can be told. */
export interface ScanFilters {
  view: string;
  filters: readonly FileFilter[];
}

export interface Engine {
  judge(spool: SpoolInput, limits: EventLimits): Promise<JudgedBatch>;
  readRaw(files: readonly RawFile[]): Promise<RawBatch>;
  /** Event files against event files: identities that stand twice among `held`, only in `source`, only in `held`. */
  compareIdentities(
    source: readonly string[],
    held: readonly string[],
  ): Promise<{ repeated: number; missing: number; extra: number }>;
  /** Rows of `held` whose document is none of `source`'s for that identity, and identities that differ in `source`. */
  compareContents(
    source: readonly string[],
    held: readonly string[],
  ): Promise<{ altered: number; conflicting: number }>;
  /** Rows of each file, by the file itself; undefined for one that cannot be read. */
  rowCounts(paths: readonly string[]): Promise<(number | undefined)[]>;
  readRejected(paths: readonly string[], held: readonly string[]): Promise<RejectedRows>;
  /** Identities, times and contents of raw files, in chunks: what the window is rebuilt from. */
  identitiesOf(paths: readonly string[], since_s?: number): AsyncIterable<Identities>;
  /** Defines read-only views over Parquet files; an empty list of paths is an empty table of these columns. */
  defineViews(views: readonly ViewDefinition[]): Promise<void>;
  /**
   * What each scan of a view filters by; the query is planned, not run. Throws Failure `query.not_a_question` for what
   * is more than one statement, or one that could change anything, and `query.failed` for what cannot run.
   */
  scanFilters(sql: string): Promise<ScanFilters[]>;
  /** An aborted signal interrupts the query, and the reading of its answer, with Failure `query.interrupted`. */
  query(sql: string, options?: { signal?: AbortSignal }): Promise<QueryResult>;
  close(): Promise<void>;
}

export interface ViewDefinition {
  schema: string;
  name: string;
  /** `id`: the field id by which the column is found in the files; without ids columns are found by name. */
  columns: readonly { name: string; type: string; id?: number }[];
  paths: readonly string[];
}

export interface EngineOptions {
  /** A folder of this engine alone; emptied at open. On the store's file system, so that files move by rename. */
  workFolder: string;
  memory_bytes: number;
  /** 1 for batch work: two batches in flight on one thread each beat one batch on two (3.7 against 6.1 cpu s/M). */
  threads: number;
  /** Connections that one write of staging uses at once (1); the open partitions are shared out among them. */
  lanes?: number;
}

export function openEngine(options: EngineOptions): Promise<Engine> {
  return openDuckDb(options);
}
