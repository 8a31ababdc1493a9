/**
 * int, date (days), float, double: number · long, timestamp (µs): bigint · decimal: unscaled bigint ·
 * binary: bytes.
 */
export type Bound = string | number | bigint | boolean | Uint8Array;
export type PartitionValue = Bound | null;

export interface DataFile {
  location: string;
  specId: number;
  /** In the order of the spec's fields. */
  partition: readonly PartitionValue[];
  recordCount: number;
  fileSize: number;
  /** By field id. A map that lacks an id says nothing about that column. */
  columnSizes: ReadonlyMap<number, number>;
  valueCounts: ReadonlyMap<number, number>;
  nullValueCounts: ReadonlyMap<number, number>;
  nanValueCounts: ReadonlyMap<number, number>;
  /** Strings may be truncated here already or not; the writer truncates to 16 code points. */
  lowerBounds: ReadonlyMap<number, Bound>;
  upperBounds: ReadonlyMap<number, Bound>;
  splitOffsets?: readonly number[];
  sortOrderId?: number;
  /** Known for files that were read from a snapshot. */
  sequenceNumber?: number;
  fileSequenceNumber?: number;
  snapshotId?: bigint;
  /** Version 3, known for files that were read from a snapshot: the id of its first row; the others count on. */
  firstRowId?: number;
  /** Of a file read from a table with a name mapping: its columns may have no field ids, and are found by name. */
  nameMapped?: true;
}

/** What the files of one manifest hold in one partition field. Bounds are absent when all values are null or NaN. */
export interface PartitionSummary {
  containsNull: boolean;
  containsNan?: boolean;
  lower?: Bound;
  upper?: Bound;
}

/** A manifest that exists in the store, as a manifest list names it. */
export interface Manifest {
  location: string;
  length: number;
  specId: number;
  addedFiles: number;
  existingFiles: number;
  deletedFiles: number;
  addedRows: number;
  existingRows: number;
  deletedRows: number;
  /** Per partition field, in the order of the spec. */
  partitions: readonly PartitionSummary[];
  /** Known for manifests that were read from a manifest list; a new one gets its snapshot's. */
  sequenceNumber?: number;
  minSequenceNumber?: number;
  addedSnapshotId?: bigint;
  /** Version 3: the id of the first row of its first file without one of its own. */
  firstRowId?: number;
  /** What the summary of a snapshot says of its files. Known when the manifest was written or read here. */
  added?: { size_bytes: number; partitionKeys: ReadonlySet<string> };
}
