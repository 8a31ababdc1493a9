/** Manifest lists: the manifests of one snapshot. What other writers put there is carried over as it was. */
import { decodeContainer } from '../avro/decode.ts';
import { type AvroRow, encodeContainer } from '../avro/encode.ts';
import { positionsById, recordIn } from '../avro/schema.ts';
import { manifestFileSchema } from './avro-schemas.ts';
import { decodeBound, encodeBound } from './bounds.ts';
import type { Bound, Manifest, PartitionSummary } from './data-file.ts';
import { type FormatVersion, partitionSpec, type TableMetadata, typesById } from './metadata.ts';
import { resultTypes } from './partition.ts';

/** A manifest as a list has it: nothing about it is open any more. */
export interface ListedManifest extends Manifest {
  content: 'data' | 'deletes';
  sequenceNumber: number;
  minSequenceNumber: number;
  addedSnapshotId: bigint;
  /** The summaries as they stood in the list, so that carrying them over cannot change them. */
  encodedPartitions: readonly EncodedSummary[] | undefined;
  keyMetadata: Uint8Array | undefined;
}

export interface EncodedSummary {
  contains_null: boolean;
  contains_nan: boolean | undefined;
  lower_bound: Uint8Array | undefined;
  upper_bound: Uint8Array | undefined;
}

export interface ListHeader {
  snapshotId: bigint;
  parentId: bigint | undefined;
  sequenceNumber: number;
}

/** A new manifest becomes part of the snapshot that lists it first. */
export function listManifest(
  metadata: TableMetadata,
  manifest: Manifest,
  header: ListHeader,
): ListedManifest {
  const types = resultTypes(partitionSpec(metadata, manifest.specId), typesById(metadata));
  return {
    ...manifest,
    content: 'data',
    sequenceNumber: header.sequenceNumber,
    minSequenceNumber: manifest.minSequenceNumber ?? header.sequenceNumber,
    addedSnapshotId: header.snapshotId,
    encodedPartitions: manifest.partitions.map((summary, at) =>
      encodeSummary(types[at] ?? 'unknown', summary),
    ),
    keyMetadata: undefined,
  };
}

/** Whole values, never shortened: a summary with one bound alone would read as "all null". */
function encodeSummary(
  type: string,
  { containsNull, containsNan, lower, upper }: PartitionSummary,
): EncodedSummary {
  const encoded = (bound: Bound | undefined) => (bound === undefined ? undefined : encodeBound(type, bound));
  return {
    contains_null: containsNull,
    contains_nan: containsNan,
    lower_bound: encoded(lower),
    upper_bound: encoded(upper),
  };
}

export async function encodeManifestList(
  manifests: readonly ListedManifest[],
  { header, sync, formatVersion }: { header: ListHeader; sync: Uint8Array; formatVersion: FormatVersion },
): Promise<Uint8Array> {
  const row = (manifest: ListedManifest): AvroRow => ({
    manifest_path: manifest.location,
    manifest_length: manifest.length,
    partition_spec_id: manifest.specId,
    content: manifest.content === 'data' ? 0 : 1,
    sequence_number: manifest.sequenceNumber,
    min_sequence_number: manifest.minSequenceNumber,
    added_snapshot_id: manifest.addedSnapshotId,
    added_files_count: manifest.addedFiles,
    existing_files_count: manifest.existingFiles,
    deleted_files_count: manifest.deletedFiles,
    added_rows_count: manifest.addedRows,
    existing_rows_count: manifest.existingRows,
    deleted_rows_count: manifest.deletedRows,
    partitions: manifest.encodedPartitions,
    key_metadata: manifest.keyMetadata,
    ...(formatVersion >= 3 && { first_row_id: manifest.firstRowId }),
  });
  return encodeContainer(
    {
      schema: manifestFileSchema({ formatVersion }),
      codec: 'deflate',
      sync,
      metadata: {
        'snapshot-id': String(header.snapshotId),
        'parent-snapshot-id': header.parentId === undefined ? 'null' : String(header.parentId),
        'sequence-number': String(header.sequenceNumber),
        'format-version': String(formatVersion),
      },
    },
    manifests.values().map(row),
  );
}

export function decodeManifestList(
  metadata: TableMetadata,
  bytes: Uint8Array,
  location: string,
): ListedManifest[] {
  const { schema, rows } = decodeContainer(bytes, location);
  const at = positionsById(schema);
  const summarySchema = recordIn(schema.fields[at.get(507) ?? -1]?.type);
  const summaryAt = positionsById(summarySchema ?? { type: 'record', name: 'none', fields: [] });
  const types = typesById(metadata);

  return rows.map((row) => {
    const value = (id: number) => row[at.get(id) ?? -1] ?? undefined;
    const count = (id: number) => Number(value(id) ?? 0);
    const specId = count(502);
    const summaries = (value(507) as (readonly unknown[])[] | undefined)?.map((summary): EncodedSummary => {
      const member = (id: number) => summary[summaryAt.get(id) ?? -1] ?? undefined;
      return {
        contains_null: member(509) as boolean,
        contains_nan: member(518) as boolean | undefined,
        lower_bound: member(510) as Uint8Array | undefined,
        upper_bound: member(511) as Uint8Array | undefined,
      };
    });
    const partitionTypes = resultTypes(partitionSpec(metadata, specId), types);
    return {
      location: value(500) as string,
      length: count(501),
      specId,
      content: count(517) === 0 ? ('data' as const) : ('deletes' as const),
      sequenceNumber: count(515),
      minSequenceNumber: count(516),
      addedSnapshotId: BigInt(value(503) as number | bigint),
      addedFiles: count(504),
      existingFiles: count(505),
      deletedFiles: count(506),
      addedRows: count(512),
      existingRows: count(513),
      deletedRows: count(514),
      partitions: (summaries ?? []).map((summary, i) =>
        decodeSummary(partitionTypes[i] ?? 'unknown', summary),
      ),
      encodedPartitions: summaries,
      keyMetadata: value(519) as Uint8Array | undefined,
      ...(value(520) === undefined ? {} : { firstRowId: Number(value(520)) }),
    };
  });
}

function decodeSummary(type: string, summary: EncodedSummary): PartitionSummary {
  const bound = (bytes: Uint8Array | undefined) =>
    bytes === undefined ? undefined : decodeBound(type, bytes);
  const lower = bound(summary.lower_bound);
  const upper = bound(summary.upper_bound);
  return {
    containsNull: summary.contains_null,
    ...(summary.contains_nan === undefined ? {} : { containsNan: summary.contains_nan }),
    ...(lower === undefined ? {} : { lower }),
    ...(upper === undefined ? {} : { upper }),
  };
}
