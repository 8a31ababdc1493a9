/** The SQLite file of a catalog: opened, written in transactions, and its errors told by what they leave open. */
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Failure } from '../../base/base.ts';
import { isThere, mayWrite } from '../../object-store/object-store.ts';

const TABLES: Readonly<Record<string, string>> = {
  iceberg_tables: `(
    catalog_name VARCHAR(255) NOT NULL,
    table_namespace VARCHAR(255) NOT NULL,
    table_name VARCHAR(255) NOT NULL,
    metadata_location VARCHAR(1000),
    previous_metadata_location VARCHAR(1000),
    iceberg_type VARCHAR(5),
    PRIMARY KEY (catalog_name, table_namespace, table_name)
  )`,
  iceberg_namespace_properties: `(
    catalog_name VARCHAR(255) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    property_key VARCHAR(255) NOT NULL,
    property_value VARCHAR(1000) NOT NULL,
    PRIMARY KEY (catalog_name, namespace, property_key)
  )`,
};

export function openFile(path: string, timeout: number): DatabaseSync {
  return reading(path, () => {
    // SQLite would open it all the same, and leave files beside it that its owner could not write.
    if (isThere(path) && !mayWrite(path)) throw readOnly(path, 'permission denied');
    const database = new DatabaseSync(path, { timeout });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    for (const [name, columns] of Object.entries(TABLES))
      database.exec(`CREATE TABLE IF NOT EXISTS ${name} ${columns}`);
    return database;
  });
}

/** Changes nothing, and makes no file. */
export function openFileToRead(path: string, timeout: number): DatabaseSync {
  return reading(path, () => {
    const database = new DatabaseSync(uriToRead(path), { timeout });
    const has = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = $name');
    for (const [name, columns] of Object.entries(TABLES))
      if (has.get({ name }) === undefined) database.exec(`CREATE TEMP TABLE ${name} ${columns}`);
    database.exec('PRAGMA query_only = TRUE');
    return database;
  });
}

/**
 * Readers of a file in WAL mode write beside it, and the last to close it clears that away. Who may not write reads
 * along while others have it open; while nobody has, the file alone holds everything, and is read as what does not
 * change: what this user would leave beside it, its owner could not write.
 */
function uriToRead(path: string): URL {
  const uri = pathToFileURL(path);
  if (mayWrite(path) && mayWrite(dirname(path))) uri.search = 'mode=rw';
  else uri.search = isThere(`${path}-wal`) ? 'mode=ro' : 'immutable=1&mode=ro';
  return uri;
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
    throw failureOf(path, error) ?? damaged(path, error) ?? unreadable(path, error);
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
const READ_ONLY = [8];
const FORBIDDEN = [3, 14, 23];
const DAMAGED = [11, 26];

// The low byte is SQLite's primary result code.
const codeOf = (error: unknown) => Number((error as { errcode?: number }).errcode ?? 0) & 0xff;
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The errors after which nothing was written for certain. */
function failureOf(path: string, error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  if (BUSY.includes(code)) {
    return new Failure(`the catalog ${path} is busy`, {
      code: 'catalog.busy',
      fault: 'service',
      retry: 'backoff',
      why: 'another process has been writing to it for longer than we wait',
      cause: error,
    });
  }
  if (READ_ONLY.includes(code)) return readOnly(path, error);
  if (FORBIDDEN.includes(code)) {
    return new Failure(`cannot open the catalog ${path}`, {
      code: 'catalog.cannot_open',
      fault: 'user',
      why: messageOf(error),
      hint: 'the folder must exist, and this user must be allowed to read the file, and to write where it is changed',
      docs: 'docs/reference/files.md',
      cause: error,
    });
  }
  return undefined;
}

function readOnly(path: string, error: unknown): Failure {
  return new Failure(`cannot write the catalog ${path}`, {
    code: 'catalog.read_only',
    fault: 'user',
    why: `this user may not write the file, or files beside it: ${messageOf(error)}`,
    hint: 'check owner and rights of the file, of its folder, and of the -wal and -shm beside it',
    docs: 'docs/reference/files.md',
    cause: error,
  });
}

/** The same again cannot work, unlike after an error of the disk. */
function damaged(path: string, error: unknown): Failure | undefined {
  if (!DAMAGED.includes(codeOf(error))) return undefined;
  return new Failure(`the catalog ${path} is no whole SQLite database`, {
    code: 'catalog.damaged',
    fault: 'user',
    why: messageOf(error),
    hint: 'move it away and make it anew from the metadata files of the tables, or put a copy back',
    docs: 'docs/how-to/recover.md#the-catalog-file-is-lost',
    cause: error,
  });
}

function unreadable(path: string, error: unknown): Failure {
  return new Failure(`cannot read the catalog ${path}`, {
    code: 'catalog.unreadable',
    fault: 'service',
    retry: 'backoff',
    why: messageOf(error),
    hint: 'check the disk, and that the file is a SQLite database',
    cause: error,
  });
}

function unknown(path: string, error: unknown): Failure {
  return new Failure(`cannot tell whether the catalog ${path} took the change`, {
    code: 'catalog.unknown',
    fault: 'service',
    retry: 'refresh',
    why: messageOf(error),
    cause: error,
  });
}
