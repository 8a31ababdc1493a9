/**
 * A change of a table as Iceberg's REST protocol says it: what must be true of the table (requirements) and what is
 * done to it (updates), in the spec's own words, so that a service gets them as they are. Where Lakeward writes the
 * metadata itself, `applyUpdates` is what a service would do, by the rules of Iceberg's own Java library.
 */
import {
  FORMAT_VERSIONS,
  type FormatVersion,
  type Snapshot,
  type SnapshotRef,
  type SortOrder,
  type StatisticsFile,
  type TableMetadata,
  type TableSchema,
} from './metadata.ts';
import type { Requirement } from './requirements.ts';
import { badUpdate, changed, type Draft } from './updates/draft.ts';
import { addSpec, removeSpecs, setDefaultSpec, type UnboundSpec } from './updates/partition-specs.ts';
import { addSchema, checkSources, removeSchemas, setCurrentSchema } from './updates/schemas.ts';
import { addSnapshot, forgetIntermediate, removeRef, removeSnapshots, setRef } from './updates/snapshots.ts';
import { addSortOrder, setDefaultSortOrder } from './updates/sort-orders.ts';
import { removeStatistics, setStatistics } from './updates/statistics.ts';

export type { Requirement } from './requirements.ts';

/** Where an id names a schema, spec or order, -1 means the one that this change added last. */
export type Update =
  | { action: 'assign-uuid'; uuid: string }
  | { action: 'upgrade-format-version'; 'format-version': number }
  | { action: 'add-schema'; schema: TableSchema }
  | { action: 'set-current-schema'; 'schema-id': number }
  | { action: 'remove-schemas'; 'schema-ids': readonly number[] }
  | { action: 'add-spec'; spec: UnboundSpec }
  | { action: 'set-default-spec'; 'spec-id': number }
  | { action: 'remove-partition-specs'; 'spec-ids': readonly number[] }
  | { action: 'add-sort-order'; 'sort-order': Pick<SortOrder, 'fields'> }
  | { action: 'set-default-sort-order'; 'sort-order-id': number }
  | { action: 'add-snapshot'; snapshot: Snapshot }
  | ({ action: 'set-snapshot-ref'; 'ref-name': string } & SnapshotRef)
  | { action: 'remove-snapshot-ref'; 'ref-name': string }
  | { action: 'remove-snapshots'; 'snapshot-ids': readonly bigint[] }
  | { action: 'set-location'; location: string }
  | { action: 'set-properties'; updates: Readonly<Record<string, string>> }
  | { action: 'remove-properties'; removals: readonly string[] }
  | { action: 'set-statistics'; statistics: StatisticsFile }
  | { action: 'remove-statistics'; 'snapshot-id': bigint }
  | { action: 'set-partition-statistics'; 'partition-statistics': StatisticsFile }
  | { action: 'remove-partition-statistics'; 'snapshot-id': bigint };

export interface TableUpdate {
  requirements: readonly Requirement[];
  updates: readonly Update[];
}

/**
 * The base itself when the updates change nothing. Times never go back: Java refuses a log entry that lies more than
 * a minute before the one before it.
 */
export function applyUpdates(
  base: TableMetadata,
  updates: readonly Update[],
  { now_ms }: { now_ms: number },
): TableMetadata {
  const times = updates.flatMap((update) =>
    update.action === 'add-snapshot' ? [update.snapshot['timestamp-ms']] : [],
  );
  const updated_ms = Math.max(base['last-updated-ms'], now_ms, ...times);
  const draft: Draft = { metadata: base, lastAdded: {}, addedSnapshots: new Set(), updated_ms };
  const { metadata } = forgetIntermediate(updates.reduce(apply, draft));
  if (metadata === base) return base;
  checkSources(metadata);
  return { ...metadata, 'last-updated-ms': updated_ms };
}

function apply(draft: Draft, update: Update): Draft {
  switch (update.action) {
    case 'assign-uuid':
      return changedTo(draft, 'table-uuid', update.uuid);
    case 'upgrade-format-version':
      return upgrade(draft, update['format-version']);
    case 'add-schema':
      return addSchema(draft, update.schema);
    case 'set-current-schema':
      return setCurrentSchema(draft, update['schema-id']);
    case 'remove-schemas':
      return removeSchemas(draft, update['schema-ids']);
    case 'add-spec':
      return addSpec(draft, update.spec);
    case 'set-default-spec':
      return setDefaultSpec(draft, update['spec-id']);
    case 'remove-partition-specs':
      return removeSpecs(draft, update['spec-ids']);
    case 'add-sort-order':
      return addSortOrder(draft, update['sort-order']);
    case 'set-default-sort-order':
      return setDefaultSortOrder(draft, update['sort-order-id']);
    case 'add-snapshot':
      return addSnapshot(draft, update.snapshot);
    case 'set-snapshot-ref': {
      const { action: _, 'ref-name': name, ...ref } = update;
      return setRef(draft, name, ref);
    }
    case 'remove-snapshot-ref':
      return removeRef(draft, update['ref-name']);
    case 'remove-snapshots':
      return removeSnapshots(draft, update['snapshot-ids']);
    case 'set-location':
      return changedTo(draft, 'location', update.location);
    case 'set-properties':
      return setProperties(draft, update.updates);
    case 'remove-properties':
      return removeProperties(draft, update.removals);
    case 'set-statistics':
      return setStatistics(draft, 'statistics', update.statistics);
    case 'remove-statistics':
      return removeStatistics(draft, 'statistics', update['snapshot-id']);
    case 'set-partition-statistics':
      return setStatistics(draft, 'partition-statistics', update['partition-statistics']);
    case 'remove-partition-statistics':
      return removeStatistics(draft, 'partition-statistics', update['snapshot-id']);
  }
}

function changedTo(draft: Draft, key: 'table-uuid' | 'location', value: string): Draft {
  return draft.metadata[key] === value ? draft : changed(draft, { [key]: value });
}

function upgrade(draft: Draft, version: number): Draft {
  const before = draft.metadata['format-version'];
  const next = FORMAT_VERSIONS.find((known) => known === version);
  if (next === undefined) throw badUpdate(`Cannot upgrade table to unsupported format version: v${version}`);
  if (next < before) throw badUpdate(`Cannot downgrade v${before} table to v${version}`);
  return next === before ? draft : changed(draft, { 'format-version': next, ...newIn(next, draft.metadata) });
}

function newIn(version: FormatVersion, metadata: TableMetadata): Partial<TableMetadata> {
  return version >= 3 ? { 'next-row-id': metadata['next-row-id'] ?? 0 } : {};
}

function setProperties(draft: Draft, updates: Readonly<Record<string, string>>): Draft {
  const { properties } = draft.metadata;
  const isNews = Object.entries(updates).some(([key, value]) => properties[key] !== value);
  return isNews ? changed(draft, { properties: { ...properties, ...updates } }) : draft;
}

function removeProperties(draft: Draft, removals: readonly string[]): Draft {
  const removed = new Set(removals);
  const entries = Object.entries(draft.metadata.properties);
  const kept = entries.filter(([key]) => !removed.has(key));
  return kept.length === entries.length ? draft : changed(draft, { properties: Object.fromEntries(kept) });
}
