import type { Table } from '../lake.ts';
import type { Manifest } from '../table/data-file.ts';
import { freshSync, freshUuid } from '../table/fresh-ids.ts';
import { manifestLocation } from '../table/locations.ts';
import { describeManifest, type Entry, encodeManifest } from '../table/manifest.ts';
import { writeNew } from './new-file.ts';
import type { CommitPorts } from './ports.ts';

/** Entries of one spec in their order, in as few manifests as the bound on their files allows. Durable on return. */
export async function writeManifests(
  { store, random, clock, manifestFiles }: Pick<CommitPorts, 'store' | 'random' | 'clock' | 'manifestFiles'>,
  { metadata }: Table,
  { specId, entries }: { specId: number; entries: readonly Entry[] },
): Promise<Manifest[]> {
  const uuid = freshUuid({ now_ms: clock.now(), random });
  const written: Manifest[] = [];
  for (let first = 0; first < entries.length; first += manifestFiles) {
    const some = entries.slice(first, first + manifestFiles);
    const bytes = await encodeManifest(metadata, { specId, entries: some, sync: freshSync(random) });
    const location = manifestLocation(metadata.location, { uuid, number: written.length });
    await writeNew(store, location, bytes);
    written.push(describeManifest(metadata, some, { location, length: bytes.length, specId }));
  }
  return written;
}
