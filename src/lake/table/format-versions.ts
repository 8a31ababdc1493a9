/**
 * Metadata of version 1 has one schema and one partition spec where later versions have lists, and no sequence
 * numbers. It is read as if it had what version 2 has, and written so that a reader of version 1 finds what it looks
 * for.
 */
import type { PartitionSpec, Snapshot, SpecField, TableMetadata, TableSchema } from './metadata.ts';

/** What only version 1 has. */
interface Version1 {
  schema?: TableSchema;
  'partition-spec'?: readonly (Omit<SpecField, 'field-id'> & { 'field-id'?: number })[];
}

const UNSORTED = { 'order-id': 0, fields: [] };
/** Ids of partition fields begin at 1000. */
const FIRST_PARTITION_ID = 1000;

export function asVersion2(json: TableMetadata & Version1): TableMetadata {
  if (json['format-version'] !== 1) return json;
  const { schema, 'partition-spec': fields, ...rest } = json;
  const specs = json['partition-specs'] ?? [specOf(fields ?? [])];
  const ids = specs.flatMap((spec) => spec.fields.map((field) => field['field-id']));
  return {
    ...rest,
    'last-sequence-number': 0,
    schemas: json.schemas ?? (schema === undefined ? [] : [{ ...schema, 'schema-id': 0 }]),
    'current-schema-id': json['current-schema-id'] ?? 0,
    'partition-specs': specs,
    'default-spec-id': json['default-spec-id'] ?? 0,
    'last-partition-id': json['last-partition-id'] ?? Math.max(FIRST_PARTITION_ID - 1, ...ids),
    'sort-orders': json['sort-orders'] ?? [UNSORTED],
    'default-sort-order-id': json['default-sort-order-id'] ?? 0,
    snapshots: (json.snapshots ?? []).map((snapshot) => ({ ...snapshot, 'sequence-number': 0 })),
  };
}

export function asWritten(metadata: TableMetadata): object {
  if (metadata['format-version'] !== 1) return metadata;
  const { 'last-sequence-number': _, ...rest } = metadata;
  const spec = metadata['partition-specs'].find((each) => each['spec-id'] === metadata['default-spec-id']);
  return {
    ...rest,
    schema: metadata.schemas.find((each) => each['schema-id'] === metadata['current-schema-id']),
    'partition-spec': spec?.fields ?? [],
    snapshots: metadata.snapshots.map(unnumbered),
  };
}

function specOf(fields: NonNullable<Version1['partition-spec']>): PartitionSpec {
  return {
    'spec-id': 0,
    fields: fields.map((field, at) => ({ 'field-id': FIRST_PARTITION_ID + at, ...field })),
  };
}

function unnumbered({ 'sequence-number': _, ...snapshot }: Snapshot): Omit<Snapshot, 'sequence-number'> {
  return snapshot;
}
