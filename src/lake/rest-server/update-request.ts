/** What a commit asks for. A requirement or an update that this server does not know is refused, never left out. */
import type { JsonValue } from '../../base/base.ts';
import type { Requirement } from '../table/requirements.ts';
import type { TableUpdate, Update } from '../table/table-update.ts';
import { Members } from './read-json.ts';
import { badRequest } from './rest-error.ts';
import { schemaOf, snapshotOf, sortOrderOf, specOf, statisticsOf } from './table-request.ts';

const CHANGES_MAX = 10_000;

export function tableUpdateOf(body: Members): TableUpdate {
  const requirements = body.has('requirements') ? body.list('requirements') : [];
  const updates = body.list('updates');
  if (requirements.length > CHANGES_MAX || updates.length > CHANGES_MAX)
    throw badRequest(`a commit has at most ${CHANGES_MAX} requirements and ${CHANGES_MAX} updates`);
  return { requirements: requirements.map(requirementOf), updates: updates.map(updateOf) };
}

function requirementOf(value: JsonValue): Requirement {
  const members = new Members(value, 'requirement');
  const type = members.text('type');
  switch (type) {
    case 'assert-create':
      return { type };
    case 'assert-table-uuid':
      return { type, uuid: members.text('uuid') };
    case 'assert-ref-snapshot-id':
      return {
        type,
        ref: members.text('ref'),
        'snapshot-id': members.optionalSnapshotId('snapshot-id') ?? null,
      };
    case 'assert-last-assigned-field-id':
      return { type, 'last-assigned-field-id': members.integer('last-assigned-field-id') };
    case 'assert-current-schema-id':
      return { type, 'current-schema-id': members.integer('current-schema-id') };
    case 'assert-last-assigned-partition-id':
      return { type, 'last-assigned-partition-id': members.integer('last-assigned-partition-id') };
    case 'assert-default-spec-id':
      return { type, 'default-spec-id': members.integer('default-spec-id') };
    case 'assert-default-sort-order-id':
      return { type, 'default-sort-order-id': members.integer('default-sort-order-id') };
    default:
      throw badRequest(`Unknown requirement: ${type}`);
  }
}

function updateOf(value: JsonValue): Update {
  const members = new Members(value, 'update');
  const action = members.text('action');
  const member = (key: string) => (value as { [key: string]: JsonValue | undefined })[key];
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: uuidOf(members.text('uuid')) };
    case 'upgrade-format-version':
      return { action, 'format-version': members.integer('format-version') };
    case 'add-schema':
      return { action, schema: schemaOf(member('schema')) };
    case 'set-current-schema':
      return { action, 'schema-id': members.integer('schema-id') };
    case 'remove-schemas':
      return { action, 'schema-ids': members.integers('schema-ids') };
    case 'add-spec':
      return { action, spec: specOf(member('spec')) };
    case 'set-default-spec':
      return { action, 'spec-id': members.integer('spec-id') };
    case 'remove-partition-specs':
      return { action, 'spec-ids': members.integers('spec-ids') };
    case 'add-sort-order':
      return { action, 'sort-order': sortOrderOf(member('sort-order')) };
    case 'set-default-sort-order':
      return { action, 'sort-order-id': members.integer('sort-order-id') };
    case 'set-location':
      return { action, location: members.text('location') };
    case 'set-properties':
      // The older name of the member, which older clients send.
      return { action, updates: members.properties(members.has('updates') ? 'updates' : 'updated') };
    case 'remove-properties':
      return { action, removals: members.texts(members.has('removals') ? 'removals' : 'removed') };
    default:
      return snapshotUpdateOf(action, members, member);
  }
}

function snapshotUpdateOf(
  action: string,
  members: Members,
  member: (key: string) => JsonValue | undefined,
): Update {
  switch (action) {
    case 'add-snapshot':
      return { action, snapshot: snapshotOf(member('snapshot')) };
    case 'set-snapshot-ref':
      return { action, 'ref-name': members.text('ref-name'), ...refOf(members) };
    case 'remove-snapshot-ref':
      return { action, 'ref-name': members.text('ref-name') };
    case 'remove-snapshots':
      return { action, 'snapshot-ids': members.snapshotIds('snapshot-ids') };
    case 'set-statistics':
      return { action, statistics: statisticsOf(member('statistics')) };
    case 'remove-statistics':
      return { action, 'snapshot-id': members.snapshotId('snapshot-id') };
    case 'set-partition-statistics':
      return { action, 'partition-statistics': statisticsOf(member('partition-statistics')) };
    case 'remove-partition-statistics':
      return { action, 'snapshot-id': members.snapshotId('snapshot-id') };
    default:
      throw badRequest(`Unknown update: ${action}`);
  }
}

function refOf(members: Members) {
  const type = members.text('type').toLowerCase();
  if (type !== 'branch' && type !== 'tag') throw badRequest(`Unknown type of a snapshot reference: ${type}`);
  const keep = members.optionalInteger('min-snapshots-to-keep');
  const snapshotAge_ms = members.optionalInteger('max-snapshot-age-ms');
  const refAge_ms = members.optionalInteger('max-ref-age-ms');
  return {
    type,
    'snapshot-id': members.snapshotId('snapshot-id'),
    ...(keep !== undefined && { 'min-snapshots-to-keep': keep }),
    ...(snapshotAge_ms !== undefined && { 'max-snapshot-age-ms': snapshotAge_ms }),
    ...(refAge_ms !== undefined && { 'max-ref-age-ms': refAge_ms }),
  };
}

function uuidOf(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  throw badRequest(`Not a UUID: ${text.slice(0, 100)}`);
}
