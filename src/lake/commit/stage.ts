/**
 * One attempt: a new snapshot on the base as it is now. Everything it writes has a fresh name, so that attempts never
 * overwrite each other's files, and one whose outcome is unknown stays whole.
 */
import { Failure } from '../../base/base.ts';
import type { Change, LakeOptions, Refusal, Table } from '../lake.ts';
import { freshSnapshotId, freshSync, freshUuid } from '../table/fresh-ids.ts';
import { manifestListLocation, metadataLocation } from '../table/locations.ts';
import {
  encodeManifestList,
  type ListedManifest,
  type ListHeader,
  listManifest,
} from '../table/manifest-list.ts';
import { currentSnapshot, type Snapshot, stringifyMetadata, tableSchema } from '../table/metadata.ts';
import { nextTime_ms, nextVersion } from '../table/next-metadata.ts';
import { writeNew } from './new-file.ts';
import { addedBy, type BaseContents, baseContents, countsOf } from './totals.ts';

type Ports = Required<LakeOptions>;

export const COMMIT_ID = 'lakeward.commit-id';

/** An attempt whose files are written and durable; only the catalog does not know of it yet. */
export interface Attempt {
  table: Table;
  snapshot: Snapshot;
  /** Its own files, manifests not among them: those belong to the change. */
  files: string[];
  /** Old metadata files to delete once it is committed. */
  forgotten: string[];
}

/** `baseLocation` is undefined for a table that is being created. */
export async function writeAttempt(
  ports: Ports,
  base: { table: Table; baseLocation: string | undefined },
  change: Change,
): Promise<Attempt | Refusal> {
  const { clock, random, store } = ports;
  const { name, metadata } = base.table;
  const snapshotId = freshSnapshotId({ known: metadata.snapshots.map((s) => s['snapshot-id']), random });
  const sequenceNumber = metadata['last-sequence-number'] + 1;
  const staged = change.stage(base.table, { snapshotId, sequenceNumber });
  if ('refused' in staged) return staged;

  const uuid = freshUuid({ now_ms: clock.now(), random });
  const list = manifestListLocation(metadata.location, { snapshotId, uuid });
  const parent = currentSnapshot(metadata);
  const header: ListHeader = { snapshotId, parentId: parent?.['snapshot-id'], sequenceNumber };
  const contents = await baseContents(ports, base.table);
  await writeNew(
    store,
    list,
    await encodeManifestList(listed(base.table, contents, change, header), {
      header,
      sync: freshSync(random),
    }),
  );

  const snapshot: Snapshot = {
    'snapshot-id': snapshotId,
    ...(parent === undefined ? {} : { 'parent-snapshot-id': parent['snapshot-id'] }),
    'sequence-number': sequenceNumber,
    'timestamp-ms': nextTime_ms(metadata, clock.now()),
    'manifest-list': list,
    'schema-id': tableSchema(metadata)['schema-id'],
    summary: {
      ...staged.summary,
      operation: change.operation,
      [COMMIT_ID]: change.commitId,
      ...countsOf(contents, parent?.summary ?? {}, addedBy(change.manifests)),
    },
  };
  const { baseLocation } = base;
  const next = nextVersion(metadata, { snapshot, properties: staged.properties, baseLocation });
  const location = metadataLocation(metadata.location, { previous: baseLocation, uuid });
  await writeNew(store, location, Buffer.from(stringifyMetadata(next.metadata)));
  return {
    table: { name, metadata: next.metadata, metadataLocation: location },
    snapshot,
    files: [list, location],
    forgotten: next.forgotten,
  };
}

/** The change's manifests, then those of the base that still have a live file. */
function listed(base: Table, contents: BaseContents, change: Change, header: ListHeader): ListedManifest[] {
  const before = new Set(contents.manifests.map((manifest) => manifest.location));
  for (const { location } of change.manifests) {
    if (before.has(location)) throw listedTwice(base, location);
  }
  const live = contents.manifests.filter((manifest) => manifest.addedFiles + manifest.existingFiles > 0);
  return [...change.manifests.map((manifest) => listManifest(base.metadata, manifest, header)), ...live];
}

/** No refusal: its owner would be free to delete files that are part of the table. */
function listedTwice(base: Table, location: string): Failure {
  return new Failure(`cannot add ${location} to ${base.name} again`, {
    code: 'lake.manifest_listed_twice',
    fault: 'ourselves',
    why: 'the current snapshot lists this manifest already; its rows would be there twice',
  });
}
