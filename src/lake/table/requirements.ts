/** What a change says must be true of the table, so that it is not made on another one than it was judged on. */
import type { TableMetadata } from './metadata.ts';

export type Requirement =
  | { type: 'assert-create' }
  | { type: 'assert-table-uuid'; uuid: string }
  | { type: 'assert-ref-snapshot-id'; ref: string; 'snapshot-id': bigint | null }
  | { type: 'assert-last-assigned-field-id'; 'last-assigned-field-id': number }
  | { type: 'assert-current-schema-id'; 'current-schema-id': number }
  | { type: 'assert-last-assigned-partition-id'; 'last-assigned-partition-id': number }
  | { type: 'assert-default-spec-id'; 'default-spec-id': number }
  | { type: 'assert-default-sort-order-id'; 'default-sort-order-id': number };

/** The first that the table does not meet, in words; undefined when it meets them all. */
export function unmetRequirement(
  metadata: TableMetadata | undefined,
  requirements: readonly Requirement[],
): string | undefined {
  for (const requirement of requirements) {
    const why = unmet(metadata, requirement);
    if (why !== undefined) return `Requirement failed: ${why}`;
  }
  return undefined;
}

function unmet(metadata: TableMetadata | undefined, requirement: Requirement): string | undefined {
  if (requirement.type === 'assert-create') return metadata && 'table already exists';
  if (metadata === undefined) return 'the table does not exist';
  switch (requirement.type) {
    case 'assert-table-uuid':
      return differs('UUID does not match', {
        expected: requirement.uuid.toLowerCase(),
        found: metadata['table-uuid'].toLowerCase(),
      });
    case 'assert-ref-snapshot-id':
      return unmetRef(metadata, requirement);
    case 'assert-last-assigned-field-id':
      return differs('last assigned field id changed', {
        expected: requirement['last-assigned-field-id'],
        found: metadata['last-column-id'],
      });
    case 'assert-current-schema-id':
      return differs('current schema changed', {
        expected: requirement['current-schema-id'],
        found: metadata['current-schema-id'],
      });
    case 'assert-last-assigned-partition-id':
      return differs('last assigned partition id changed', {
        expected: requirement['last-assigned-partition-id'],
        found: metadata['last-partition-id'],
      });
    case 'assert-default-spec-id':
      return differs('default partition spec changed', {
        expected: requirement['default-spec-id'],
        found: metadata['default-spec-id'],
      });
    case 'assert-default-sort-order-id':
      return differs('default sort order changed', {
        expected: requirement['default-sort-order-id'],
        found: metadata['default-sort-order-id'],
      });
  }
}

function differs<T>(what: string, { expected, found }: { expected: T; found: T }): string | undefined {
  return expected === found ? undefined : `${what}: expected ${expected} != ${found}`;
}

function unmetRef(
  metadata: TableMetadata,
  { ref: name, 'snapshot-id': expected }: Extract<Requirement, { type: 'assert-ref-snapshot-id' }>,
): string | undefined {
  const ref = metadata.refs[name];
  if (ref === undefined)
    return expected === null ? undefined : `branch or tag ${name} is missing, expected ${expected}`;
  if (expected === null) return `${ref.type} ${name} was created concurrently`;
  return differs(`${ref.type} ${name} has changed`, { expected, found: ref['snapshot-id'] });
}
