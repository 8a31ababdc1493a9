/**
 * The catalog in one SQLite file, in the layout of Iceberg's JdbcCatalog, so that pyiceberg's SqlCatalog and Spark's
 * JdbcCatalog open the same file. A commit is one UPDATE that names the pointer it replaces. `synchronous=FULL`: a
 * pointer that was moved is on disk before anyone is told.
 *
 * Statements run on the event loop: each is one row by primary key and one fsync.
 */
import type { DatabaseSync } from 'node:sqlite';
import { splitName } from '../table/locations.ts';
import type { NamespacedCatalog } from './catalog.ts';
import { inTransaction, openFile, openFileToRead, reading, writing } from './sqlite-file.ts';
import { namespacesIn } from './sqlite-namespaces.ts';

export interface SqliteCatalogOptions {
  /** Absolute path; its folder must exist. */
  path: string;
  /** One file can hold several catalogs; other programs must open it under this name. */
  catalogName?: string;
  /** How long a statement waits for another process's write. */
  busyTimeout_ms?: number;
  /** Nothing is changed, and this user need not be allowed to; the file must exist. */
  readOnly?: boolean;
}

export function openSqliteCatalog(options: SqliteCatalogOptions): NamespacedCatalog {
  const { path, catalogName = 'lakeward', busyTimeout_ms = 5_000, readOnly = false } = options;
  const database = (readOnly ? openFileToRead : openFile)(path, busyTimeout_ms);
  const sql = statements(database);
  const keyOf = (name: string) => ({ catalogName, ...splitName(name) });

  return {
    load: async (name) =>
      reading(path, () => {
        const row = sql.load.get(keyOf(name));
        const metadataLocation = row?.['metadata_location'];
        return typeof metadataLocation === 'string' ? { metadataLocation } : undefined;
      }),
    list: async () => reading(path, () => sql.list.all({ catalogName }).map((row) => String(row['name']))),
    create: async (name, metadataLocation) =>
      writing(path, () =>
        inTransaction(database, () => {
          const { namespace } = keyOf(name);
          sql.addNamespace.run({ catalogName, namespace });
          return Number(sql.add.run({ ...keyOf(name), metadataLocation }).changes) === 1
            ? 'created'
            : 'exists';
        }),
      ),
    swap: async (name, { from, to }) =>
      writing(path, () =>
        Number(sql.swap.run({ ...keyOf(name), from, to }).changes) === 1
          ? ('swapped' as const)
          : ('conflict' as const),
      ),
    drop: async (name) =>
      writing(path, () => (Number(sql.drop.run(keyOf(name)).changes) === 1 ? 'dropped' : 'missing')),
    rename: async ({ from, to }) => {
      const target = keyOf(to);
      return writing(path, () =>
        inTransaction(database, () => {
          if (sql.load.get(keyOf(from)) === undefined) return 'missing';
          // A view of this name is in the way too.
          if (sql.any.get(target) !== undefined) return 'exists';
          sql.rename.run({ ...keyOf(from), toNamespace: target.namespace, toTable: target.table });
          return 'renamed';
        }),
      );
    },
    swapAll: async (moves) =>
      writing(path, () => {
        try {
          return inTransaction(database, () => {
            for (const { name, from, to } of moves) {
              const moved =
                from === undefined
                  ? sql.add.run({ ...keyOf(name), metadataLocation: to })
                  : sql.swap.run({ ...keyOf(name), from, to });
              if (Number(moved.changes) !== 1) throw new Overtaken();
            }
            return 'swapped' as const;
          });
        } catch (error) {
          if (error instanceof Overtaken) return 'conflict' as const;
          throw error;
        }
      }),
    ...namespacesIn(database, { path, catalogName }),
    close: async () => {
      if (database.isOpen) database.close();
    },
  };
}

/** Takes back what the transaction has done so far. */
class Overtaken extends Error {}

function statements(database: DatabaseSync) {
  const columns = database.prepare('PRAGMA table_info(iceberg_tables)').all();
  // A file that an older program made has no column for the type, and holds tables only.
  const typed = columns.some((column) => column['name'] === 'iceberg_type');
  const isTable = typed ? `(iceberg_type IS NULL OR iceberg_type = 'TABLE')` : 'TRUE';
  const ofTable = `catalog_name = $catalogName AND table_namespace = $namespace AND table_name = $table AND ${isTable}`;
  return {
    load: database.prepare(`SELECT metadata_location FROM iceberg_tables WHERE ${ofTable}`),
    list: database.prepare(
      `SELECT table_namespace || '.' || table_name AS name FROM iceberg_tables
       WHERE catalog_name = $catalogName AND ${isTable} ORDER BY name`,
    ),
    addNamespace: database.prepare(
      `INSERT OR IGNORE INTO iceberg_namespace_properties VALUES ($catalogName, $namespace, 'exists', 'true')`,
    ),
    add: database.prepare(
      `INSERT OR IGNORE INTO iceberg_tables
         (catalog_name, table_namespace, table_name, metadata_location${typed ? ', iceberg_type' : ''})
       VALUES ($catalogName, $namespace, $table, $metadataLocation${typed ? `, 'TABLE'` : ''})`,
    ),
    any: database.prepare(
      `SELECT 1 FROM iceberg_tables
       WHERE catalog_name = $catalogName AND table_namespace = $namespace AND table_name = $table`,
    ),
    drop: database.prepare(`DELETE FROM iceberg_tables WHERE ${ofTable}`),
    rename: database.prepare(
      `UPDATE iceberg_tables SET table_namespace = $toNamespace, table_name = $toTable WHERE ${ofTable}`,
    ),
    swap: database.prepare(
      `UPDATE iceberg_tables SET metadata_location = $to, previous_metadata_location = $from
       WHERE ${ofTable} AND metadata_location = $from`,
    ),
  };
}
