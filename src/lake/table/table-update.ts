/**
 * A change of a table as Iceberg's REST protocol says it: what must be true of the table (requirements) and what is
 * done to it (updates), in the spec's own words, so that a service gets them as they are. Where Lakeward writes the
 * metadata itself, `applyUpdates` is what a service would do.
 */
import type { Snapshot, SnapshotRef, TableMetadata } from './metadata.ts';

export type Requirement =
  | { type: 'assert-create' }
  | { type: 'assert-table-uuid'; uuid: string }
  | { type: 'assert-ref-snapshot-id'; ref: string; 'snapshot-id': bigint | null };

export type Update =
  | { action: 'add-snapshot'; snapshot: Snapshot }
  | ({ action: 'set-snapshot-ref'; 'ref-name': string } & SnapshotRef)
  | { action: 'remove-snapshot-ref'; 'ref-name': string }
  | { action: 'remove-snapshots'; 'snapshot-ids': readonly bigint[] }
  | { action: 'set-properties'; updates: Readonly<Record<string, string>> }
  | { action: 'remove-properties'; removals: readonly string[] };

export interface TableUpdate {
  requirements: readonly Requirement[];
  updates: readonly Update[];
}

/** Times never go back: Java refuses a log entry that lies more than a minute before the one before it. */
export function applyUpdates(
  base: TableMetadata,
  updates: readonly Update[],
  { now_ms }: { now_ms: number },
): TableMetadata {
  const added = updates.flatMap((update) => (update.action === 'add-snapshot' ? [update.snapshot] : []));
  const times = added.map((snapshot) => snapshot['timestamp-ms']);
  const updated_ms = Math.max(base['last-updated-ms'], ...(times.length > 0 ? times : [now_ms]));
  return updates.reduce(apply, { ...base, 'last-updated-ms': updated_ms });
}

function apply(metadata: TableMetadata, update: Update): TableMetadata {
  switch (update.action) {
    case 'add-snapshot':
      return {
        ...metadata,
        'last-sequence-number': update.snapshot['sequence-number'],
        snapshots: [...metadata.snapshots, update.snapshot],
      };
    case 'set-snapshot-ref': {
      const { action: _, 'ref-name': name, ...ref } = update;
      return setRef(metadata, name, ref);
    }
    case 'remove-snapshot-ref': {
      const { [update['ref-name']]: _, ...refs } = metadata.refs;
      return {
        ...metadata,
        refs,
        ...(update['ref-name'] === 'main' && { 'current-snapshot-id': null }),
      };
    }
    case 'remove-snapshots':
      return removeSnapshots(metadata, new Set(update['snapshot-ids']));
    case 'set-properties':
      return { ...metadata, properties: { ...metadata.properties, ...update.updates } };
    case 'remove-properties': {
      const removed = new Set(update.removals);
      const kept = Object.entries(metadata.properties).filter(([key]) => !removed.has(key));
      return { ...metadata, properties: Object.fromEntries(kept) };
    }
  }
}

function setRef(metadata: TableMetadata, name: string, ref: SnapshotRef): TableMetadata {
  const next = { ...metadata, refs: { ...metadata.refs, [name]: { ...metadata.refs[name], ...ref } } };
  if (name !== 'main' || metadata['current-snapshot-id'] === ref['snapshot-id']) return next;
  return {
    ...next,
    'current-snapshot-id': ref['snapshot-id'],
    'snapshot-log': [
      ...metadata['snapshot-log'],
      { 'timestamp-ms': metadata['last-updated-ms'], 'snapshot-id': ref['snapshot-id'] },
    ],
  };
}

/** A log with a gap would tell a wrong history: what comes before a removed snapshot's entry goes with it. */
function removeSnapshots(metadata: TableMetadata, removed: ReadonlySet<bigint>): TableMetadata {
  const log = metadata['snapshot-log'];
  const gap = log.findLastIndex((entry) => removed.has(entry['snapshot-id']));
  return {
    ...metadata,
    snapshots: metadata.snapshots.filter((snapshot) => !removed.has(snapshot['snapshot-id'])),
    'snapshot-log': log.slice(gap + 1),
    refs: Object.fromEntries(
      Object.entries(metadata.refs).filter(([, ref]) => !removed.has(ref['snapshot-id'])),
    ),
  };
}
