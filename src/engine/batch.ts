/** What a batch of records is to those who work on it: rows stay in the engine. */
import type { DataFile, PartitionValue } from '../lake/lake.ts';
import type { Placement, Target } from '../tables/tables.ts';

/** The table that is written to, as it is now; default: as our tables are created. */
export type { Target };

/** A data file of the lake: an engine is told locations, and finds itself how to read them. */
export type LakeFile = Pick<DataFile, 'location' | 'fileSize' | 'nameMapped'>;

/** A finished Parquet file, for a commit. */
export type WrittenFile = LocalFile | StoredFile;

/** On local disk, still to be moved into the store under a location. */
export interface LocalFile {
  localPath: string;
  /** Readable partition path such as `created_datetime_day=2026-01-01/event_type=payment`. */
  hint: string;
  file: Omit<DataFile, 'location'>;
}

/** In the store already, durable: by an engine that writes there itself. */
export interface StoredFile {
  localPath?: undefined;
  hint?: undefined;
  file: DataFile;
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

/**
 * What an engine keeps for whoever asked it: rows, and files that were not moved into the store. It goes at the end of
 * the scope (`await using`). That never fails, so that it hides nothing of what became of the batch.
 */
export interface Kept extends AsyncDisposable {
  /**
   * Keeps written files from every cleaner until their commit is decided, either way. Who commits them moves it out
   * (`move`), else it goes with the rest. Undefined where written files need none.
   */
  readonly guard?: AsyncDisposableStack | undefined;
}

/** The records of one spool, judged. */
export interface JudgedBatch extends Kept {
  records: number;
  events: number;
  rejected: number;
  identities(): Promise<Identities>;
  /** How many events have an identity that stands in none of these event files. */
  missingFrom(files: readonly LakeFile[]): Promise<number>;
  /**
   * Writes every event but the dropped row ids, partitioned by day and type. Without a placement, here and below, every
   * partition has files of its own, however many there are.
   */
  writeEvents(drop: Int32Array, placement?: Placement, target?: Target): Promise<WrittenFile[]>;
  /** Writes what is no event, with its bytes, reason and position. */
  writeRejected(placement?: Placement, target?: Target): Promise<WrittenFile[]>;
}

/** Rows of raw that staging has not seen yet. */
export interface RawBatch extends Kept {
  rows: number;
  /** Of every row, in no particular order; without contents and times. */
  identities(): Promise<Identities>;
  /** The rows whose identity stands more than once in the batch, in the order in which the first of equals wins. */
  repeated(): Promise<Identities>;
  /** Row ids whose identity stands in one of these files. Memory is bounded by the batch, not by the files. */
  heldBy(files: readonly LakeFile[]): Promise<Int32Array>;
  /** Writes every row but the dropped ones, partitioned, sorted by event_name and created_datetime within a file. */
  writeSorted(drop: Int32Array, placement?: Placement, target?: Target): Promise<WrittenFile[]>;
}

/** A live file of raw, with the sequence number of the commit that brought it: the first to be committed wins. */
export interface RawFile extends LakeFile {
  sequenceNumber: number;
  rows: number;
  /** Its partition values where it lies in one: saves asking the rows. */
  partition?: readonly PartitionValue[];
}

/** Rows of quarantine files, compared by position with those that quarantine holds already. */
export interface RejectedRows extends AsyncDisposable {
  rows: number;
  /** Rows whose position is not held yet. */
  fresh: number;
  writeFresh(placement?: Placement, target?: Target): Promise<WrittenFile[]>;
}

export interface RecordPlace {
  shard: string;
  sequenceNumber: string;
  /** Of a user record in an aggregate; null where the record is none. */
  subsequenceNumber: number | null;
}

export interface SpoolInput {
  path: string;
  shards: readonly string[];
  stream: string;
  /** Leaves out records behind these positions (shard → sequence number or `end`), and shards not named. */
  upTo?: Readonly<Record<string, string>>;
  /** Only these rows of the spool, `to` excluded: to corner the one on which the engine fails. */
  rows?: { from: number; to: number };
  /** Rows on which the engine fails: rejected as `crashed_engine`, their bytes not looked into. */
  crashed?: readonly number[];
  /** The same rows by their places in the stream, where their numbers in the spool are not known. */
  crashedAt?: readonly RecordPlace[];
}

export interface EventLimits {
  /** Unix seconds: before this, a created_at is absurd. */
  minTime_s: number;
  /** How far a created_at may be ahead of its own arrival. */
  maxAhead_s: number;
}
