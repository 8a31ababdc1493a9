/** What makes a schema one that every reader can use. */
import type { JsonValue } from '../../../base/base.ts';
import type { TableSchema } from '../metadata.ts';
import { badUpdate } from './draft.ts';
import { type NestedField, nestedFields } from './nested-fields.ts';

const PRIMITIVE =
  /^(boolean|int|long|float|double|date|time|timestamp|timestamptz|string|uuid|binary|fixed\[\d+\]|decimal\(\s*\d+\s*,\s*\d+\s*\))$/;
const SINCE_VERSION_3 =
  /^(unknown|variant|timestamp_ns|timestamptz_ns|geometry(\(.*\))?|geography(\(.*\))?)$/;

export function checkSchema(schema: TableSchema, formatVersion: number): void {
  const byId = new Map<number, NestedField>();
  const paths = new Set<string>();
  for (const field of nestedFields(schema.fields)) {
    const { id, path, type } = field;
    if (!Number.isInteger(id) || id < 0) throw badUpdate(`the column ${path} has no usable id: ${id}`);
    if (byId.has(id)) throw badUpdate(`two columns have the id ${id}: ${byId.get(id)?.path} and ${path}`);
    if (paths.has(path)) throw badUpdate(`Invalid schema: multiple fields for name ${path}`);
    byId.set(id, field);
    paths.add(path);
    checkType(type, { path, formatVersion });
  }
  if (formatVersion < 3) checkDefaults(schema.fields as unknown as JsonValue);
  for (const id of schema['identifier-field-ids'] ?? []) checkIdentifier(id, byId.get(id));
}

function checkType(type: JsonValue, { path, formatVersion }: { path: string; formatVersion: number }): void {
  if (typeof type === 'string') {
    if (PRIMITIVE.test(type)) return;
    if (!SINCE_VERSION_3.test(type)) throw badUpdate(`the column ${path} has an unknown type: ${type}`);
    if (formatVersion < 3) throw badUpdate(`Invalid type for ${path}: ${type} is not supported until v3`);
    return;
  }
  const kind = type !== null && typeof type === 'object' && !Array.isArray(type) ? type['type'] : undefined;
  if (kind !== 'struct' && kind !== 'list' && kind !== 'map')
    throw badUpdate(`the column ${path} has an unknown type: ${String(kind ?? type)}`);
}

/** A value for rows that were written before the column was added came with version 3. */
function checkDefaults(value: JsonValue): void {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value) && value['initial-default'] !== undefined && value['initial-default'] !== null)
    throw badUpdate(
      `Invalid initial default for ${String(value['name'])}: non-null default is not supported until v3`,
    );
  for (const inner of Object.values(value)) if (inner !== undefined) checkDefaults(inner);
}

function checkIdentifier(id: number, field: NestedField | undefined): void {
  if (field === undefined) throw badUpdate(`the identifier field ${id} is no column`);
  const { path, type, required, repeated } = field;
  if (typeof type !== 'string') throw badUpdate(`the identifier field ${path} is not of a primitive type`);
  if (type === 'float' || type === 'double') throw badUpdate(`the identifier field ${path} is a ${type}`);
  if (!required || repeated) throw badUpdate(`the identifier field ${path} is not required`);
}
