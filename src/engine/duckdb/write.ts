/**
 * Partitioned Parquet with Iceberg's field ids, and what Iceberg wants to know of each file.
 *
 * Partitions are numbered and DuckDB partitions by the number: with the values themselves in folder names a type of
 * 300 characters could not be written, and NULL and the text `__HIVE_DEFAULT_PARTITION__` would share a folder and
 * overwrite each other. Iceberg wants all columns in the file, also the identity partition's, so the number is a
 * column beside them that is not written.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { Failure } from '../../base/base.ts';
import type { Bound, Field, PartitionValue, TableDefinition } from '../../lake/lake.ts';
import type { Target } from '../batch.ts';
import type { LocalFile } from '../engine.ts';
import { sqlType } from './column-types.ts';
import { OVERFLOW, type Placed, place } from './placement.ts';
import { identifier, literal } from './sql.ts';

/**
 * The select has one column per field of the table, in any order, and the partition values under `partitionBy`, in the
 * order of the table's spec.
 */
export interface PartitionedWrite extends Placed {
  table: TableDefinition;
  /** The table as it is now; default: as the definition has it. */
  target?: Target;
  /** Order within each file; DuckDB keeps it only on one thread. */
  orderBy?: readonly string[];
  /** DuckDB makes a folder a partition in it; they stay. */
  folder: string;
  sortOrderId?: number;
  hint: (values: readonly PartitionValue[]) => string;
}

/**
 * zstd level 1 is smaller and cheaper here than the default (1.2 against 1.57 CPU s/M); snappy doubles the size. Bloom
 * filters would be written for dictionary columns only, where statistics prune as well: 3% of the bytes for nothing.
 */
const FORMAT = 'format parquet, parquet_version v1, write_bloom_filter false, row_group_size 122880';

const CODECS: Readonly<Record<string, string>> = {
  ...{ zstd: 'zstd', snappy: 'snappy', gzip: 'gzip', brotli: 'brotli', lz4: 'lz4_raw' },
  uncompressed: 'uncompressed',
};

/** As the table's properties have it. */
function compressionOf(properties: Readonly<Record<string, string>>): string {
  const said = properties['write.parquet.compression-codec']?.toLowerCase() ?? 'zstd';
  const codec = CODECS[said];
  if (codec === undefined) throw unknownCodec(said);
  if (codec !== 'zstd') return `compression ${codec}`;
  const level = /^([1-9]|1\d|2[0-2])$/.exec(properties['write.parquet.compression-level'] ?? '')?.[0] ?? '1';
  return `compression zstd, compression_level ${level}`;
}

/** Many partitions lie in one such file: a filter on a type or a day reads few of its row groups. */
const OVERFLOW_FORMAT = FORMAT.replace('row_group_size 122880', 'row_group_size 16384');

export async function writePartitioned(c: DuckDBConnection, write: PartitionedWrite): Promise<LocalFile[]> {
  const { slices, overflowSpec } = await place(c, write);
  const fields = write.table.schema.fields;
  const written = write.target?.columns ?? fields;
  const columns = fields
    .map((field, i) => {
      const { name, type } = written[i]!;
      return `cast(s.${identifier(field.name)} as ${sqlType(type)}) as ${identifier(name)}`;
    })
    .join(', ');
  // NULL is a partition too.
  const same = write.partitionBy.map((k) => `s.${identifier(k)} is not distinct from p.${identifier(k)}`);
  const compression = compressionOf(write.target?.properties ?? write.table.properties);
  const files: LocalFile[] = [];
  for (const [slice, values] of slices) {
    const within = slices.size > 1 ? `where __slice = ${slice}` : '';
    const order = orderOf(write, slice);
    const stats = await c.runAndReadAll(`copy (
        select ${columns}, __p from (${write.select}) s join __partitions p on ${same.join(' and ')} ${within} ${order}
      ) to ${literal(write.folder)} (${slice === OVERFLOW ? OVERFLOW_FORMAT : FORMAT}, ${compression},
        partition_by (__p), write_partition_columns false,
        field_ids {${written.map((f) => `${identifier(f.name)}: ${f.id}`).join(', ')}},
        filename_pattern '{uuidv7}', append, return_stats)`);
    const specId = slice === OVERFLOW ? overflowSpec! : 0;
    for (const row of stats.getRowsJson()) {
      files.push(writtenFile(row as unknown as StatsRow, { write, specId, values }));
    }
  }
  await c.run('drop table __partitions');
  return files;
}

/** What overflows is in the order of its partitions, unless the table has an order of its own. */
function orderOf({ orderBy, partitionBy }: PartitionedWrite, slice: number): string {
  const order = orderBy ?? (slice === OVERFLOW ? partitionBy.toReversed() : undefined);
  return order === undefined
    ? ''
    : `order by __p, ${order.map((name) => `s.${identifier(name)}`).join(', ')}`;
}

export const rowsIn = (files: readonly LocalFile[]) =>
  files.reduce((sum, { file }) => sum + file.recordCount, 0);

/** The ledger counts what was to be written; files that hold anything else must never be committed. */
export function ensureRows(files: readonly LocalFile[], expected: number): LocalFile[] {
  const found = rowsIn(files);
  if (found === expected) return [...files];
  throw new Failure(`${expected} rows were to be written, and the files hold ${found}`, {
    code: 'engine.rows_differ',
    fault: 'ourselves',
    why: 'rows were lost or doubled on the way into the files; nothing of them was committed',
  });
}

type Entries = { key: string; value: string }[];
type StatsRow = [
  filename: string,
  count: string,
  size: string,
  footer: string,
  columns: { key: string; value: Entries }[],
  partition: Entries,
];

function writtenFile(
  [localPath, count, size, , columns, partition]: StatsRow,
  {
    write,
    specId,
    values,
  }: { write: PartitionedWrite; specId: number; values: ReadonlyMap<string, readonly PartitionValue[]> },
): LocalFile {
  const tuple = values.get(partition[0]!.value)!;
  const byName = new Map(columns.map(({ key, value }) => [key, new Map(value.map((e) => [e.key, e.value]))]));
  const file = {
    specId,
    partition: tuple,
    recordCount: Number(count),
    fileSize: Number(size),
    columnSizes: new Map<number, number>(),
    valueCounts: new Map<number, number>(),
    nullValueCounts: new Map<number, number>(),
    nanValueCounts: new Map<number, number>(),
    lowerBounds: new Map<number, Bound>(),
    upperBounds: new Map<number, Bound>(),
    ...(write.sortOrderId === undefined ? {} : { sortOrderId: write.sortOrderId }),
  };
  for (const [i, { name }] of write.table.schema.fields.entries()) {
    const field = (write.target?.columns ?? write.table.schema.fields)[i]!;
    const stats = byName.get(identifier(field.name));
    if (stats === undefined) continue;
    file.columnSizes.set(field.id, Number(stats.get('column_size_bytes')));
    file.valueCounts.set(field.id, Number(stats.get('num_values')));
    const nulls = Number(stats.get('null_count'));
    file.nullValueCounts.set(field.id, nulls);
    if (field.required && nulls > 0) throw requiredIsNull(field, localPath);
    if (stats.get('has_nan') === 'false') file.nanValueCounts.set(field.id, 0);
    // Nobody filters by a document's or payload's first letters; its bounds would only swell the manifests.
    if (name === 'document' || field.type === 'binary') continue;
    const min = bound(field, stats.get('min'));
    const max = bound(field, stats.get('max'));
    if (min !== undefined) file.lowerBounds.set(field.id, min);
    if (max !== undefined) file.upperBounds.set(field.id, max);
  }
  return { localPath, hint: tuple.length === 0 ? 'overflow' : write.hint(tuple), file };
}

/** DuckDB's statistics are text; infinite times and what cannot be read give no bound. */
function bound(field: Field, text: string | undefined): Bound | undefined {
  if (text === undefined) return undefined;
  switch (field.type) {
    case 'string':
      return text;
    case 'boolean':
      return text === '1' || text === 'true';
    case 'int':
      return Number(text);
    case 'long':
      return BigInt(text);
    case 'float':
    case 'double':
      return Number.isNaN(Number(text)) ? undefined : Number(text);
    case 'timestamptz':
      return microseconds(text);
    case 'timestamp':
      return microseconds(`${text}+00`);
    case 'date':
      return days(text);
    default:
      return field.type.startsWith('decimal') && /^-?\d+(\.\d+)?$/.test(text)
        ? BigInt(text.replace('.', ''))
        : undefined;
  }
}

/** `2026-01-01` → days since the epoch; none for years that a Date does not have. */
function days(text: string): number | undefined {
  const start = microseconds(`${text} 00:00:00+00`);
  return start === undefined ? undefined : Number(start / 86_400_000_000n);
}

/** `2026-01-01 00:00:00.123456+00` → microseconds since the epoch. */
export function microseconds(text: string): bigint | undefined {
  const match = /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\+00$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  // Date.UTC takes the years 0 to 99 for those of the last century.
  const date = new Date(0).setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const ms = date + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
  // DuckDB's years go beyond those of a Date.
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

function unknownCodec(codec: string): Failure {
  return new Failure(`cannot write Parquet files with ${codec}`, {
    code: 'engine.codec_unsupported',
    fault: 'user',
    why: 'the table property write.parquet.compression-codec says so',
    hint: `set it to one of ${Object.keys(CODECS).join(', ')}`,
    docs: 'docs/reference/tables.md',
  });
}

function requiredIsNull(field: Field, path: string): Failure {
  return new Failure(`a row without ${field.name} reached ${path}`, {
    code: 'engine.required_is_null',
    fault: 'ourselves',
    why: `${field.name} is a required column`,
  });
}

/** A partition path that people can read; names in it never come back as values. */
export function partitionHint(names: readonly string[], values: readonly PartitionValue[]): string {
  return names
    .map((name, i) => {
      const value = values[i];
      const text = name.endsWith('_day')
        ? new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
        : String(value);
      return `${name}=${text.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 60)}`;
    })
    .join('/');
}
