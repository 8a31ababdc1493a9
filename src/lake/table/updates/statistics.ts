/** Files of statistics, at most one of each kind a snapshot. */
import type { StatisticsFile, TableMetadata } from '../metadata.ts';
import { changed, type Draft } from './draft.ts';

export type Kind = 'statistics' | 'partition-statistics';

export function setStatistics(draft: Draft, kind: Kind, file: StatisticsFile): Draft {
  const others = without(draft.metadata[kind] ?? [], new Set([BigInt(file['snapshot-id'])]));
  return changed(draft, { [kind]: [...others, file] });
}

export function removeStatistics(draft: Draft, kind: Kind, snapshotId: bigint): Draft {
  const files = draft.metadata[kind] ?? [];
  const kept = without(files, new Set([snapshotId]));
  return kept.length === files.length ? draft : changed(draft, { [kind]: kept });
}

/** Those of snapshots that are gone go with them. */
export function withoutStatistics(
  metadata: TableMetadata,
  snapshots: ReadonlySet<bigint>,
): Partial<Pick<TableMetadata, Kind>> {
  const { statistics, 'partition-statistics': ofPartitions } = metadata;
  return {
    ...(statistics && { statistics: without(statistics, snapshots) }),
    ...(ofPartitions && { 'partition-statistics': without(ofPartitions, snapshots) }),
  };
}

/** Where they lie. */
export function statisticsPaths(metadata: TableMetadata): string[] {
  const files = [...(metadata.statistics ?? []), ...(metadata['partition-statistics'] ?? [])];
  return files.flatMap((file) => {
    const { 'statistics-path': path } = file as { 'statistics-path'?: unknown };
    return typeof path === 'string' ? [path] : [];
  });
}

function without(files: readonly StatisticsFile[], snapshots: ReadonlySet<bigint>): StatisticsFile[] {
  return files.filter((file) => !snapshots.has(BigInt(file['snapshot-id'])));
}
