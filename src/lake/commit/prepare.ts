/**
 * The first step of a commit, done once: manifests for data files that are durable already. They name neither
 * snapshot nor sequence number, so that every attempt, and another table's adoption, can use them as they are.
 */
import { Failure } from '../../base/base.ts';
import type { Table } from '../lake.ts';
import { compareBounds } from '../table/compare.ts';
import type { DataFile, Manifest, PartitionValue } from '../table/data-file.ts';
import { decodeManifest, describeManifest } from '../table/manifest.ts';
import { currentSchema, partitionSpec } from '../table/metadata.ts';
import type { CommitPorts } from './ports.ts';
import { writeManifests } from './write-manifests.ts';

export async function prepareManifests(
  ports: CommitPorts,
  table: Table,
  files: readonly DataFile[],
): Promise<Manifest[]> {
  checkFiles(table, files);
  const manifests: Manifest[] = [];
  for (const [specId, ofSpec] of Map.groupBy(files, (file) => file.specId)) {
    // Neighbouring partitions share a manifest, so that its summary is narrow and a filter can leave it closed.
    const sorted = ofSpec.toSorted((a, b) => comparePartitions(a.partition, b.partition));
    const entries = sorted.map((file) => ({ status: 'added' as const, file }));
    manifests.push(...(await writeManifests(ports, table, { specId, entries })));
  }
  return manifests;
}

export async function readPrepared(
  { store }: CommitPorts,
  table: Table,
  location: string,
): Promise<{ manifest: Manifest; files: DataFile[] }> {
  const bytes = await store.read(location);
  const inherited = { snapshotId: undefined, sequenceNumber: undefined };
  const { specId, entries } = decodeManifest(table.metadata, bytes, { location, inherited });
  const bound = entries.find(({ status, file }) => status !== 'added' || file.snapshotId !== undefined);
  if (bound !== undefined) {
    throw new Failure(`cannot adopt the manifest ${location}`, {
      code: 'lake.manifest_not_adoptable',
      fault: 'ourselves',
      why: `its entry for ${bound.file.location} belongs to a snapshot already`,
      hint: 'only manifests that prepare wrote can be adopted',
    });
  }
  return {
    manifest: describeManifest(table.metadata, entries, { location, length: bytes.length, specId }),
    files: entries.map((entry) => entry.file),
  };
}

/** What a reader would trip over later is refused here, where the file that is wrong can still be named. */
function checkFiles(table: Table, files: readonly DataFile[]): void {
  const required = currentSchema(table.metadata).fields.filter((field) => field.required);
  const locations = new Set<string>();
  for (const file of files) {
    const fields = partitionSpec(table.metadata, file.specId).fields.length;
    const empty = required.find((field) => (file.nullValueCounts.get(field.id) ?? 0) > 0);
    const why = locations.has(file.location)
      ? 'it is given twice'
      : file.partition.length !== fields
        ? `it has ${file.partition.length} partition values where its spec has ${fields} fields`
        : empty !== undefined
          ? `the required column ${empty.name} has ${file.nullValueCounts.get(empty.id)} nulls`
          : file.recordCount < 1
            ? 'it has no rows'
            : undefined;
    if (why !== undefined) {
      throw new Failure(`cannot add ${file.location} to ${table.name}`, {
        code: 'lake.bad_data_file',
        fault: 'ourselves',
        why,
      });
    }
    locations.add(file.location);
  }
}

export function comparePartitions(a: readonly PartitionValue[], b: readonly PartitionValue[]): number {
  for (const [at, left] of a.entries()) {
    const right = b[at] ?? null;
    const order =
      left === null || right === null
        ? Number(left !== null) - Number(right !== null)
        : (compareBounds(left, right) ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}
