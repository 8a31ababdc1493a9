/** The Avro schemas of manifests and manifest lists, format versions 2 and 3, with the spec's own names and field ids. */
import { Failure } from '../../base/base.ts';
import {
  type AvroRecord,
  type AvroType,
  avroName,
  listOf,
  mapOf,
  optional,
  required,
} from '../avro/schema.ts';
import type { FormatVersion, PartitionSpec } from './metadata.ts';
import { decimalBytes, decimalOf } from './schema.ts';

/** Java casts to these record names; another name makes a manifest unreadable there (iceberg-rust#179). */
export function manifestEntrySchema(
  spec: PartitionSpec,
  partitionTypes: readonly (string | undefined)[],
  { formatVersion }: { formatVersion: FormatVersion },
): AvroRecord {
  const partition: AvroRecord = {
    type: 'record',
    name: 'r102',
    fields: spec.fields.map((field, at) => {
      const name = avroName(field.name);
      const type = partitionType(partitionTypes[at], field['field-id']);
      const column = optional(field['field-id'], name, type);
      return name === field.name ? column : { ...column, 'iceberg-field-name': field.name };
    }),
  };
  const dataFile: AvroRecord = {
    type: 'record',
    name: 'r2',
    fields: [
      required(134, 'content', 'int'),
      required(100, 'file_path', 'string'),
      required(101, 'file_format', 'string'),
      required(102, 'partition', partition),
      required(103, 'record_count', 'long'),
      required(104, 'file_size_in_bytes', 'long'),
      optional(108, 'column_sizes', mapOf(117, 118, 'long')),
      optional(109, 'value_counts', mapOf(119, 120, 'long')),
      optional(110, 'null_value_counts', mapOf(121, 122, 'long')),
      optional(137, 'nan_value_counts', mapOf(138, 139, 'long')),
      optional(125, 'lower_bounds', mapOf(126, 127, 'bytes')),
      optional(128, 'upper_bounds', mapOf(129, 130, 'bytes')),
      optional(131, 'key_metadata', 'bytes'),
      optional(132, 'split_offsets', listOf(133, 'long')),
      optional(135, 'equality_ids', listOf(136, 'int')),
      optional(140, 'sort_order_id', 'int'),
      ...(formatVersion >= 3 ? [optional(142, 'first_row_id', 'long')] : []),
    ],
  };
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      required(0, 'status', 'int'),
      optional(1, 'snapshot_id', 'long'),
      optional(3, 'sequence_number', 'long'),
      optional(4, 'file_sequence_number', 'long'),
      required(2, 'data_file', dataFile),
    ],
  };
}

const MANIFEST_FILE_SCHEMA: AvroRecord = {
  type: 'record',
  name: 'manifest_file',
  fields: [
    required(500, 'manifest_path', 'string'),
    required(501, 'manifest_length', 'long'),
    required(502, 'partition_spec_id', 'int'),
    required(517, 'content', 'int'),
    required(515, 'sequence_number', 'long'),
    required(516, 'min_sequence_number', 'long'),
    required(503, 'added_snapshot_id', 'long'),
    required(504, 'added_files_count', 'int'),
    required(505, 'existing_files_count', 'int'),
    required(506, 'deleted_files_count', 'int'),
    required(512, 'added_rows_count', 'long'),
    required(513, 'existing_rows_count', 'long'),
    required(514, 'deleted_rows_count', 'long'),
    optional(
      507,
      'partitions',
      listOf(508, {
        type: 'record',
        name: 'r508',
        fields: [
          required(509, 'contains_null', 'boolean'),
          optional(518, 'contains_nan', 'boolean'),
          optional(510, 'lower_bound', 'bytes'),
          optional(511, 'upper_bound', 'bytes'),
        ],
      }),
    ),
    optional(519, 'key_metadata', 'bytes'),
  ],
};

const MANIFEST_FILE_SCHEMA_3: AvroRecord = {
  ...MANIFEST_FILE_SCHEMA,
  fields: [...MANIFEST_FILE_SCHEMA.fields, optional(520, 'first_row_id', 'long')],
};

export const manifestFileSchema = ({ formatVersion }: { formatVersion: FormatVersion }): AvroRecord =>
  formatVersion >= 3 ? MANIFEST_FILE_SCHEMA_3 : MANIFEST_FILE_SCHEMA;

function partitionType(type: string | undefined, fieldId: number): AvroType {
  switch (type) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
      return type;
    case 'binary':
      return 'bytes';
    // A plain int is read as a number of days by some and refused by others (iceberg-go#915).
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'timestamp':
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': type === 'timestamptz' };
  }
  const decimal = type === undefined ? undefined : decimalOf(type);
  if (decimal === undefined) {
    throw new Failure(`cannot write files into a partition of type ${type ?? 'unknown'}`, {
      code: 'lake.partition_type_unsupported',
      fault: 'user',
      hint: 'partition the table by another column',
    });
  }
  // The field's id keeps the name unique: Avro allows one definition a name.
  const name = `decimal_${decimal.precision}_${decimal.scale}_${fieldId}`;
  return { type: 'fixed', name, size: decimalBytes(decimal.precision), logicalType: 'decimal', ...decimal };
}
