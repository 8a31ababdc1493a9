import { compareBounds } from './compare.ts';
import type { DataFile, Manifest, PartitionSummary, PartitionValue } from './data-file.ts';

/** Whether a manifest can hold one of these files, by its partition summaries; only "no" is sure. */
export function mayHold(manifest: Manifest, files: readonly DataFile[]): boolean {
  const live = manifest.addedFiles + manifest.existingFiles > 0;
  return live && files.some((file) => file.specId === manifest.specId && inSummaries(manifest, file));
}

const inSummaries = ({ partitions }: Manifest, { partition }: DataFile): boolean =>
  partition.every((value, at) => inSummary(partitions[at], value));

function inSummary(summary: PartitionSummary | undefined, value: PartitionValue): boolean {
  if (summary === undefined) return true;
  if (value === null) return summary.containsNull;
  if (Number.isNaN(value)) return summary.containsNan !== false;
  const { lower, upper } = summary;
  if (lower === undefined || upper === undefined) return false;
  return (compareBounds(lower, value) ?? 0) <= 0 && (compareBounds(value, upper) ?? 0) <= 0;
}
