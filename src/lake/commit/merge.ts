/**
 * Fewer manifests for the same files, and such that a question has to open few of them: entries keep snapshot and
 * sequence numbers, so no consumer reads them again. The new manifests hold existing entries only, which makes them good
 * for any base that still lists the old ones.
 */
import type { Table } from '../lake.ts';
import type { Manifest } from '../table/data-file.ts';
import type { Entry } from '../table/manifest.ts';
import type { ListedManifest } from '../table/manifest-list.ts';
import type { MergedManifests } from './change.ts';
import { toRewrite } from './merge-choice.ts';
import type { CommitPorts } from './ports.ts';
import { comparePartitions } from './prepare.ts';
import { liveEntries } from './remove.ts';
import { baseContents } from './totals.ts';
import { writeManifests } from './write-manifests.ts';

/** Undefined when there is nothing to gain. */
export async function mergeManifests(ports: CommitPorts, table: Table): Promise<MergedManifests | undefined> {
  const { manifests } = await baseContents(ports, table);
  const ours = manifests.filter(
    ({ content, keyMetadata }) => content === 'data' && keyMetadata === undefined,
  );
  const from: string[] = [];
  const to: Manifest[] = [];
  for (const group of toRewrite(ours, ports.manifestFiles)) {
    for (const { location } of group) from.push(location);
    for (const manifest of await writtenAnew(ports, table, group)) to.push(manifest);
  }
  return from.length > 0 ? { from, to } : undefined;
}

async function writtenAnew(
  ports: CommitPorts,
  table: Table,
  group: readonly ListedManifest[],
): Promise<Manifest[]> {
  const entries: Entry[] = [];
  for (const manifest of group)
    for (const { file } of await liveEntries(ports, table, manifest))
      entries.push({ status: 'existing', file });
  entries.sort((a, b) => comparePartitions(a.file.partition, b.file.partition));
  return writeManifests(ports, table, { specId: group[0]!.specId, entries });
}
