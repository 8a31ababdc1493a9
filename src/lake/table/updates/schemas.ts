/** Schemas of a table: added, made the current one, removed. Field ids are never used for something else. */
import type { TableMetadata, TableSchema } from '../metadata.ts';
import { badUpdate, changed, type Draft, named, nextId } from './draft.ts';
import { nestedFields } from './nested-fields.ts';
import { sameJson } from './same-json.ts';
import { checkSchema } from './schema-rules.ts';

/** One that is there already is used again. */
export function addSchema(draft: Draft, schema: TableSchema): Draft {
  const { metadata } = draft;
  checkSchema(schema, metadata['format-version']);
  const same = metadata.schemas.find((other) => sameSchema(other, schema));
  const ids = metadata.schemas.map((other) => other['schema-id']);
  const id = same?.['schema-id'] ?? nextId(ids, metadata['current-schema-id']);
  const lastColumnId = [...nestedFields(schema.fields)].reduce(
    (last, field) => Math.max(last, field.id),
    metadata['last-column-id'],
  );
  const next = { ...draft, lastAdded: { ...draft.lastAdded, schema: id } };
  if (same !== undefined) return next;
  return changed(next, {
    'last-column-id': lastColumnId,
    schemas: [...metadata.schemas, { ...schema, 'schema-id': id }],
  });
}

export function setCurrentSchema(draft: Draft, schemaId: number): Draft {
  const { metadata, lastAdded } = draft;
  const id = named(schemaId, { lastAdded: lastAdded.schema, what: 'schema' });
  if (id === metadata['current-schema-id']) return draft;
  if (!metadata.schemas.some((schema) => schema['schema-id'] === id))
    throw badUpdate(`there is no schema ${id} to make the current one`);
  return changed(draft, { 'current-schema-id': id });
}

export function removeSchemas(draft: Draft, schemaIds: readonly number[]): Draft {
  const { metadata } = draft;
  const removed = new Set(schemaIds);
  if (removed.has(metadata['current-schema-id'])) throw badUpdate('the current schema cannot be removed');
  const schemas = metadata.schemas.filter((schema) => !removed.has(schema['schema-id']));
  return schemas.length === metadata.schemas.length ? draft : changed(draft, { schemas });
}

/** Partitions and sort order are made of columns: those of the default ones must be there. */
export function checkSources(metadata: TableMetadata): void {
  const current = metadata.schemas.find((schema) => schema['schema-id'] === metadata['current-schema-id']);
  if (current === undefined) throw badUpdate('the table has no current schema');
  const ids = new Set([...nestedFields(current.fields)].map((field) => field.id));
  const spec = metadata['partition-specs'].find((each) => each['spec-id'] === metadata['default-spec-id']);
  if (spec === undefined) throw badUpdate('the table has no default partition spec');
  const order = metadata['sort-orders'].find(
    (each) => each['order-id'] === metadata['default-sort-order-id'],
  );
  if (order === undefined) throw badUpdate('the table has no default sort order');
  for (const field of spec.fields) {
    if (field.transform !== 'void' && !ids.has(field['source-id']))
      throw badUpdate(`Cannot find source column for partition field: ${field.name}`);
  }
  for (const field of order.fields) {
    if (!ids.has(field['source-id']))
      throw badUpdate(`Cannot find source column for sort field: ${field.transform}(${field['source-id']})`);
  }
}

function sameSchema(a: TableSchema, b: TableSchema): boolean {
  const identifiers = (schema: TableSchema) =>
    (schema['identifier-field-ids'] ?? []).toSorted((x, y) => x - y);
  return sameJson(a.fields, b.fields) && sameJson(identifiers(a), identifiers(b));
}
