/** Partition specs: added, made the default one, removed. A partition field keeps its id through all specs. */
import { type PartitionSpec, type SpecField, type TableMetadata, tableSchema } from '../metadata.ts';
import { resultType } from '../partition.ts';
import { badUpdate, changed, type Draft, named, nextId } from './draft.ts';
import { nestedFields } from './nested-fields.ts';

/** As a request has it: who adds a spec may leave the ids of its fields to the table. */
export interface UnboundSpec {
  fields: readonly (Omit<SpecField, 'field-id'> & { 'field-id'?: number })[];
}

export function addSpec(draft: Draft, unbound: UnboundSpec): Draft {
  const { metadata } = draft;
  const specs = metadata['partition-specs'];
  const same = specs.find((other) => sameSpec(other, unbound));
  const id =
    same?.['spec-id'] ??
    nextId(
      specs.map((spec) => spec['spec-id']),
      0,
    );
  const next = { ...draft, lastAdded: { ...draft.lastAdded, spec: id } };
  if (same !== undefined) return next;

  checkFields(metadata, unbound);
  const fields = bound(metadata, unbound);
  const sequential = fields.every((field, at) => field['field-id'] === 1000 + at);
  if (metadata['format-version'] === 1 && !sequential)
    throw badUpdate('Spec does not use sequential IDs that are required in v1');
  return changed(next, {
    'last-partition-id': Math.max(metadata['last-partition-id'], ...fields.map((field) => field['field-id'])),
    'partition-specs': [...specs, { 'spec-id': id, fields }],
  });
}

export function setDefaultSpec(draft: Draft, specId: number): Draft {
  const { metadata, lastAdded } = draft;
  const id = named(specId, { lastAdded: lastAdded.spec, what: 'partition spec' });
  if (id === metadata['default-spec-id']) return draft;
  if (!metadata['partition-specs'].some((spec) => spec['spec-id'] === id))
    throw badUpdate(`there is no partition spec ${id} to make the default one`);
  return changed(draft, { 'default-spec-id': id });
}

export function removeSpecs(draft: Draft, specIds: readonly number[]): Draft {
  const { metadata } = draft;
  const removed = new Set(specIds);
  if (removed.has(metadata['default-spec-id'])) throw badUpdate('Cannot remove the default partition spec');
  const specs = metadata['partition-specs'].filter((spec) => !removed.has(spec['spec-id']));
  return specs.length === metadata['partition-specs'].length
    ? draft
    : changed(draft, { 'partition-specs': specs });
}

/** Field ids do not count: the same columns by the same transforms give the same partitions. */
function sameSpec(spec: PartitionSpec, { fields }: UnboundSpec): boolean {
  return (
    spec.fields.length === fields.length &&
    spec.fields.every((field, at) => {
      const other = fields[at]!;
      return (
        field['source-id'] === other['source-id'] &&
        field.transform === other.transform &&
        field.name === other.name
      );
    })
  );
}

/** A field without an id gets the one that the same transform of the same column had before, or a fresh one. */
function bound(metadata: TableMetadata, { fields }: UnboundSpec): SpecField[] {
  const before = metadata['partition-specs'].flatMap((spec) => spec.fields);
  const given = fields.flatMap((field) => field['field-id'] ?? []);
  const taken = new Set(given);
  let last = Math.max(metadata['last-partition-id'], ...given);
  return fields.map((field) => {
    const known = before.find(
      (each) =>
        each['source-id'] === field['source-id'] &&
        each.transform === field.transform &&
        !taken.has(each['field-id']),
    );
    const id = field['field-id'] ?? known?.['field-id'] ?? ++last;
    taken.add(id);
    return { name: field.name, transform: field.transform, 'source-id': field['source-id'], 'field-id': id };
  });
}

function checkFields(metadata: TableMetadata, { fields }: UnboundSpec): void {
  const columns = [...nestedFields(tableSchema(metadata).fields)];
  const byId = new Map(columns.map((column) => [column.id, column]));
  const byPath = new Map(columns.map((column) => [column.path, column.id]));
  const names = new Set<string>();
  const ids = new Set<number>();
  for (const { name, transform, 'source-id': source, 'field-id': id } of fields) {
    if (name === '' || names.has(name)) throw badUpdate(`Cannot use partition name more than once: ${name}`);
    names.add(name);
    if (id !== undefined && ids.has(id)) throw badUpdate(`two partition fields have the id ${id}`);
    if (id !== undefined) ids.add(id);
    const column = byId.get(source);
    if (transform !== 'void' && column === undefined)
      throw badUpdate(`Cannot find source column for partition field: ${name}`);
    if (column !== undefined && typeof column.type !== 'string')
      throw badUpdate(`Cannot partition by non-primitive source field: ${column.path}`);
    if (resultType(transform, 'unknown') === undefined) throw badUpdate(`unknown transform: ${transform}`);
    const namesake = byPath.get(name);
    if (namesake !== undefined && !(transform === 'identity' && namesake === source) && transform !== 'void')
      throw badUpdate(`Cannot create partition from name that exists in schema: ${name}`);
  }
}
