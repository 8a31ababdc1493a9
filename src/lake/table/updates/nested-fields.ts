/** Fields of a schema at every depth: those of structs, elements of lists, keys and values of maps. */
import type { JsonValue } from '../../../base/base.ts';
import type { SchemaField } from '../metadata.ts';

export interface NestedField {
  id: number;
  /** Dotted, as Iceberg names what lies inside: `place.city`, `tags.element`, `scores.key`. */
  path: string;
  type: JsonValue;
  required: boolean;
  /** Inside a list or a map, so that a row has any number of them. */
  repeated: boolean;
}

export function* nestedFields(fields: readonly SchemaField[]): Generator<NestedField> {
  yield* ofStruct(fields, { prefix: '', repeated: false });
}

interface Place {
  prefix: string;
  repeated: boolean;
}

function* ofStruct(fields: readonly SchemaField[], { prefix, repeated }: Place): Generator<NestedField> {
  for (const { id, name, type, required } of fields) {
    yield* ofType({ id, path: `${prefix}${name}`, type, required, repeated });
  }
}

function* ofType(field: NestedField): Generator<NestedField> {
  yield field;
  const { type, path, repeated } = field;
  if (type === null || typeof type !== 'object' || Array.isArray(type)) return;
  if (type['type'] === 'struct') {
    yield* ofStruct((type['fields'] ?? []) as unknown as SchemaField[], { prefix: `${path}.`, repeated });
    return;
  }
  for (const part of ['element', 'key', 'value']) {
    const inner = type[part];
    if (inner === undefined) continue;
    yield* ofType({
      id: Number(type[`${part}-id`]),
      path: `${path}.${part}`,
      type: inner,
      required: part === 'key' || type[`${part}-required`] === true,
      repeated: true,
    });
  }
}
