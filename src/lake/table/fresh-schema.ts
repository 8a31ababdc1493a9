/** A schema whose columns are numbered from 1 on, in the order in which Iceberg numbers those of a new table. */
import type { JsonValue } from '../../base/base.ts';
import type { SchemaField, TableSchema } from './metadata.ts';

export interface FreshSchema {
  schema: TableSchema;
  /** The number that stands for the one in the schema given. */
  idOf: ReadonlyMap<number, number>;
}

type Nested = { [key: string]: JsonValue | undefined };

export function freshSchema(schema: TableSchema): FreshSchema {
  const idOf = new Map<number, number>();
  let last = 0;
  const number = (id: unknown): number => {
    idOf.set(Number(id), ++last);
    return last;
  };
  // The fields of a struct get their numbers before those that lie inside them.
  const struct = (fields: readonly SchemaField[]): SchemaField[] => {
    const ids = fields.map((field) => number(field.id));
    return fields.map((field, at) => ({ ...field, id: ids[at]!, type: inner(field.type) }));
  };
  const inner = (type: JsonValue): JsonValue => {
    if (type === null || typeof type !== 'object' || Array.isArray(type)) return type;
    if (type['type'] === 'struct')
      return { ...type, fields: struct(type['fields'] as unknown as SchemaField[]) as unknown as JsonValue };
    const parts = ['element', 'key', 'value'].filter((part) => type[part] !== undefined);
    const ids = parts.map((part) => [`${part}-id`, number(type[`${part}-id`])]);
    const types = parts.map((part) => [part, inner(type[part] as JsonValue)]);
    return { ...type, ...(Object.fromEntries([...ids, ...types]) as Nested) };
  };
  const fields = struct(schema.fields);
  const identifiers = schema['identifier-field-ids']?.map((id) => idOf.get(id) ?? id);
  return {
    schema: {
      ...schema,
      'schema-id': 0,
      fields,
      ...(identifiers && { 'identifier-field-ids': identifiers }),
    },
    idOf,
  };
}
