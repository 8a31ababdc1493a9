/**
 * Iceberg tables (format versions 2 and 3): read, created, committed to. The way of a commit is: prepare once (write manifests for
 * files that are already durable) → stage per attempt (a new snapshot on the current base) → the catalog's
 * compare-and-swap → on anything uncertain, look for the commit id before judging anything else.
 */
import type { Clock, Log } from '../base/base.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { Expiry } from './cleaning/expired-files.ts';
import type { Orphan, OrphanSearch } from './cleaning/orphans.ts';
import type { Change, CommitOutcome, MergedManifests } from './commit/change.ts';
import { openTables } from './open.ts';
import type { DataFile, Manifest } from './table/data-file.ts';
import type { Snapshot, TableMetadata } from './table/metadata.ts';
import type { PartitionField, Schema, SortField } from './table/schema.ts';

export { type BucketCatalogOptions, openBucketCatalog } from './catalog/bucket.ts';
export type { Catalog, NamespacedCatalog, PointerCatalog, ServiceCatalog } from './catalog/catalog.ts';
export { openMemoryCatalog } from './catalog/memory.ts';
export {
  openRestCatalog,
  type RestAuth,
  type RestCatalogOptions,
  type TableStorage,
} from './catalog/rest/rest.ts';
export { openSqliteCatalog } from './catalog/sqlite.ts';
export type { Change, CommitOutcome, Refusal, Staged } from './commit/change.ts';
export { fileLeft } from './commit/table-left.ts';
export {
  type CatalogServer,
  type CatalogServerOptions,
  type FileAccess,
  serveCatalog,
} from './rest-server/rest-server.ts';
export type { Bound, DataFile, Manifest, PartitionValue } from './table/data-file.ts';
export { evolveSchema, type SchemaStep, widens } from './table/evolve-schema.ts';
export {
  type Ancestry,
  ancestors,
  currentFields,
  currentSnapshot,
  type Snapshot,
  type TableMetadata,
} from './table/metadata.ts';
export { mayMatch } from './table/prune.ts';
export type { Field, PartitionField, Schema, SortField, Type } from './table/schema.ts';

/** `namespace.name`, e.g. `raw.events`. */
export type TableName = string;

export interface TableDefinition {
  schema: Schema;
  partition: readonly PartitionField[];
  sort: readonly SortField[];
  properties: Readonly<Record<string, string>>;
  /** Its rows may also lie in files of no partition: it is created with a second spec, which has no fields. */
  overflow?: true;
  /** Default: 2, which every reader takes; 3 numbers every row. */
  formatVersion?: 2 | 3;
}

/** One table as it was when loaded; immutable. */
export interface Table {
  readonly name: TableName;
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
  /** Snapshots that only older versions hold, by id; where `needsForgotten` asked for them. */
  readonly forgotten?: ReadonlyMap<bigint, Snapshot>;
}

/** A filter over a partition field or a column's bounds. Files that cannot hold a match are not returned. */
export interface FileFilter {
  column: string;
  /** The column's field id: it is then found by it, whatever it is called. */
  id?: number;
  /** Inclusive; for a timestamptz column microseconds as bigint, for a date days as number. */
  min?: string | number | bigint;
  max?: string | number | bigint;
  /** One of these values. */
  in?: readonly (string | number | bigint)[];
}

export interface FileQuery {
  /** Default: the current snapshot. */
  snapshotId?: bigint;
  /** Only files whose data sequence number is above this one: what was appended since. */
  afterSequenceNumber?: number;
  where?: readonly FileFilter[];
}

export interface Files {
  files: DataFile[];
  /** What planning cost, for `--stats` and tests: manifests in the snapshot's list, and how many were opened. */
  manifests: { listed: number; opened: number };
  /** Live files of the snapshot before anything was left out. */
  listed: number;
}

export interface Lake {
  readonly store: ObjectStore;
  /** Undefined when there is no such table. */
  load(name: TableName): Promise<Table | undefined>;
  /** Creates the table with a first, empty snapshot, so that every commit has a base; loads it when it exists. */
  create(
    name: TableName,
    definition: TableDefinition,
    first: Omit<Change, 'manifests' | 'operation'>,
  ): Promise<Table>;
  list(): Promise<TableName[]>;
  /**
   * The table with a spec that has no fields, and its id: it was created with one, or is given one by this call.
   * Undefined where the catalog refuses it, which is logged once.
   */
  withOverflow(table: Table): Promise<{ table: Table; specId: number } | undefined>;
  /** A fresh location for a data file of this table; `hint` is a readable partition path such as `day=…/type=…`. */
  newFileLocation(table: Table, hint?: string): string;
  /**
   * Writes manifests (by spec, bounded in size) that add these files. Durable on return. A file that replaces others
   * carries the highest `sequenceNumber` of theirs, so that consumers do not read its rows again.
   */
  prepare(table: Table, files: readonly DataFile[]): Promise<Manifest[]>;
  /** Writes the manifests of the current snapshot anew, as few as hold them; undefined when there is nothing to gain. */
  mergeManifests(table: Table): Promise<MergedManifests | undefined>;
  /**
   * Deletes what only the snapshots needed that `after` has no more: call it once their expiry is committed. Nothing
   * is deleted when anything that `after` retains cannot be read.
   */
  deleteExpired(expiry: Expiry): Promise<{ files: number; dataFiles: number }>;
  /**
   * Files below the table's location that it does not refer to, in batches; nothing is deleted. Throws Failure
   * `lake.orphans_undecidable` where a manifest is of a kind that is not read here.
   */
  orphans(name: TableName, search: OrphanSearch): AsyncIterable<readonly Orphan[]>;
  /** Reads a manifest back that `prepare` wrote, for a commit that adopts it. */
  readManifest(table: Table, location: string): Promise<{ manifest: Manifest; files: DataFile[] }>;
  commit(table: Table, change: Change): Promise<CommitOutcome>;
  /** Live files of a snapshot, pruned by partition summaries, partition values and column bounds. */
  files(table: Table, query?: FileQuery): Promise<Files>;
  close(): Promise<void>;
}

export interface LakeOptions {
  store: ObjectStore;
  catalog: Catalog;
  clock: Clock;
  log: Log;
  random: () => number;
  /** Data files in one manifest at most. */
  manifestFiles?: number;
  /** Of tables that are made and do not say it themselves; default 2. */
  formatVersion?: 2 | 3;
  /** Attempts of one commit before it gives up with `lake.commit_conflict` (retry: backoff). */
  commitAttempts?: number;
  /** Whether a table that is loaded can be understood only with snapshots that it has forgotten. */
  needsForgotten?: (table: Table) => boolean;
}

export function openLake(options: LakeOptions): Lake {
  return openTables(options);
}
