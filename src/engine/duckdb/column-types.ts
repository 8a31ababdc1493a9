/** Iceberg's types as the engine's, and back. */
import type { Type } from '../../lake/lake.ts';

const SQL_TYPES: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  string: 'VARCHAR',
  uuid: 'UUID',
  binary: 'BLOB',
};

/** Nested types, and types to come, of tables that others made are shown as JSON. */
export function sqlType(type: unknown): string {
  if (typeof type !== 'string') return 'JSON';
  if (type.startsWith('fixed')) return 'BLOB';
  if (/^decimal\(\d+, ?\d+\)$/.test(type)) return type.replace('decimal', 'DECIMAL');
  return SQL_TYPES[type] ?? 'JSON';
}

/** Whether rows of this type are written here as they are: what is only shown as JSON is not. */
export const isWritten = (type: unknown): boolean =>
  typeof type === 'string' &&
  (decimalPattern.test(type) || Object.values(ICEBERG_TYPES).some((own) => own === type));

const decimalPattern = /^decimal\(\d+, ?\d+\)$/;

/**
 * The column that holds what a query gives; undefined where there is none. Sums of whole numbers are HUGEINT here, and
 * BIGINT in other engines: as `long`, a sum beyond it fails instead of wrapping.
 */
export function icebergType(given: string): Type | undefined {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(given);
  if (decimal) return `decimal(${Number(decimal[1])}, ${Number(decimal[2])})`;
  if (given.startsWith('ENUM(')) return 'string';
  return ICEBERG_TYPES[given];
}

const ICEBERG_TYPES: Readonly<Record<string, Type>> = {
  BOOLEAN: 'boolean',
  TINYINT: 'int',
  SMALLINT: 'int',
  INTEGER: 'int',
  UTINYINT: 'int',
  USMALLINT: 'int',
  UINTEGER: 'long',
  BIGINT: 'long',
  HUGEINT: 'long',
  FLOAT: 'float',
  DOUBLE: 'double',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_S: 'timestamp',
  TIMESTAMP_MS: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamptz',
  VARCHAR: 'string',
  UUID: 'string',
  JSON: 'string',
  BLOB: 'binary',
};
