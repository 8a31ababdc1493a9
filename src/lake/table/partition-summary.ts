import { compareBounds } from './compare.ts';
import type { Bound, DataFile, PartitionSummary } from './data-file.ts';

/** What the files hold in each partition field. */
export function summarisePartitions(files: readonly DataFile[], fieldCount: number): PartitionSummary[] {
  return Array.from({ length: fieldCount }, (_, at) => summarise(files, at));
}

function summarise(files: readonly DataFile[], at: number): PartitionSummary {
  let containsNull = false;
  let containsNan = false;
  let lower: Bound | undefined;
  let upper: Bound | undefined;
  for (const { partition } of files) {
    const value = partition[at] ?? null;
    if (value === null) containsNull = true;
    else if (Number.isNaN(value)) containsNan = true;
    else {
      if (lower === undefined || compareBounds(value, lower)! < 0) lower = value;
      if (upper === undefined || compareBounds(value, upper)! > 0) upper = value;
    }
  }
  return {
    containsNull,
    containsNan,
    ...(lower === undefined ? {} : { lower }),
    ...(upper === undefined ? {} : { upper }),
  };
}
