/**
 * A schema after a change of columns that no file has to be written anew for: Iceberg's rules of schema evolution. A
 * column keeps its field id through all of them, and a new one gets an id that no column ever had.
 *
 * Paths are dotted, as Iceberg names what lies inside: `place.city` of a struct, `tags.element` of a list of structs.
 */
import { Failure, type JsonValue } from '../../base/base.ts';
import { type SchemaField, type TableMetadata, tableSchema } from './metadata.ts';
import { decimalOf } from './schema.ts';

export type SchemaStep =
  /** Always optional: rows that are there have no value for it. A nested type's own ids are assigned anew. */
  | { add: string; type: JsonValue; doc?: string }
  /** `to` is the column's own name, without the path. */
  | { rename: string; to: string }
  | { widen: string; to: string }
  | { makeOptional: string }
  | { move: string; to: 'first' | { before: string } | { after: string } };

export interface EvolvedSchema {
  fields: readonly SchemaField[];
}

/** Throws Failure `lake.bad_evolution` for a step that Iceberg does not allow, or of a column that is not there. */
export function evolveSchema(metadata: TableMetadata, steps: readonly SchemaStep[]): EvolvedSchema {
  let lastId = metadata['last-column-id'];
  const nextId = () => ++lastId;
  let { fields } = tableSchema(metadata);
  for (const step of steps) fields = applied(fields, step, { nextId });
  return { fields };
}

type Fields = readonly SchemaField[];
type Step<Key extends string> = Extract<SchemaStep, { [key in Key]: string }>;

function applied(fields: Fields, step: SchemaStep, { nextId }: { nextId: () => number }): Fields {
  if ('add' in step) return added(fields, step, nextId);
  if ('rename' in step) return renamed(fields, step);
  if ('widen' in step)
    return changed(fields, step.widen, (field) => ({ ...field, type: widened(field, step) }));
  if ('makeOptional' in step)
    return changed(fields, step.makeOptional, (field) => ({ ...field, required: false }));
  return moved(fields, step);
}

function added(fields: Fields, { add, type, doc }: Step<'add'>, nextId: () => number): Fields {
  const { parent, name } = split(add);
  return within(fields, parent, (siblings) => {
    ensureFree(siblings, { path: add, name });
    const field = { id: nextId(), name, required: false, type: numbered(type, nextId) };
    return [...siblings, doc === undefined ? field : { ...field, doc }];
  });
}

function renamed(fields: Fields, { rename, to }: Step<'rename'>): Fields {
  const { parent, name } = split(rename);
  return within(fields, parent, (siblings) => {
    const at = placeOf(siblings, { path: rename, name });
    ensureFree(siblings.toSpliced(at, 1), { path: parent === '' ? to : `${parent}.${to}`, name: to });
    return siblings.with(at, { ...siblings[at]!, name: to });
  });
}

function widened(field: SchemaField, { widen, to }: Step<'widen'>): string {
  const { type } = field;
  if (typeof type === 'string' && (type === to || widens(type, to))) return to;
  throw bad(widen, {
    why: `it is of ${typeof type === 'string' ? `type ${type}` : 'a nested type'}, which cannot become ${to}`,
    hint: 'int becomes long, float becomes double, a decimal gets more digits before the point',
  });
}

/** Iceberg's own list of types that a column may be given: no file has to be written anew. */
export function widens(was: string, is: string): boolean {
  if (was === 'int') return is === 'long';
  if (was === 'float') return is === 'double';
  const [from, to] = [decimalOf(was), decimalOf(is)];
  return from !== undefined && to !== undefined && from.scale === to.scale && to.precision > from.precision;
}

function moved(fields: Fields, { move, to }: Step<'move'>): Fields {
  const { parent, name } = split(move);
  return within(fields, parent, (siblings) => {
    const at = placeOf(siblings, { path: move, name });
    const rest = siblings.toSpliced(at, 1);
    const beside = to === 'first' ? undefined : 'before' in to ? to.before : to.after;
    const place =
      beside === undefined ? 0 : placeOf(rest, { path: beside, name: beside }) + (isAfter(to) ? 1 : 0);
    return rest.toSpliced(place, 0, siblings[at]!);
  });
}

const isAfter = (to: Step<'move'>['to']) => typeof to === 'object' && 'after' in to;

function changed(fields: Fields, path: string, change: (field: SchemaField) => SchemaField): Fields {
  const { parent, name } = split(path);
  return within(fields, parent, (siblings) => {
    const at = placeOf(siblings, { path, name });
    return siblings.with(at, change(siblings[at]!));
  });
}

type Nested = { [key: string]: JsonValue | undefined };

/** Changes the fields of the struct at a path; the empty one is the table itself. */
function within(fields: Fields, path: string, change: (fields: Fields) => Fields): Fields {
  if (path === '') return change(fields);
  const [name, ...rest] = path.split('.') as [string, ...string[]];
  const at = placeOf(fields, { path, name });
  const field = fields[at]!;
  return fields.with(at, { ...field, type: inside(field.type, { path: rest, of: name }, change) });
}

/** A struct may stand inside lists and maps: their parts are named in the path. */
function inside(
  type: JsonValue,
  { path, of }: { path: readonly string[]; of: string },
  change: (fields: Fields) => Fields,
): JsonValue {
  const nested = type !== null && typeof type === 'object' && !Array.isArray(type) ? (type as Nested) : {};
  if (nested['type'] === 'struct') {
    const fields = within(nested['fields'] as unknown as Fields, path.join('.'), change);
    return { ...nested, fields: fields as unknown as JsonValue };
  }
  const [part = '', ...rest] = path;
  const inner = ['element', 'value'].includes(part) ? nested[part] : undefined;
  if (inner !== undefined) return { ...nested, [part]: inside(inner, { path: rest, of: part }, change) };
  throw bad(of, {
    why: 'it is no struct, and has no columns inside',
    hint: 'a column inside a list is named column.element.name, inside a map column.value.name',
  });
}

/** The same type with ids that no column ever had. */
function numbered(type: JsonValue, nextId: () => number): JsonValue {
  if (type === null || typeof type !== 'object' || Array.isArray(type)) return type;
  const nested = type as Nested;
  if (nested['type'] === 'struct') {
    const fields = (nested['fields'] as unknown as Fields).map((field) => ({ ...field, id: nextId() }));
    const inner = fields.map((field) => ({ ...field, type: numbered(field.type, nextId) }));
    return { ...nested, fields: inner as unknown as JsonValue };
  }
  const parts = ['element', 'key', 'value'].filter((part) => nested[part] !== undefined);
  const ids = parts.map((part) => [`${part}-id`, nextId()]);
  const types = parts.map((part) => [part, numbered(nested[part]!, nextId)]);
  return { ...nested, ...(Object.fromEntries([...ids, ...types]) as Nested) };
}

function split(path: string): { parent: string; name: string } {
  const dot = path.lastIndexOf('.');
  return { parent: path.slice(0, Math.max(0, dot)), name: path.slice(dot + 1) };
}

function placeOf(fields: Fields, { path, name }: { path: string; name: string }): number {
  const at = fields.findIndex((field) => field.name === name);
  if (at >= 0) return at;
  throw bad(path, {
    why: 'there is no such column',
    hint: `here are ${fields.map((field) => field.name).join(', ')}`,
  });
}

/** Some readers do not tell upper and lower case apart. */
function ensureFree(fields: Fields, { path, name }: { path: string; name: string }): void {
  const taken = fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
  if (taken === undefined) return;
  throw bad(path, {
    why: `there is a column ${taken.name} already, of field id ${taken.id}`,
    hint: 'take another name, or rename that column first',
  });
}

function bad(path: string, { why, hint }: { why: string; hint: string }): Failure {
  return new Failure(`the column ${path} cannot be changed like that`, {
    code: 'lake.bad_evolution',
    fault: 'user',
    why,
    hint,
    docs: 'docs/reference/tables.md',
  });
}
