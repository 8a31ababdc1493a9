/**
 * Files of raw cut into slices that can be written side by side: all files of a partition are in one slice, so that it
 * stays one file, and a slice reads no file of another.
 */
import type { PartitionValue } from '../../lake/lake.ts';
import type { PlacedFile } from './raw-rows.ts';

export interface Slice {
  files: readonly PlacedFile[];
  rows: number;
  /** The partitions that its files say; undefined when some do not, or not in a way that SQL can say. */
  partitions: readonly (readonly PartitionValue[])[] | undefined;
}

interface Limits {
  /** Slices that are written at once. */
  lanes: number;
  /** Partitions in one slice at most. */
  partitions: number;
}

/** What a file costs beside its rows, in rows: about 2 ms for it and its partition, 1.8 µs a row. */
const ROWS_A_FILE = 1_000;

/** Less work than this, in rows, is not worth a second connection. */
const LEAST_COST = 20_000;

/** The costliest first, as evenly as whole partitions allow. Files without a known partition are one slice. */
export function slicesOf(files: readonly PlacedFile[], limits: Limits): Slice[] {
  const { known = [], unknown } = Object.groupBy(files, (file) => (isKnown(file) ? 'known' : 'unknown'));
  const byPartition = Map.groupBy(known, keyOf);
  const slices = spread([...byPartition.values()], limits).map(
    (groups): Slice => ({
      files: groups.flat(),
      rows: rowsIn(groups.flat()),
      partitions: groups.map(([file]) => file!.partition!),
    }),
  );
  if (unknown !== undefined) slices.push({ files: unknown, rows: rowsIn(unknown), partitions: undefined });
  return slices.toSorted((a, b) => cost(b.files) - cost(a.files));
}

/** The text of a statement ends at a NUL. */
export const isKnown = ({ partition }: PlacedFile) =>
  partition?.every((value) => !String(value).includes('\0')) ?? false;

export const keyOf = ({ partition }: PlacedFile) =>
  JSON.stringify(partition?.map((value) => [typeof value, String(value)]));

function spread(groups: readonly PlacedFile[][], { lanes, partitions }: Limits): PlacedFile[][][] {
  const wanted = cost(groups.flat()) < LEAST_COST ? 1 : lanes;
  // In whole rounds of the lanes, so that none idles through the last.
  const rounds = Math.ceil(groups.length / (partitions * wanted));
  const count = Math.min(rounds * wanted, groups.length);
  const slices = Array.from({ length: count }, () => ({ groups: [] as PlacedFile[][], cost: 0 }));
  for (const group of groups.toSorted((a, b) => cost(b) - cost(a))) {
    let least: (typeof slices)[number] | undefined;
    for (const slice of slices) {
      if (slice.groups.length === partitions) continue;
      if (least === undefined || slice.cost < least.cost) least = slice;
    }
    least!.groups.push(group);
    least!.cost += cost(group);
  }
  return slices.map((slice) => slice.groups);
}

const rowsIn = (files: readonly PlacedFile[]) => files.reduce((sum, { rows }) => sum + rows, 0);
const cost = (files: readonly PlacedFile[]) => rowsIn(files) + files.length * ROWS_A_FILE;
