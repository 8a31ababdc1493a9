/**
 * What snapshots refer to. What is retained is always read whole, as far as it can matter: where any of it cannot be
 * read, the failure goes on to the caller, and nothing is deleted.
 */
import { eachBounded, Failure } from '../../base/base.ts';
import { asWeSpellIt } from '../../object-store/object-store.ts';
import { liveEntries } from '../commit/remove.ts';
import type { LakeOptions, Table } from '../lake.ts';
import type { DataFile } from '../table/data-file.ts';
import { decodeManifest } from '../table/manifest.ts';
import { decodeManifestList, type ListedManifest } from '../table/manifest-list.ts';
import { mayHold } from '../table/may-hold.ts';
import type { Snapshot } from '../table/metadata.ts';

type Store = Pick<LakeOptions, 'store'>;

/** Manifests of these snapshots by location, each once. */
export async function manifestsOf(
  { store }: Store,
  { metadata }: Table,
  snapshots: readonly Snapshot[],
): Promise<Map<string, ListedManifest>> {
  const manifests = new Map<string, ListedManifest>();
  for (const { 'manifest-list': location } of snapshots) {
    const listed = decodeManifestList(metadata, await store.read(location), location);
    for (const manifest of listed) manifests.set(manifest.location, manifest);
  }
  return manifests;
}

/** Of these files, those that are live in none of the manifests. */
export async function withoutLive(
  ports: Store,
  table: Table,
  { files, manifests }: { files: readonly DataFile[]; manifests: Iterable<ListedManifest> },
): Promise<DataFile[]> {
  const left = new Map(files.map((file) => [asWeSpellIt(file.location), file]));
  for (const manifest of manifests) {
    if (!mayHold(manifest, [...left.values()])) continue;
    for (const { file } of await liveEntries(ports, table, manifest)) left.delete(asWeSpellIt(file.location));
  }
  return [...left.values()];
}

const READ_AT_ONCE = 8;

/**
 * Manifests that something other than the table's metadata refers to, and their files, as we spell them. One that is not
 * there any more keeps nothing: nobody can use it.
 */
export async function keptBy(
  { store }: Store,
  { metadata }: Table,
  locations: readonly string[],
): Promise<Set<string>> {
  const kept = new Set<string>();
  const inherited = { snapshotId: undefined, sequenceNumber: undefined };
  await eachBounded(locations, READ_AT_ONCE, async (location) => {
    const bytes = await store.read(location).catch(notThere);
    if (bytes === undefined) return;
    kept.add(asWeSpellIt(location));
    for (const { file } of decodeManifest(metadata, bytes, { location, inherited }).entries)
      kept.add(asWeSpellIt(file.location));
  });
  return kept;
}

function notThere(error: unknown): undefined {
  if (error instanceof Failure && error.code === 'object_store.not_found') return undefined;
  throw error;
}
