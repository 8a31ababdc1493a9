/**
 * Files that only expired snapshots needed: their manifest lists, manifests that no retained snapshot lists, and data
 * files that these name and no retained snapshot holds. Only below the table's own location: a file that another
 * program added from elsewhere is not ours to delete.
 *
 * A run that dies in between leaves some of them behind; removing orphans finds those.
 */

import { asWeSpellIt } from '../../object-store/object-store.ts';
import { allEntries } from '../commit/remove.ts';
import type { LakeOptions, Table } from '../lake.ts';
import type { DataFile } from '../table/data-file.ts';
import { keptBy, manifestsOf, withoutLive } from './reachable.ts';

export interface ExpiredFiles {
  /** What they hold is deleted in this order: a data file goes while a manifest still tells of it. */
  locations: string[];
  dataFiles: number;
}

export interface Expiry {
  before: Table;
  /** The table as it is with these snapshots gone, or any later version of it. */
  after: Table;
  /**
   * Manifests that something other than the table's metadata refers to: they and their files stay. Asked for once the
   * expiry is committed, so that none is missing that a snapshot named which is gone now.
   */
  keepManifests?: readonly string[];
}

export async function expiredFiles(
  ports: Pick<LakeOptions, 'store'>,
  { before, after, keepManifests = [] }: Expiry,
): Promise<ExpiredFiles> {
  const kept = new Set(after.metadata.snapshots.map((snapshot) => snapshot['snapshot-id']));
  const expired = before.metadata.snapshots.filter((snapshot) => !kept.has(snapshot['snapshot-id']));
  const retained = await manifestsOf(ports, after, after.metadata.snapshots);
  const gone = [...(await manifestsOf(ports, before, expired)).values()].filter(
    (manifest) => !retained.has(manifest.location),
  );
  const named = new Map<string, DataFile>();
  for (const manifest of gone) {
    for (const { file } of await allEntries(ports, before, manifest))
      named.set(asWeSpellIt(file.location), file);
  }
  const data = await withoutLive(ports, after, { files: [...named.values()], manifests: retained.values() });
  const own = `${asWeSpellIt(after.metadata.location)}/`;
  const ours = (locations: readonly string[]) =>
    locations.map(asWeSpellIt).filter((location) => location.startsWith(own));
  const ownData = ours(data.map(({ location }) => location));
  const ownManifests = ours(gone.map(({ location }) => location));
  const lists = ours(expired.map((snapshot) => snapshot['manifest-list']));
  // Where only manifest lists go, there is nothing that others could refer to.
  const nothing = ownData.length === 0 && ownManifests.length === 0;
  const others = await keptBy(ports, after, nothing ? [] : keepManifests);
  const dataFiles = ownData.filter((location) => !others.has(location));
  const manifests = ownManifests.filter((location) => !others.has(location));
  return { locations: [...dataFiles, ...manifests, ...lists], dataFiles: dataFiles.length };
}
