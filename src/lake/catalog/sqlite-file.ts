/** The SQLite file of a catalog: opened, written in transactions, and its errors told by what they leave open. */
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../../base/base.ts';

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

export function openFile(path: string, timeout: number): DatabaseSync {
  return reading(path, () => {
    const database = new DatabaseSync(path, { timeout });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    database.exec(LAYOUT);
    return database;
  });
}

export function inTransaction<T>(database: DatabaseSync, action: () => T): T {
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

export function reading<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw failureOf(path, error) ?? unreadable(path, error);
  }
}

export function writing<T>(path: string, action: () => T): T {
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
