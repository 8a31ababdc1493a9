/**
 * Iceberg's table metadata, as its JSON has it: the keys stay the spec's own, so that whatever another program wrote
 * into it survives our next commit. Snapshot ids are bigint always: they are random 63-bit numbers, and the JSON
 * parser of `base` gives a small one as number.
 */
import { Failure, type JsonValue, parseJson, stringifyJson } from '../../base/base.ts';
import { asVersion2, asWritten } from './format-versions.ts';
import type { Field, Schema, Type } from './schema.ts';

/** Lakeward's own tables are of version 2, or 3 where that is asked for; the REST server keeps those of version 1 too. */
export const FORMAT_VERSIONS = [1, 2, 3] as const;
export type FormatVersion = (typeof FORMAT_VERSIONS)[number];

export interface Snapshot {
  'snapshot-id': bigint;
  'parent-snapshot-id'?: bigint;
  'sequence-number': number;
  'timestamp-ms': number;
  'manifest-list': string;
  /** `operation` is always there; counts and keys of writers beside it. */
  summary: Readonly<Record<string, string>>;
  'schema-id'?: number;
  /** Version 3 numbers every row. */
  'first-row-id'?: number;
  'added-rows'?: number;
}

/** A field of a schema that any writer made: its type may be nested. */
export interface SchemaField {
  id: number;
  name: string;
  required: boolean;
  type: JsonValue;
  doc?: string;
}

export interface TableSchema {
  type: 'struct';
  'schema-id': number;
  fields: readonly SchemaField[];
  'identifier-field-ids'?: readonly number[];
}

export interface SpecField {
  'source-id': number;
  'field-id': number;
  name: string;
  transform: string;
}

export interface PartitionSpec {
  'spec-id': number;
  fields: readonly SpecField[];
}

export interface SortOrder {
  'order-id': number;
  fields: readonly { 'source-id': number; transform: string; direction: string; 'null-order': string }[];
}

export interface SnapshotRef {
  'snapshot-id': bigint;
  /** `branch` or `tag`. */
  type: string;
  'min-snapshots-to-keep'?: number;
  'max-snapshot-age-ms'?: number;
  'max-ref-age-ms'?: number;
}

/** What else it says stays as it was written. */
export interface StatisticsFile {
  'snapshot-id': bigint | number;
}

export interface TableMetadata {
  'format-version': FormatVersion;
  'table-uuid': string;
  location: string;
  'last-sequence-number': number;
  'last-updated-ms': number;
  'last-column-id': number;
  schemas: readonly TableSchema[];
  'current-schema-id': number;
  'partition-specs': readonly PartitionSpec[];
  'default-spec-id': number;
  'last-partition-id': number;
  'sort-orders': readonly SortOrder[];
  'default-sort-order-id': number;
  properties: Readonly<Record<string, string>>;
  'current-snapshot-id': bigint | null;
  refs: Readonly<Record<string, SnapshotRef>>;
  snapshots: readonly Snapshot[];
  'snapshot-log': readonly { 'timestamp-ms': number; 'snapshot-id': bigint }[];
  'metadata-log': readonly { 'timestamp-ms': number; 'metadata-file': string }[];
  statistics?: readonly StatisticsFile[];
  'partition-statistics'?: readonly StatisticsFile[];
  /** Version 3 only. */
  'next-row-id'?: number;
}

/** The line of a snapshot, newest first, as far as it is retained. */
export interface Ancestry {
  snapshots: Snapshot[];
  /** The line goes on to a snapshot that is not retained. */
  broken: boolean;
  /** Its id, unless that is gone as well. */
  missingParent?: bigint;
}

export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  const id = metadata['current-snapshot-id'];
  return id === null ? undefined : snapshotById(metadata, id);
}

export function snapshotById(metadata: TableMetadata, id: bigint): Snapshot | undefined {
  return metadata.snapshots.find((snapshot) => snapshot['snapshot-id'] === id);
}

export function ancestors(metadata: TableMetadata, snapshotId: bigint): Ancestry {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot['snapshot-id'], snapshot]));
  const snapshots: Snapshot[] = [];
  let next: bigint | undefined = snapshotId;
  while (next !== undefined) {
    const snapshot = byId.get(next);
    if (snapshot === undefined) return { snapshots, broken: true, missingParent: next };
    // A snapshot is met once: a line that bites its own tail, which only damage can make, ends here.
    byId.delete(next);
    snapshots.push(snapshot);
    next = snapshot['parent-snapshot-id'];
  }
  return { snapshots, broken: hadParent(snapshots.at(-1)) };
}

/** pyiceberg takes a snapshot's id out of its child when it expires it (0.12); the child's totals still count its rows. */
function hadParent(oldest: Snapshot | undefined): boolean {
  const rows = (key: string) => Number(oldest?.summary[key] ?? 0);
  return rows('total-records') - rows('added-records') + rows('deleted-records') > 0;
}

/** The columns that we know how to write and prune; a nested one of another writer is left out. */
export function currentSchema(metadata: TableMetadata): Schema {
  const fields = tableSchema(metadata).fields.filter((field) => typeof field.type === 'string');
  return { fields: fields.map((field) => ({ ...field, type: field.type as Type }) satisfies Field) };
}

export function tableSchema(metadata: TableMetadata): TableSchema {
  const id = metadata['current-schema-id'];
  const schema = metadata.schemas.find((s) => s['schema-id'] === id);
  if (schema === undefined) throw damaged(metadata.location, `it names schema ${id}, which it does not hold`);
  return schema;
}

/** All columns that the table has now, those of other programs too, whose types may be ones that we do not write. */
export function currentFields(metadata: TableMetadata): readonly Field[] {
  return tableSchema(metadata).fields as readonly Field[];
}

export function partitionSpec(metadata: TableMetadata, specId: number): PartitionSpec {
  const spec = metadata['partition-specs'].find((s) => s['spec-id'] === specId);
  if (spec === undefined) throw damaged(metadata.location, `it holds no partition spec ${specId}`);
  return spec;
}

/** Type by field id, leaves of nested columns too; dropped columns as the newest schema that had them says. */
export function typesById(metadata: TableMetadata): ReadonlyMap<number, string> {
  const types = new Map<number, string>();
  const add = (id: unknown, type: JsonValue | undefined): void => {
    if (typeof type === 'string') types.set(Number(id), type);
    else if (type !== null && typeof type === 'object' && !Array.isArray(type)) addNested(type);
  };
  const addNested = (type: { [key: string]: JsonValue | undefined }): void => {
    if (type['type'] === 'struct') {
      for (const field of type['fields'] as unknown as SchemaField[]) add(field.id, field.type);
    } else if (type['type'] === 'list') {
      add(type['element-id'], type['element']);
    } else if (type['type'] === 'map') {
      add(type['key-id'], type['key']);
      add(type['value-id'], type['value']);
    }
  };
  const current = metadata['current-schema-id'];
  const oldestFirst = metadata.schemas.toSorted((a, b) => a['schema-id'] - b['schema-id']);
  for (const schema of oldestFirst) for (const field of schema.fields) add(field.id, field.type);
  const newest = metadata.schemas.find((schema) => schema['schema-id'] === current);
  for (const field of newest?.fields ?? []) add(field.id, field.type);
  return types;
}

export function stringifyMetadata(metadata: TableMetadata): string {
  return stringifyJson(asWritten(metadata), 2);
}

/** Of a table that Lakeward commits to itself. */
export function parseMetadata(text: string, location: string): TableMetadata {
  const metadata = parseAnyMetadata(text, location);
  const version = metadata['format-version'];
  if (version === 1) throw unsupported(location, { version, supported: 'versions 2 and 3 are supported' });
  return metadata;
}

/** Of a table of any version, as if it were of version 2. */
export function parseAnyMetadata(text: string, location: string): TableMetadata {
  let json: JsonValue;
  try {
    json = parseJson(text);
  } catch (error) {
    throw damaged(location, 'it is no JSON', error);
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    throw damaged(location, 'it is no object');
  const version = json['format-version'];
  if (!FORMAT_VERSIONS.some((known) => known === version))
    throw unsupported(location, { version, supported: 'versions 1 to 3 are supported' });
  return withBigintIds(asVersion2(json as unknown as TableMetadata));
}

function unsupported(
  location: string,
  { version, supported }: { version: JsonValue | undefined; supported: string },
): Failure {
  return new Failure(`cannot use the table metadata ${location}`, {
    code: 'lake.format_unsupported',
    fault: 'user',
    why: `it has Iceberg format version ${String(version)}; ${supported}`,
    hint: 'version 1 can be upgraded in place by setting the table property format-version to 2',
  });
}

function withBigintIds(json: TableMetadata): TableMetadata {
  const current = json['current-snapshot-id'];
  return {
    ...json,
    properties: json.properties ?? {},
    // Older Java writes -1 where there is no snapshot.
    'current-snapshot-id':
      current === null || current === undefined || Number(current) === -1 ? null : BigInt(current),
    snapshots: (json.snapshots ?? []).map((snapshot) => {
      const parent = snapshot['parent-snapshot-id'];
      const { 'parent-snapshot-id': _, ...rest } = snapshot;
      const line = parent === null || parent === undefined ? {} : { 'parent-snapshot-id': BigInt(parent) };
      return {
        ...rest,
        ...line,
        'snapshot-id': BigInt(snapshot['snapshot-id']),
        summary: snapshot.summary ?? {},
      };
    }),
    refs: Object.fromEntries(
      Object.entries(json.refs ?? mainOnly(current)).map(([name, ref]) => [
        name,
        { ...ref, 'snapshot-id': BigInt(ref['snapshot-id']) },
      ]),
    ),
    'snapshot-log': (json['snapshot-log'] ?? []).map((entry) => ({
      ...entry,
      'snapshot-id': BigInt(entry['snapshot-id']),
    })),
    'metadata-log': json['metadata-log'] ?? [],
  };
}

/** A writer that knows no branches leaves the refs out. */
function mainOnly(current: bigint | null | undefined): Record<string, SnapshotRef> {
  const none = current === null || current === undefined || Number(current) === -1;
  return none ? {} : { main: { 'snapshot-id': current, type: 'branch' } };
}

function damaged(location: string, why: string, cause?: unknown): Failure {
  return new Failure(`cannot use the table metadata of ${location}`, {
    code: 'lake.metadata_damaged',
    fault: 'service',
    why,
    hint: 'point the catalog at the previous metadata file of the table',
    cause,
  });
}
