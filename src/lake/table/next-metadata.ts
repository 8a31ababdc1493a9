/**
 * A table's first metadata, and what every later version says of the one before. A clock that was set back counts as
 * standing still.
 */
import type { TableDefinition } from '../lake.ts';
import type { PartitionSpec, SortOrder, TableMetadata } from './metadata.ts';

const DEFAULT_PROPERTIES: Readonly<Record<string, string>> = {
  'write.parquet.compression-codec': 'zstd',
  'write.metadata.previous-versions-max': '100',
  // Off by default in Iceberg; a streaming writer would leave a metadata file a commit for ever.
  'write.metadata.delete-after-commit.enabled': 'true',
};

/** For rows that get no partition of their own. */
const OVERFLOW_SPEC: PartitionSpec = { 'spec-id': 1, fields: [] };

/** A table without a snapshot yet; the first one is added to it before anything is written. */
export function newTable(
  definition: TableDefinition,
  { location, uuid, now_ms }: { location: string; uuid: string; now_ms: number },
): TableMetadata {
  const { schema, partition, sort, formatVersion = 2 } = definition;
  const spec: PartitionSpec = {
    'spec-id': 0,
    fields: partition.map(({ source, id, name, transform }) => ({
      'source-id': source,
      'field-id': id,
      name,
      transform,
    })),
  };
  // 0 is reserved for the unsorted order.
  const order: SortOrder = {
    'order-id': sort.length === 0 ? 0 : 1,
    fields: sort.map(({ source, transform, direction, nulls }) => ({
      transform,
      'source-id': source,
      direction,
      'null-order': `nulls-${nulls}`,
    })),
  };
  return {
    'format-version': formatVersion,
    ...(formatVersion >= 3 && { 'next-row-id': 0 }),
    'table-uuid': uuid,
    location,
    'last-sequence-number': 0,
    'last-updated-ms': now_ms,
    'last-column-id': Math.max(0, ...schema.fields.map((field) => field.id)),
    schemas: [{ type: 'struct', 'schema-id': 0, fields: schema.fields }],
    'current-schema-id': 0,
    'partition-specs': [spec, ...(definition.overflow && partition.length > 0 ? [OVERFLOW_SPEC] : [])],
    'default-spec-id': 0,
    'last-partition-id': Math.max(999, ...partition.map((field) => field.id)),
    'sort-orders': [order],
    'default-sort-order-id': order['order-id'],
    properties: { ...DEFAULT_PROPERTIES, ...definition.properties },
    'current-snapshot-id': null,
    refs: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
  };
}

export interface Version {
  metadata: TableMetadata;
  /** Metadata files that the log no longer names: to be deleted once this version is committed. */
  forgotten: string[];
}

/** Notes in its log where the version before was read from, as far back as the table's properties want it. */
export function logPrevious(
  metadata: TableMetadata,
  { previous, location }: { previous: TableMetadata; location: string },
): Version {
  const log = [
    ...previous['metadata-log'],
    { 'timestamp-ms': previous['last-updated-ms'], 'metadata-file': location },
  ];
  const kept = log.slice(-previousVersionsMax(metadata.properties));
  const deletes = metadata.properties['write.metadata.delete-after-commit.enabled'] === 'true';
  return {
    metadata: { ...metadata, 'metadata-log': kept },
    forgotten: deletes ? log.slice(0, log.length - kept.length).map((entry) => entry['metadata-file']) : [],
  };
}

/** The time of a new snapshot: now, but never before the version it follows. */
export function nextTime_ms(base: TableMetadata, now_ms: number): number {
  return Math.max(now_ms, base['last-updated-ms']);
}

function previousVersionsMax(properties: Readonly<Record<string, string>>): number {
  const wanted = Number(properties['write.metadata.previous-versions-max'] ?? 100);
  return Number.isInteger(wanted) && wanted >= 1 ? wanted : 1;
}
