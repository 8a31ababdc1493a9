/**
 * The counts in a snapshot's summary. Files and rows in total come from the manifest list itself, so that they are
 * right on top of any writer's snapshot; only sizes, which lists do not have, are carried from summary to summary.
 */
import { Failure } from '../../base/base.ts';
import type { LakeOptions, Table } from '../lake.ts';
import type { DataFile, Manifest } from '../table/data-file.ts';
import { decodeManifest } from '../table/manifest.ts';
import { decodeManifestList, type ListedManifest } from '../table/manifest-list.ts';
import { currentSnapshot } from '../table/metadata.ts';
import { partitionKey } from '../table/partition.ts';

type Store = Pick<LakeOptions, 'store'>;

/** The base of an attempt, as far as its summary needs it. */
export interface BaseContents {
  manifests: readonly ListedManifest[];
  size_bytes: number;
}

export async function baseContents({ store }: Store, base: Table): Promise<BaseContents> {
  const snapshot = currentSnapshot(base.metadata);
  if (snapshot === undefined) return { manifests: [], size_bytes: 0 };
  const location = snapshot['manifest-list'];
  if (location === undefined) {
    throw new Failure(`cannot commit to ${base.name}`, {
      code: 'lake.format_unsupported',
      fault: 'user',
      why: `snapshot ${snapshot['snapshot-id']} has no manifest list, as format version 1 allowed`,
    });
  }
  const manifests = decodeManifestList(base.metadata, await store.read(location), location);
  const stated = snapshot.summary['total-files-size'];
  const size_bytes = /^\d+$/.test(stated ?? '') ? Number(stated) : await sizeOf({ store }, base, manifests);
  return { manifests, size_bytes };
}

/** Another writer left the size out: it is counted once, and carried on from then. */
async function sizeOf({ store }: Store, base: Table, manifests: readonly ListedManifest[]): Promise<number> {
  let size_bytes = 0;
  const live = manifests.filter((m) => m.content === 'data' && m.addedFiles + m.existingFiles > 0);
  for (const { location, addedSnapshotId, sequenceNumber } of live) {
    const inherited = { snapshotId: addedSnapshotId, sequenceNumber };
    const { entries } = decodeManifest(base.metadata, await store.read(location), { location, inherited });
    for (const { status, file } of entries) if (status !== 'deleted') size_bytes += file.fileSize;
  }
  return size_bytes;
}

export interface Added {
  files: number;
  rows: number;
  size_bytes: number;
  partitionKeys: ReadonlySet<string>;
}

export function addedBy(manifests: readonly Manifest[]): Added {
  const partitions = new Set<string>();
  const added = { files: 0, rows: 0, size_bytes: 0 };
  for (const manifest of manifests) {
    added.files += manifest.addedFiles;
    added.rows += manifest.addedRows;
    added.size_bytes += manifest.added?.size_bytes ?? 0;
    for (const key of manifest.added?.partitionKeys ?? []) partitions.add(key);
  }
  return { ...added, partitionKeys: partitions };
}

export interface Counted {
  /** Of the summary that the base has. */
  before: Readonly<Record<string, string>>;
  added: Added;
  removed: readonly DataFile[];
}

export function countsOf(base: BaseContents, { before, added, removed }: Counted) {
  const live = (content: 'data' | 'deletes') =>
    base.manifests.filter((manifest) => manifest.content === content);
  const files = (manifests: ListedManifest[]) => sum(manifests, (m) => m.addedFiles + m.existingFiles);
  const removedRows = sum(removed, (file) => file.recordCount);
  const removed_bytes = sum(removed, (file) => file.fileSize);
  const rows = sum(live('data'), (m) => m.addedRows + m.existingRows) + added.rows - removedRows;
  return {
    'added-data-files': String(added.files),
    'added-records': String(added.rows),
    'added-files-size': String(added.size_bytes),
    ...(removed.length > 0 && {
      'deleted-data-files': String(removed.length),
      'deleted-records': String(removedRows),
      'removed-files-size': String(removed_bytes),
    }),
    'changed-partition-count': String(changedPartitions(added, removed)),
    'total-records': String(rows),
    'total-data-files': String(files(live('data')) + added.files - removed.length),
    'total-files-size': String(base.size_bytes + added.size_bytes - removed_bytes),
    'total-delete-files': String(files(live('deletes'))),
    // Lists do not tell the two kinds apart; we add neither, so the base's own figures stay true.
    'total-position-deletes': before['total-position-deletes'] ?? '0',
    'total-equality-deletes': before['total-equality-deletes'] ?? '0',
  };
}

const changedPartitions = (added: Added, removed: readonly DataFile[]) =>
  new Set([...added.partitionKeys, ...removed.map((file) => partitionKey(file.specId, file.partition))]).size;

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((all, item) => all + of(item), 0);
