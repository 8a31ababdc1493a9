/**
 * Removing files from a snapshot: the manifests that hold them are written anew, the files that stay as existing with
 * the numbers they have, the removed ones as deleted by this snapshot. A removal is valid only while every file it
 * names is live.
 */
import { Failure } from '../../base/base.ts';
import type { Refusal, Table } from '../lake.ts';
import type { DataFile } from '../table/data-file.ts';
import { decodeManifest, type Entry } from '../table/manifest.ts';
import { type ListedManifest, type ListHeader, listManifest } from '../table/manifest-list.ts';
import { mayHold } from '../table/may-hold.ts';
import type { CommitPorts } from './ports.ts';
import { writeManifests } from './write-manifests.ts';

export interface Removal {
  /** The base's manifests, those with removed files in their new form. */
  manifests: readonly ListedManifest[];
  removed: readonly DataFile[];
  /** Manifests of this attempt alone. */
  written: readonly string[];
}

export async function removeFiles(
  ports: CommitPorts,
  base: Table,
  from: { manifests: readonly ListedManifest[]; remove: readonly DataFile[]; header: ListHeader },
): Promise<Removal | Refusal> {
  const { manifests, remove, header } = from;
  const wanted = new Set(remove.map((file) => file.location));
  const removed: DataFile[] = [];
  const written: string[] = [];
  const kept: ListedManifest[] = [];
  for (const manifest of manifests) {
    const search = removed.length < wanted.size && mayHold(manifest, remove);
    const entries = search ? await liveEntries(ports, base, manifest) : [];
    if (!entries.some(({ file }) => wanted.has(file.location))) {
      kept.push(manifest);
      continue;
    }
    const next = entries.map(({ file }) => {
      if (!wanted.has(file.location)) return { status: 'existing' as const, file };
      removed.push(file);
      return { status: 'deleted' as const, file: { ...file, snapshotId: header.snapshotId } };
    });
    const { specId } = manifest;
    for (const each of await writeManifests(ports, base, { specId, entries: next })) {
      written.push(each.location);
      kept.push(listManifest(base.metadata, each, header));
    }
  }
  if (removed.length === wanted.size) return { manifests: kept, removed, written };
  await ports.store.delete(written);
  const found = new Set(removed.map((file) => file.location));
  const missing = [...wanted].find((location) => !found.has(location));
  return { refused: `${missing}, which it removes, is no live file any more` };
}

type Store = Pick<CommitPorts, 'store'>;

/** None of delete files and of what is encrypted. */
export async function allEntries({ store }: Store, base: Table, manifest: ListedManifest): Promise<Entry[]> {
  const { location, addedSnapshotId, sequenceNumber, firstRowId, content, keyMetadata } = manifest;
  if (content === 'deletes' || keyMetadata !== undefined) return [];
  const inherited = { snapshotId: addedSnapshotId, sequenceNumber, firstRowId };
  return decodeManifest(base.metadata, await store.read(location), { location, inherited }).entries;
}

/** With their own numbers, whatever they inherited, so that they can be written anew. */
export async function liveEntries(ports: Store, base: Table, manifest: ListedManifest): Promise<Entry[]> {
  const kept = (await allEntries(ports, base, manifest)).filter(({ status }) => status !== 'deleted');
  const unnumbered = kept.find(
    ({ file }) => file.sequenceNumber === undefined || file.snapshotId === undefined,
  );
  if (unnumbered === undefined) return kept;
  throw new Failure(`cannot rewrite the manifest ${manifest.location}`, {
    code: 'lake.manifest_unsupported',
    fault: 'user',
    why: `its entry for ${unnumbered.file.location} says neither its snapshot nor its sequence number`,
  });
}
