/**
 * Manifests: the data files of a table, a file each. An added entry has neither snapshot id nor sequence numbers: they
 * are inherited from the commit that lists the manifest, so one manifest serves every attempt of a commit, and a
 * commit of another writer that adopts it. Only a rewritten file says its own data sequence number, that of the
 * newest file it was made from: consumers that read those do not read it again.
 */
import { Failure, stringifyJson } from '../../base/base.ts';
import { type Container, openContainer, type Row } from '../avro/decode.ts';
import { type AvroRow, encodeContainer } from '../avro/encode.ts';
import { LazyMap } from '../avro/lazy-map.ts';
import { positionsById, recordIn } from '../avro/schema.ts';
import { manifestEntrySchema } from './avro-schemas.ts';
import {
  decodeBound,
  encodeBound,
  lowerBound,
  type Shortening,
  unscaledBytes,
  unscaledFrom,
  upperBound,
} from './bounds.ts';
import type { Bound, DataFile, Manifest, PartitionValue } from './data-file.ts';
import { partitionSpec, type TableMetadata, tableSchema, typesById } from './metadata.ts';
import { type MetricsMode, metricsModes } from './metrics-modes.ts';
import { partitionKey, resultTypes } from './partition.ts';
import { summarisePartitions } from './partition-summary.ts';
import { decimalBytes, decimalOf } from './schema.ts';

export type EntryStatus = 'existing' | 'added' | 'deleted';

const STATUSES: readonly EntryStatus[] = ['existing', 'added', 'deleted'];

export interface Entry {
  status: EntryStatus;
  file: DataFile;
}

/** All of one partition spec. */
export async function encodeManifest(
  metadata: TableMetadata,
  { specId, entries, sync }: { specId: number; entries: readonly Entry[]; sync: Uint8Array },
): Promise<Uint8Array> {
  const spec = partitionSpec(metadata, specId);
  const types = typesById(metadata);
  const partitionTypes = resultTypes(spec, types);
  const formatVersion = metadata['format-version'];
  const avro = manifestEntrySchema(spec, partitionTypes, { formatVersion });
  const names = recordIn(recordIn(avro.fields[4]!.type)!.fields[3]!.type)!.fields.map((field) => field.name);
  const schema = tableSchema(metadata);
  const modes = metricsModes(metadata);
  const counted = (counts: ReadonlyMap<number, number>) =>
    new Map([...counts].filter(([id]) => modes(id).counts));

  const row = ({ status, file }: Entry): AvroRow => ({
    status: STATUSES.indexOf(status),
    snapshot_id: status === 'added' ? undefined : file.snapshotId,
    sequence_number: file.sequenceNumber,
    file_sequence_number: status === 'added' ? undefined : file.fileSequenceNumber,
    data_file: {
      content: 0,
      file_path: file.location,
      file_format: 'PARQUET',
      partition: Object.fromEntries(
        names.map((name, at) => [name, written(partitionTypes[at], file.partition[at])]),
      ),
      record_count: file.recordCount,
      file_size_in_bytes: file.fileSize,
      column_sizes: unlessEmpty(file.columnSizes),
      value_counts: unlessEmpty(counted(file.valueCounts)),
      null_value_counts: unlessEmpty(counted(file.nullValueCounts)),
      nan_value_counts: unlessEmpty(counted(file.nanValueCounts)),
      lower_bounds: unlessEmpty(encodeBounds({ types, modes }, file.lowerBounds, lowerBound)),
      upper_bounds: unlessEmpty(encodeBounds({ types, modes }, file.upperBounds, upperBound)),
      split_offsets: file.splitOffsets,
      sort_order_id: file.sortOrderId,
      // An added file's is inherited: the snapshot that lists it first gives it out.
      ...(formatVersion >= 3 && { first_row_id: status === 'added' ? undefined : file.firstRowId }),
    },
  });
  return encodeContainer(
    {
      schema: avro,
      codec: 'deflate',
      sync,
      metadata: {
        schema: stringifyJson(schema),
        'schema-id': String(schema['schema-id']),
        // The array of fields alone, not the spec: what readers expect here (paimon#9012).
        'partition-spec': stringifyJson(spec.fields),
        'partition-spec-id': String(specId),
        'format-version': String(formatVersion),
        content: 'data',
      },
    },
    entries.values().map(row),
  );
}

const unlessEmpty = <V>(map: ReadonlyMap<number, V>) => (map.size === 0 ? undefined : map);

/** Avro keeps a decimal partition in a fixed number of bytes; everything else as it is. */
function written(type: string | undefined, value: PartitionValue | undefined): PartitionValue | undefined {
  const decimal = typeof value === 'bigint' && type !== undefined ? decimalOf(type) : undefined;
  return decimal ? unscaledBytes(value as bigint, decimalBytes(decimal.precision)) : value;
}

function encodeBounds(
  { types, modes }: { types: ReadonlyMap<number, string>; modes: (id: number) => MetricsMode },
  bounds: ReadonlyMap<number, Bound>,
  shorten: (bound: Bound, by: Shortening) => Bound | undefined,
): Map<number, Uint8Array> {
  const encoded = new Map<number, Uint8Array>();
  for (const [id, bound] of bounds) {
    const type = types.get(id);
    const most = modes(id).bound;
    if (most === 0) continue;
    const short = shorten(bound, { most });
    if (type !== undefined && short !== undefined) encoded.set(id, encodeBound(type, short));
  }
  return encoded;
}

/** The values that an entry without them has from its manifest. */
export interface Inherited {
  snapshotId: bigint | undefined;
  sequenceNumber: number | undefined;
  /** Of the first file without one of its own. */
  firstRowId?: number | undefined;
}

export interface DecodedManifest {
  specId: number;
  entries: Entry[];
}

/** The entries of a data manifest that any writer made: all of them, or those that are wanted. */
export function decodeManifest(
  metadata: TableMetadata,
  bytes: Uint8Array,
  {
    location,
    inherited,
    wanted = () => true,
  }: { location: string; inherited: Inherited; wanted?: (entry: Entry) => boolean },
): DecodedManifest {
  const container = openContainer(bytes, location);
  const specId = Number(container.metadata.get('partition-spec-id') ?? 0);
  const fileOf = fileDecoder(metadata, { container, specId, inherited, location });
  const entries: Entry[] = [];
  for (const row of container.rows) {
    const entry = fileOf(row);
    if (wanted(entry)) entries.push(entry);
  }
  return { specId, entries };
}

function fileDecoder(
  metadata: TableMetadata,
  from: { container: Pick<Container, 'schema'>; specId: number; inherited: Inherited; location: string },
): (row: Row) => Entry {
  const { container, specId, inherited, location } = from;
  const entryAt = positionsById(container.schema);
  const fileSchema = recordIn(container.schema.fields[entryAt.get(2) ?? -1]?.type);
  const fileAt = positionsById(fileSchema ?? { type: 'record', name: 'none', fields: [] });
  const partitionSchema = recordIn(fileSchema?.fields[fileAt.get(102) ?? -1]?.type);
  const partitionOf = partitionDecoder(metadata, specId, partitionSchema && positionsById(partitionSchema));
  const types = typesById(metadata);
  // v1 manifests have no sequence numbers at all: their files are older than every numbered one.
  const numbered = entryAt.has(3);
  let nextRowId = inherited.firstRowId;
  const firstRowIdOf = (own: unknown, { rows, status }: { rows: number; status: EntryStatus }) => {
    if (own !== undefined || status === 'deleted' || nextRowId === undefined)
      return own as number | undefined;
    const first = nextRowId;
    nextRowId += rows;
    return first;
  };

  const at = (positions: ReadonlyMap<number, number>, row: Row) => (id: number) =>
    row[positions.get(id) ?? -1] ?? undefined;
  return (row) => {
    const entry = at(entryAt, row);
    const file = at(fileAt, entry(2) as Row);
    const status = STATUSES[entry(0) as number];
    const format = String(file(101)).toUpperCase();
    if (status === undefined) throw unusable(location, `an entry has the status ${String(entry(0))}`);
    if (format !== 'PARQUET' && status !== 'deleted')
      throw unusable(location, `it names a file of format ${format}`);

    const own = entry(1) as number | bigint | undefined;
    const snapshotId = own === undefined ? inherited.snapshotId : BigInt(own);
    const inheritedNumber = !numbered ? 0 : status === 'added' ? inherited.sequenceNumber : undefined;
    const sequenceNumber = (entry(3) as number | undefined) ?? inheritedNumber;
    const fileSequenceNumber = (entry(4) as number | undefined) ?? inheritedNumber;
    const firstRowId = firstRowIdOf(file(142), { rows: file(103) as number, status });
    return {
      status,
      file: {
        location: file(100) as string,
        specId,
        partition: partitionOf(file(102) as Row),
        recordCount: file(103) as number,
        fileSize: file(104) as number,
        columnSizes: (file(108) as ReadonlyMap<number, number> | undefined) ?? NOTHING,
        valueCounts: (file(109) as ReadonlyMap<number, number> | undefined) ?? NOTHING,
        nullValueCounts: (file(110) as ReadonlyMap<number, number> | undefined) ?? NOTHING,
        nanValueCounts: (file(137) as ReadonlyMap<number, number> | undefined) ?? NOTHING,
        lowerBounds: decodedBounds(types, file(125)),
        upperBounds: decodedBounds(types, file(128)),
        ...(file(132) === undefined ? {} : { splitOffsets: file(132) as number[] }),
        ...(file(140) === undefined ? {} : { sortOrderId: file(140) as number }),
        ...(sequenceNumber === undefined ? {} : { sequenceNumber }),
        ...(fileSequenceNumber === undefined ? {} : { fileSequenceNumber }),
        ...(snapshotId === undefined ? {} : { snapshotId }),
        ...(firstRowId === undefined ? {} : { firstRowId }),
      },
    };
  };
}

const NOTHING: ReadonlyMap<number, never> = new Map<number, never>();

function decodedBounds(types: ReadonlyMap<number, string>, value: unknown): ReadonlyMap<number, Bound> {
  if (value === undefined) return NOTHING;
  const encoded = value as ReadonlyMap<number, Uint8Array>;
  return new LazyMap(() => {
    const bounds = new Map<number, Bound>();
    for (const [id, bytes] of encoded) {
      const bound = decodeBound(types.get(id) ?? 'unknown', bytes);
      if (bound !== undefined) bounds.set(id, bound);
    }
    return bounds;
  });
}

/** Values in the order of the spec, whatever order the manifest has them in. */
function partitionDecoder(
  metadata: TableMetadata,
  specId: number,
  positions: ReadonlyMap<number, number> | undefined,
): (row: Row | undefined) => PartitionValue[] {
  const spec = partitionSpec(metadata, specId);
  const types = resultTypes(spec, typesById(metadata));
  const columns = spec.fields.map((field, i) => ({
    at: positions?.get(field['field-id']) ?? -1,
    type: types[i],
  }));
  return (row) => columns.map(({ at, type }) => partitionValue(type, row?.[at]));
}

function partitionValue(type: string | undefined, value: unknown): PartitionValue {
  if (value === null || value === undefined) return null;
  if (type === 'long' || type === 'timestamp' || type === 'timestamptz')
    return BigInt(value as number | bigint);
  if (value instanceof Uint8Array && type !== undefined && decimalOf(type)) return unscaledFrom(value);
  return value as PartitionValue;
}

function unusable(location: string, why: string): Failure {
  return new Failure(`cannot use the manifest ${location}`, {
    code: 'lake.manifest_unsupported',
    fault: 'user',
    why,
  });
}

/** What a manifest list says of a manifest with these entries. */
export function describeManifest(
  metadata: TableMetadata,
  entries: readonly Entry[],
  at: { location: string; length: number; specId: number },
): Manifest {
  const of = (status: EntryStatus) =>
    entries.flatMap((entry) => (entry.status === status ? [entry.file] : []));
  const [added, existing, deleted] = [of('added'), of('existing'), of('deleted')];
  const files = entries.map((entry) => entry.file);
  const numbers = [...added, ...existing].flatMap(({ sequenceNumber: own }) =>
    own === undefined ? [] : [own],
  );
  return {
    ...at,
    addedFiles: added.length,
    existingFiles: existing.length,
    deletedFiles: deleted.length,
    addedRows: rowsIn(added),
    existingRows: rowsIn(existing),
    deletedRows: rowsIn(deleted),
    partitions: summarisePartitions(files, partitionSpec(metadata, at.specId).fields.length),
    ...(numbers.length > 0 && { minSequenceNumber: numbers.reduce((a, b) => Math.min(a, b)) }),
    added: {
      size_bytes: added.reduce((size, file) => size + file.fileSize, 0),
      partitionKeys: new Set(added.map((file) => partitionKey(file.specId, file.partition))),
    },
  };
}

const rowsIn = (files: readonly DataFile[]) => files.reduce((rows, file) => rows + file.recordCount, 0);
