/** Schemas, specs, sort orders and snapshots as requests have them. What the spec adds to them one day is kept. */

import type { JsonValue } from '../../base/base.ts';
import type { SchemaField, Snapshot, SortOrder, StatisticsFile, TableSchema } from '../table/metadata.ts';
import type { UnboundSpec } from '../table/updates/partition-specs.ts';
import { Members } from './read-json.ts';
import { badRequest } from './rest-error.ts';

const TYPE_DEPTH_MAX = 64;

export function schemaOf(value: JsonValue | undefined): TableSchema {
  const members = new Members(value, 'schema');
  const identifiers = members.has('identifier-field-ids') ? members.integers('identifier-field-ids') : [];
  return {
    type: 'struct',
    'schema-id': members.optionalInteger('schema-id') ?? 0,
    fields: fieldsOf(members, 0),
    ...(identifiers.length > 0 && { 'identifier-field-ids': identifiers }),
  };
}

function fieldsOf(struct: Members, depth: number): SchemaField[] {
  if (depth > TYPE_DEPTH_MAX) throw badRequest('a column’s type is nested too deeply');
  return struct.list('fields').map((value) => {
    const field = new Members(value, 'field of a schema');
    const type = (value as { type?: JsonValue }).type;
    checkType(type, depth + 1);
    return {
      ...(value as object),
      id: field.integer('id'),
      name: field.text('name'),
      required: field.boolean('required'),
      type: type as JsonValue,
    };
  });
}

/** Ids and the like have their place; which types there are is for the table to say. */
function checkType(type: JsonValue | undefined, depth: number): void {
  if (typeof type === 'string') return;
  const members = new Members(type, 'type of a column');
  const inner = type as { [key: string]: JsonValue | undefined };
  switch (members.text('type')) {
    case 'struct':
      fieldsOf(members, depth);
      return;
    case 'list':
      members.integer('element-id');
      checkType(inner['element'], depth + 1);
      return;
    case 'map':
      members.integer('key-id');
      members.integer('value-id');
      checkType(inner['key'], depth + 1);
      checkType(inner['value'], depth + 1);
      return;
    default:
      throw badRequest(`Cannot parse type from json: ${members.text('type')}`);
  }
}

export function specOf(value: JsonValue | undefined): UnboundSpec {
  const fields = new Members(value, 'partition spec').list('fields');
  return {
    fields: fields.map((each) => {
      const field = new Members(each, 'partition field');
      const id = field.optionalInteger('field-id');
      return {
        name: field.text('name'),
        transform: field.text('transform'),
        'source-id': sourceId(field),
        ...(id !== undefined && { 'field-id': id }),
      };
    }),
  };
}

export function sortOrderOf(value: JsonValue | undefined): Pick<SortOrder, 'fields'> {
  const fields = new Members(value, 'sort order').list('fields');
  return {
    fields: fields.map((each) => {
      const field = new Members(each, 'sort field');
      return {
        transform: field.text('transform'),
        'source-id': sourceId(field),
        direction: field.text('direction').toLowerCase(),
        'null-order': field.text('null-order').toLowerCase(),
      };
    }),
  };
}

/** Version 3 foresees transforms of several columns; no transform that has them exists. */
function sourceId(field: Members): number {
  if (field.has('source-id')) return field.integer('source-id');
  const ids = field.has('source-ids') ? field.integers('source-ids') : [];
  if (ids.length !== 1) throw badRequest('a partition or sort field has to name one source column');
  return ids[0]!;
}

export function snapshotOf(value: JsonValue | undefined): Snapshot {
  const members = new Members(value, 'snapshot');
  const { 'parent-snapshot-id': _, ...rest } = value as { [key: string]: JsonValue | undefined };
  const parent = members.optionalSnapshotId('parent-snapshot-id');
  if (!members.has('manifests')) members.text('manifest-list');
  return {
    ...(rest as unknown as Snapshot),
    'snapshot-id': members.snapshotId('snapshot-id'),
    ...(parent !== undefined && { 'parent-snapshot-id': parent }),
    // Of version 1, which has none.
    'sequence-number': members.optionalInteger('sequence-number') ?? 0,
    'timestamp-ms': members.integer('timestamp-ms'),
    summary: members.properties('summary'),
  };
}

export function statisticsOf(value: JsonValue | undefined): StatisticsFile {
  const members = new Members(value, 'statistics file');
  members.text('statistics-path');
  return { ...(value as object), 'snapshot-id': members.snapshotId('snapshot-id') };
}
