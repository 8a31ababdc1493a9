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
import { manifestsOf, withoutLive } from './reachable.ts';

export interface ExpiredFiles {
  /** What they hold is deleted in this order: a data file goes while a manifest still tells of it. */
  locations: string[];
  dataFiles: number;
}

/** `after`: the table as it is with these snapshots gone, or any later version of it. */
export async function expiredFiles(
  ports: Pick<LakeOptions, 'store'>,
  { before, after }: { before: Table; after: Table },
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
  const isOwn = (location: string) => asWeSpellIt(location).startsWith(own);
  const dataFiles = data.map((file) => file.location).filter(isOwn);
  const manifests = gone.map((manifest) => manifest.location).filter(isOwn);
  const lists = expired.map((snapshot) => snapshot['manifest-list']).filter(isOwn);
  return { locations: [...dataFiles, ...manifests, ...lists].map(asWeSpellIt), dataFiles: dataFiles.length };
}
