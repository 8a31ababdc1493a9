/** Which files of a snapshot a query has to read: as few manifests opened as possible, then as few files kept. */
import { Failure } from '../../base/base.ts';
import type { FileQuery, Files, LakeOptions, Table } from '../lake.ts';
import type { DataFile } from '../table/data-file.ts';
import { decodeManifest, type Entry } from '../table/manifest.ts';
import { decodeManifestList, type ListedManifest } from '../table/manifest-list.ts';
import { currentSnapshot, type Snapshot, snapshotById } from '../table/metadata.ts';
import { type Pruner, prunerOf } from '../table/prune.ts';

/** Manifests read at once: enough to hide a store's latency, and a bound on what is held. */
const READS_AT_ONCE = 8;

/** Set by whoever adds files that have no field ids. */
const NAME_MAPPING = 'schema.name-mapping.default';

type Store = Pick<LakeOptions, 'store'>;

export async function planFiles({ store }: Store, table: Table, query: FileQuery = {}): Promise<Files> {
  const pruner = prunerOf(table.metadata, query.where ?? []);
  const snapshot = snapshotOf(table, query);
  if (snapshot === undefined) return { files: [], manifests: { listed: 0, opened: 0 }, listed: 0 };
  const location = snapshot['manifest-list'];
  const all = decodeManifestList(table.metadata, await store.read(location), location);
  const live = all.filter((manifest) => manifest.addedFiles + manifest.existingFiles > 0);
  refuseDeletes(table, live);

  const after = query.afterSequenceNumber ?? -1;
  const wanted = live.filter((manifest) => manifest.sequenceNumber > after && pruner.manifest(manifest));
  const files: DataFile[] = [];
  for (let first = 0; first < wanted.length; first += READS_AT_ONCE) {
    const some = wanted.slice(first, first + READS_AT_ONCE);
    const opened = await Promise.all(
      some.map((manifest) => liveFiles({ store }, table, { manifest, after, pruner })),
    );
    for (const part of opened) for (const file of part) files.push(file);
  }
  return {
    files: files.sort(inOrder),
    manifests: { listed: all.length, opened: wanted.length },
    listed: live.reduce((count, manifest) => count + manifest.addedFiles + manifest.existingFiles, 0),
  };
}

async function liveFiles(
  { store }: Store,
  table: Table,
  { manifest, after, pruner }: { manifest: ListedManifest; after: number; pruner: Pruner },
): Promise<DataFile[]> {
  const { location, addedSnapshotId, sequenceNumber, firstRowId } = manifest;
  const inherited = { snapshotId: addedSnapshotId, sequenceNumber, firstRowId };
  const wanted = ({ status, file }: Entry) =>
    status !== 'deleted' && (file.sequenceNumber ?? 0) > after && pruner.file(file);
  // One that is left out is let go before the next is decoded: of many opened manifests only the files that are kept.
  const from = { location, inherited, wanted };
  const { entries } = decodeManifest(table.metadata, await store.read(location), from);
  const isNameMapped = table.metadata.properties[NAME_MAPPING] !== undefined;
  return entries.map(({ file }) => (isNameMapped ? { ...file, nameMapped: true } : file));
}

function snapshotOf(table: Table, { snapshotId }: FileQuery): Snapshot | undefined {
  if (snapshotId === undefined) return currentSnapshot(table.metadata);
  const snapshot = snapshotById(table.metadata, snapshotId);
  if (snapshot !== undefined) return snapshot;
  throw new Failure(`cannot read snapshot ${snapshotId} of ${table.name}`, {
    code: 'lake.no_such_snapshot',
    fault: 'user',
    why: 'the table does not have it, or it was expired',
    hint: `lakeward tables ${table.name} lists those it has`,
  });
}

/** Files without their deletes would show rows that another program removed. */
function refuseDeletes(table: Table, manifests: readonly ListedManifest[]): void {
  if (!manifests.some((manifest) => manifest.content === 'deletes')) return;
  throw new Failure(`cannot read ${table.name}`, {
    code: 'lake.deletes_unsupported',
    fault: 'user',
    why: 'another program wrote delete files or deletion vectors (merge-on-read) into it',
    hint: 'rewrite the table there so that its deletes are applied (rewrite_data_files), or use copy-on-write',
  });
}

function inOrder(a: DataFile, b: DataFile): number {
  const order = (a.sequenceNumber ?? 0) - (b.sequenceNumber ?? 0);
  return order !== 0 ? order : a.location < b.location ? -1 : 1;
}
