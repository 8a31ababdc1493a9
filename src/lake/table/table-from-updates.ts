/** A table that is made by a change: from nothing, by the updates of its first version. */
import { FORMAT_VERSIONS, type TableMetadata } from './metadata.ts';
import { applyUpdates, type Update } from './table-update.ts';
import { badUpdate } from './updates/draft.ts';

const DEFAULT_FORMAT_VERSION = 2;

export function tableFromUpdates(
  updates: readonly Update[],
  { uuid, now_ms }: { uuid: string; now_ms: number },
): TableMetadata {
  const metadata = applyUpdates(nothing(updates, { uuid, now_ms }), updates, { now_ms });
  if (metadata.location === '') throw badUpdate('the table has no location');
  return metadata;
}

function nothing(
  updates: readonly Update[],
  { uuid, now_ms }: { uuid: string; now_ms: number },
): TableMetadata {
  const asked = updates.find((update) => update.action === 'upgrade-format-version')?.['format-version'];
  const version = FORMAT_VERSIONS.find((known) => known === (asked ?? DEFAULT_FORMAT_VERSION));
  if (version === undefined) throw badUpdate(`Unsupported format version: v${asked}`);
  return {
    'format-version': version,
    'table-uuid': uuid,
    location: '',
    'last-sequence-number': 0,
    'last-updated-ms': now_ms,
    'last-column-id': 0,
    schemas: [],
    'current-schema-id': 0,
    'partition-specs': [],
    'default-spec-id': 0,
    'last-partition-id': 999,
    'sort-orders': [],
    'default-sort-order-id': 0,
    properties: {},
    'current-snapshot-id': null,
    refs: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    ...(version >= 3 && { 'next-row-id': 0 }),
  };
}
