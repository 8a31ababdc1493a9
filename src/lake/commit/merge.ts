/**
 * Fewer manifests for the same files: entries keep snapshot and sequence numbers, so no consumer reads them again. The
 * new manifests hold existing entries only, which makes them good for any base that still lists the old ones.
 */
import type { Table } from '../lake.ts';
import type { Manifest } from '../table/data-file.ts';
import { freshSync, freshUuid } from '../table/fresh-ids.ts';
import { manifestLocation } from '../table/locations.ts';
import { describeManifest, type Entry, encodeManifest } from '../table/manifest.ts';
import type { ListedManifest } from '../table/manifest-list.ts';
import type { MergedManifests } from './change.ts';
import { writeNew } from './new-file.ts';
import type { CommitPorts } from './ports.ts';
import { comparePartitions } from './prepare.ts';
import { liveEntries } from './remove.ts';
import { baseContents } from './totals.ts';

/** Undefined when no two manifests of one spec have room in one. Full ones stay as they are. */
export async function mergeManifests(ports: CommitPorts, table: Table): Promise<MergedManifests | undefined> {
  const { manifests } = await baseContents(ports, table);
  const room = (manifest: ListedManifest) =>
    manifest.content === 'data' &&
    manifest.keyMetadata === undefined &&
    manifest.addedFiles + manifest.existingFiles < ports.manifestFiles;
  const from: string[] = [];
  const to: Manifest[] = [];
  for (const [specId, some] of Map.groupBy(manifests.filter(room), (manifest) => manifest.specId)) {
    if (some.length < 2) continue;
    const entries: Entry[] = [];
    for (const manifest of some) {
      from.push(manifest.location);
      for (const { file } of await liveEntries(ports, table, manifest))
        entries.push({ status: 'existing', file });
    }
    entries.sort((a, b) => comparePartitions(a.file.partition, b.file.partition));
    to.push(...(await writeEntries(ports, table, { specId, entries })));
  }
  return from.length > to.length ? { from, to } : undefined;
}

async function writeEntries(
  ports: CommitPorts,
  table: Table,
  { specId, entries }: { specId: number; entries: readonly Entry[] },
): Promise<Manifest[]> {
  const { store, random, clock, manifestFiles } = ports;
  const uuid = freshUuid({ now_ms: clock.now(), random });
  const written: Manifest[] = [];
  for (let first = 0; first < entries.length; first += manifestFiles) {
    const some = entries.slice(first, first + manifestFiles);
    const bytes = await encodeManifest(table.metadata, { specId, entries: some, sync: freshSync(random) });
    const location = manifestLocation(table.metadata.location, { uuid, number: written.length });
    await writeNew(store, location, bytes);
    written.push(describeManifest(table.metadata, some, { location, length: bytes.length, specId }));
  }
  return written;
}
