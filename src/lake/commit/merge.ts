/**
 * Fewer manifests for the same files: entries keep snapshot and sequence numbers, so no consumer reads them again. The
 * new manifests hold existing entries only, which makes them good for any base that still lists the old ones.
 */
import type { Table } from '../lake.ts';
import type { Manifest } from '../table/data-file.ts';
import type { Entry } from '../table/manifest.ts';
import type { ListedManifest } from '../table/manifest-list.ts';
import type { MergedManifests } from './change.ts';
import type { CommitPorts } from './ports.ts';
import { comparePartitions } from './prepare.ts';
import { liveEntries } from './remove.ts';
import { baseContents } from './totals.ts';
import { writeManifests } from './write-manifests.ts';

/** Undefined when the files of no spec fit into fewer manifests. Full ones stay as they are. */
export async function mergeManifests(ports: CommitPorts, table: Table): Promise<MergedManifests | undefined> {
  const { manifests } = await baseContents(ports, table);
  const room = (manifest: ListedManifest) =>
    manifest.content === 'data' &&
    manifest.keyMetadata === undefined &&
    manifest.addedFiles + manifest.existingFiles < ports.manifestFiles;
  const from: string[] = [];
  const to: Manifest[] = [];
  for (const [specId, some] of Map.groupBy(manifests.filter(room), (manifest) => manifest.specId)) {
    const files = some.reduce((sum, manifest) => sum + manifest.addedFiles + manifest.existingFiles, 0);
    if (Math.ceil(files / ports.manifestFiles) >= some.length) continue;
    const entries: Entry[] = [];
    for (const manifest of some) {
      from.push(manifest.location);
      for (const { file } of await liveEntries(ports, table, manifest))
        entries.push({ status: 'existing', file });
    }
    entries.sort((a, b) => comparePartitions(a.file.partition, b.file.partition));
    to.push(...(await writeManifests(ports, table, { specId, entries })));
  }
  return from.length > 0 ? { from, to } : undefined;
}
