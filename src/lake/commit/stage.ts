/**
 * One attempt: a new snapshot on the base as it is now. Everything it writes has a fresh name, so that attempts never
 * overwrite each other's files, and one whose outcome is unknown stays whole.
 */
import { Failure } from '../../base/base.ts';
import type { StagedVersion } from '../catalog/versions.ts';
import type { Change, Refusal, Staged, Table } from '../lake.ts';
import { freshSnapshotId, freshSync, freshUuid } from '../table/fresh-ids.ts';
import { manifestListLocation } from '../table/locations.ts';
import {
  encodeManifestList,
  type ListedManifest,
  type ListHeader,
  listManifest,
} from '../table/manifest-list.ts';
import { currentSnapshot, type Snapshot, tableSchema } from '../table/metadata.ts';
import { nextTime_ms } from '../table/next-metadata.ts';
import { withRowIds } from '../table/row-lineage.ts';
import type { TableUpdate, Update } from '../table/table-update.ts';
import { mayBeGone, writeNew } from './new-file.ts';
import type { CommitPorts } from './ports.ts';
import { removeFiles } from './remove.ts';
import { addedBy, baseContents, countsOf } from './totals.ts';

export const COMMIT_ID = 'lakeward.commit-id';

/** An attempt whose files are written and durable; only the catalog does not know of it yet. */
export interface Attempt {
  tableUuid: string;
  snapshot: Snapshot;
  /** Its own files, manifests not among them: those belong to the change. */
  files: string[];
  send: StagedVersion['send'];
}

export async function writeAttempt(
  ports: CommitPorts,
  base: Table,
  change: Change,
): Promise<Attempt | Refusal> {
  const { clock, random, store } = ports;
  const { metadata } = base;
  const begun_ms = clock.now();
  const snapshotId = freshSnapshotId({ known: metadata.snapshots.map((s) => s['snapshot-id']), random });
  const sequenceNumber = metadata['last-sequence-number'] + 1;
  const staged = heldByRef(base, change) ?? change.stage(base, { snapshotId, sequenceNumber });
  if ('refused' in staged) return staged;

  const parent = currentSnapshot(metadata);
  const header: ListHeader = { snapshotId, parentId: parent?.['snapshot-id'], sequenceNumber };
  const contents = await baseContents(ports, base);
  const removal = await removeFiles(ports, base, {
    manifests: contents.manifests,
    remove: change.remove ?? [],
    header,
  });
  if ('refused' in removal) return removal;

  const uuid = freshUuid({ now_ms: clock.now(), random });
  const list = manifestListLocation(metadata.location, { snapshotId, uuid });
  const manifests = listed(base, removal.manifests, change, header);
  if (typeof manifests === 'string') return { refused: manifests };
  const { manifests: numbered, rowIds } = withRowIds(metadata, manifests);
  const encoding = { header, sync: freshSync(random), formatVersion: metadata['format-version'] };
  await writeNew(store, list, await encodeManifestList(numbered, encoding));

  const snapshot: Snapshot = {
    'snapshot-id': snapshotId,
    ...(parent === undefined ? {} : { 'parent-snapshot-id': parent['snapshot-id'] }),
    'sequence-number': sequenceNumber,
    'timestamp-ms': nextTime_ms(metadata, clock.now()),
    'manifest-list': list,
    'schema-id': tableSchema(metadata)['schema-id'],
    ...rowIds,
    summary: {
      ...staged.summary,
      operation: change.operation,
      [COMMIT_ID]: change.commitId,
      ...countsOf(contents, {
        before: parent?.summary ?? {},
        added: addedBy(change.manifests),
        removed: removal.removed,
      }),
    },
  };
  const oldest_ms = Math.min(begun_ms, change.preparedAt_ms ?? begun_ms);
  const version = await ports.versions.stage(base, updateOf(base, { snapshot, staged, change }));
  return {
    tableUuid: metadata['table-uuid'],
    snapshot,
    files: [list, ...removal.written, ...version.files],
    // A machine that slept over it is overtaken: what it wrote may be gone, and is written anew.
    send: async () => (mayBeGone(clock, oldest_ms) ? 'conflict' : version.send()),
  };
}

/** Removing a snapshot would take the branches and tags along that point to it. */
function heldByRef({ metadata }: Table, { expire = [] }: Change): Refusal | undefined {
  const held = Object.entries(metadata.refs).find(
    ([name, ref]) => name !== 'main' && expire.includes(ref['snapshot-id']),
  );
  if (held === undefined) return undefined;
  const [name, ref] = held;
  return { refused: `${ref.type} ${name} needs snapshot ${ref['snapshot-id']}, which it expires` };
}

function updateOf(
  base: Table,
  { snapshot, staged, change }: { snapshot: Snapshot; staged: Staged; change: Change },
): TableUpdate {
  const { metadata } = base;
  const properties = Object.entries(staged.properties);
  const set = properties.filter((entry): entry is [string, string] => entry[1] !== undefined);
  const removals = properties.flatMap(([key, value]) => (value === undefined ? [key] : []));
  const updates: Update[] = [
    ...schemaUpdates(base, change),
    { action: 'add-snapshot', snapshot },
    {
      // How long to keep what: a ref is set whole.
      ...metadata.refs['main'],
      action: 'set-snapshot-ref',
      'ref-name': 'main',
      type: 'branch',
      'snapshot-id': snapshot['snapshot-id'],
    },
  ];
  if (set.length > 0) updates.push({ action: 'set-properties', updates: Object.fromEntries(set) });
  if (removals.length > 0) updates.push({ action: 'remove-properties', removals });
  const known = new Set(metadata.snapshots.map((each) => each['snapshot-id']));
  const expired = (change.expire ?? []).filter((id) => known.has(id));
  if (expired.length > 0) updates.push({ action: 'remove-snapshots', 'snapshot-ids': expired });
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': metadata['current-snapshot-id'] },
      ...(change.schema === undefined
        ? []
        : [
            {
              type: 'assert-current-schema-id' as const,
              'current-schema-id': metadata['current-schema-id'],
            },
            {
              type: 'assert-last-assigned-field-id' as const,
              'last-assigned-field-id': metadata['last-column-id'],
            },
          ]),
    ],
    updates,
  };
}

/** The snapshot itself is still of the schema that its base has: its rows were there before. */
function schemaUpdates({ metadata }: Table, { schema }: Change): Update[] {
  if (schema === undefined) return [];
  const id = Math.max(...metadata.schemas.map((each) => each['schema-id'])) + 1;
  return [
    {
      action: 'add-schema',
      schema: { ...tableSchema(metadata), 'schema-id': id, fields: schema.fields },
    },
    { action: 'set-current-schema', 'schema-id': -1 },
  ];
}

/** The change's manifests, then those of the base that still have a live file, or lost one in this snapshot. */
function listed(
  base: Table,
  kept: readonly ListedManifest[],
  change: Change,
  header: ListHeader,
): ListedManifest[] | string {
  const { from, to } = change.merge ?? { from: [], to: [] };
  const merged = new Set(from);
  const before = new Set(kept.map((manifest) => manifest.location));
  const gone = from.find((location) => !before.has(location));
  if (gone !== undefined) return `the manifest ${gone}, which it merges, is not listed any more`;
  for (const { location } of [...change.manifests, ...to]) {
    if (before.has(location)) throw listedTwice(base, location);
  }
  const current = kept.filter(
    (manifest) =>
      !merged.has(manifest.location) &&
      (manifest.addedFiles + manifest.existingFiles > 0 || manifest.addedSnapshotId === header.snapshotId),
  );
  return [
    ...[...change.manifests, ...to].map((each) => listManifest(base.metadata, each, header)),
    ...current,
  ];
}

/** No refusal: its owner would be free to delete files that are part of the table. */
function listedTwice(base: Table, location: string): Failure {
  return new Failure(`cannot add ${location} to ${base.name} again`, {
    code: 'lake.manifest_listed_twice',
    fault: 'ourselves',
    why: 'the current snapshot lists this manifest already; its rows would be there twice',
  });
}
