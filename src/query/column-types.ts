/** Iceberg's types as the engine's. */
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
