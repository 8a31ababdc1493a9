/**
 * The catalog in one SQLite file, in the layout of Iceberg's JdbcCatalog, so that pyiceberg's SqlCatalog and Spark's
 * JdbcCatalog open the same file. A commit is one UPDATE that names the pointer it replaces. `synchronous=FULL`: a
 * pointer that was moved is on disk before anyone is told.
 *
 * Statements run on the event loop: each is one row by primary key and one fsync.
 */
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../../base/base.ts';
import { splitName } from '../table/locations.ts';
import type { PointerCatalog } from './catalog.ts';

export interface SqliteCatalogOptions {
  /** Absolute path; its folder must exist. */
  path: string;
  /** One file can hold several catalogs; other programs must open it under this name. */
  catalogName?: string;
  /** How long a statement waits for another process's write. */
  busyTimeout_ms?: number;
}

const LAYOUT = `
  CREATE TABLE IF NOT EXISTS iceberg_tables (
    catalog_name VARCHAR(255) NOT NULL,
    table_namespace VARCHAR(255) NOT NULL,
    table_name VARCHAR(255) NOT NULL,
    metadata_location VARCHAR(1000),
    previous_metadata_location VARCHAR(1000),
    iceberg_type VARCHAR(5),
    PRIMARY KEY (catalog_name, table_namespace, table_name)
  );
  CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
    catalog_name VARCHAR(255) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    property_key VARCHAR(255) NOT NULL,
    property_value VARCHAR(1000) NOT NULL,
    PRIMARY KEY (catalog_name, namespace, property_key)
  );`;

export function openSqliteCatalog(options: SqliteCatalogOptions): PointerCatalog {
  const { path, catalogName = 'lakeward', busyTimeout_ms = 5_000 } = options;
  const database = open(path, busyTimeout_ms);
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
    close: async () => {
      if (database.isOpen) database.close();
    },
  };
}

function open(path: string, timeout: number): DatabaseSync {
  return reading(path, () => {
    const database = new DatabaseSync(path, { timeout });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    database.exec(LAYOUT);
    return database;
  });
}

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
    swap: database.prepare(
      `UPDATE iceberg_tables SET metadata_location = $to, previous_metadata_location = $from
       WHERE ${ofTable} AND metadata_location = $from`,
    ),
  };
}

function inTransaction<T>(database: DatabaseSync, action: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = action();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function reading<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw failureOf(path, error) ?? unreadable(path, error);
  }
}

function writing<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw failureOf(path, error) ?? unknown(path, error);
  }
}

const BUSY = [5, 6];
const FORBIDDEN = [3, 8, 14, 23];

/** The errors after which nothing was written for certain. */
function failureOf(path: string, error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  // The low byte is SQLite's primary result code.
  const code = Number((error as { errcode?: number }).errcode ?? 0) & 0xff;
  if (BUSY.includes(code)) {
    return new Failure(`the catalog ${path} is busy`, {
      code: 'catalog.busy',
      fault: 'service',
      retry: 'backoff',
      why: 'another process has been writing to it for longer than we wait',
      cause: error,
    });
  }
  if (FORBIDDEN.includes(code)) {
    return new Failure(`cannot open the catalog ${path}`, {
      code: 'catalog.forbidden',
      fault: 'user',
      why: error instanceof Error ? error.message : String(error),
      hint: 'the folder must exist, and this user must be allowed to write to it',
      cause: error,
    });
  }
  return undefined;
}

function unreadable(path: string, error: unknown): Failure {
  return new Failure(`cannot read the catalog ${path}`, {
    code: 'catalog.unreadable',
    fault: 'service',
    retry: 'backoff',
    why: error instanceof Error ? error.message : String(error),
    hint: 'check the disk, and that the file is a SQLite database',
    cause: error,
  });
}

function unknown(path: string, error: unknown): Failure {
  return new Failure(`cannot tell whether the catalog ${path} took the change`, {
    code: 'catalog.unknown',
    fault: 'service',
    retry: 'refresh',
    why: error instanceof Error ? error.message : String(error),
    cause: error,
  });
}
