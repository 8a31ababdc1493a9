import type { Table, TableDefinition } from '../lake.ts';
import type { TableUpdate } from '../table/table-update.ts';

/** Who says which version of a table is the current one: a keeper of pointers, or a service that writes metadata. */
export type Catalog = PointerCatalog | ServiceCatalog;

/**
 * Which metadata file is a table's current one; the files themselves are written by Lakeward. `swap` is the only
 * thing that makes a commit: it moves the pointer from exactly the one it was judged on, or not at all.
 *
 * Every method but `swap` and `create` may be tried again when it failed. Those two never retry by themselves, and
 * throw Failure `catalog.unknown` when they cannot tell whether the change was made; any other Failure of theirs
 * says that it was not.
 */
export interface PointerCatalog {
  load(name: string): Promise<{ metadataLocation: string } | undefined>;
  list(): Promise<string[]>;
  /** `exists`: there is such a table, whoever made it. */
  create(name: string, metadataLocation: string): Promise<'created' | 'exists'>;
  /** `conflict`: the pointer is not at `from` (any more), or there is no such table; nothing changed. */
  swap(name: string, move: { from: string; to: string }): Promise<'swapped' | 'conflict'>;
  /**
   * Whether there was a table of this name that somebody dropped, where there is none. Left out by a catalog that
   * forgets what it dropped.
   */
  wasDropped?(name: string): Promise<boolean>;
  close(): Promise<void>;
}

export type NamespaceProperties = Readonly<Record<string, string>>;

/** From `from` to `to`; without `from` the table must not be there yet. */
export interface PointerMove {
  name: string;
  from: string | undefined;
  to: string;
}

/**
 * A keeper of pointers that other programs manage their tables in, by way of the REST server. A namespace is dotted
 * (`marts.daily`); one that holds a table or another namespace is there, whether it was created or not.
 *
 * None of its changes is a commit, and each may be tried again when it failed, but for `swapAll`, which is as `swap`.
 */
export interface NamespacedCatalog extends PointerCatalog {
  listNamespaces(): Promise<string[]>;
  /** Undefined when there is no such namespace. */
  loadNamespace(namespace: string): Promise<NamespaceProperties | undefined>;
  createNamespace(namespace: string, properties: NamespaceProperties): Promise<'created' | 'exists'>;
  updateNamespace(
    namespace: string,
    change: { set: NamespaceProperties; remove: readonly string[] },
  ): Promise<'updated' | 'missing'>;
  dropNamespace(namespace: string): Promise<'dropped' | 'missing' | 'not-empty'>;
  /** Only the pointer; the table's files stay where they are. */
  drop(name: string): Promise<'dropped' | 'missing'>;
  /** Left out by a catalog that cannot take one name away and give another at once. */
  rename?(names: { from: string; to: string }): Promise<'renamed' | 'missing' | 'exists'>;
  /** All of them or none. Left out by a catalog that can move one pointer at a time only. */
  swapAll?(moves: readonly PointerMove[]): Promise<'swapped' | 'conflict'>;
}

/**
 * A service that holds the metadata (Iceberg's REST protocol): it is told what to change, and under which
 * requirements. `update` never retries by itself, and throws Failure `catalog.unknown` as `swap` does.
 */
export interface ServiceCatalog {
  /** `known` is given back when it is still the current version. */
  loadTable(name: string, known?: Table): Promise<Table | undefined>;
  list(): Promise<string[]>;
  /**
   * A table without a snapshot; `exists` when somebody made it before. A service that chooses the place of its tables
   * itself is not told the location.
   */
  createTable(name: string, definition: TableDefinition, location?: string): Promise<Table | 'exists'>;
  update(name: string, update: TableUpdate): Promise<Table | 'conflict'>;
  close(): Promise<void>;
}
