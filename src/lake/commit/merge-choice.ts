/**
 * Which manifests are written anew together. Small ones, because there are too many of them; and full ones that lie over
 * each other: a commit brings late files for old days beside those of today, so that its manifest spans all days in
 * between, and a question about any of them has to open it. Of eight that lie over one point and are sorted together,
 * one or two do. A new one goes through that about once.
 */
import { compareBounds } from '../table/compare.ts';
import type { Bound } from '../table/data-file.ts';
import type { ListedManifest } from '../table/manifest-list.ts';

/** Full manifests over one value of the first partition field from which on they are sorted together. */
export const OVERLAPPING_MOST = 8;
/** Full manifests' worth of entries that are sorted together at most: memory, whatever came together. */
const TOGETHER_MOST = 10;

type Counted = Pick<ListedManifest, 'addedFiles' | 'existingFiles' | 'partitions' | 'specId'>;

const filesOf = (manifest: Counted): number => manifest.addedFiles + manifest.existingFiles;

/** Each group is of one spec, and is sorted and written for itself. */
export function toRewrite<M extends Counted>(manifests: readonly M[], manifestFiles: number): M[][] {
  const groups: M[][] = [];
  for (const some of Map.groupBy(manifests, ({ specId }) => specId).values()) {
    const small = some.filter((manifest) => filesOf(manifest) < manifestFiles);
    const full = some.filter((manifest) => filesOf(manifest) >= manifestFiles);
    const most = TOGETHER_MOST * manifestFiles;
    for (const group of portions(small.sort(byLower), most))
      if (Math.ceil(filesIn(group) / manifestFiles) < group.length) groups.push(group);
    const deepest = overlapping(full);
    if (deepest.length >= OVERLAPPING_MOST) groups.push(...portions(deepest, most).slice(0, 1));
  }
  return groups;
}

const filesIn = (manifests: readonly Counted[]) =>
  manifests.reduce((sum, manifest) => sum + filesOf(manifest), 0);

function portions<M extends Counted>(manifests: readonly M[], most: number): M[][] {
  const all: M[][] = [];
  let files = Number.POSITIVE_INFINITY;
  for (const manifest of manifests) {
    files += filesOf(manifest);
    if (files > most) {
      all.push([]);
      files = filesOf(manifest);
    }
    all.at(-1)!.push(manifest);
  }
  return all;
}

/** Those over the value that most lie over. One of a single value is as narrow as it can be, and does not count. */
function overlapping<M extends Counted>(manifests: readonly M[]): M[] {
  const wide = manifests.filter((manifest) => {
    const range = rangeOf(manifest);
    return range !== undefined && isBelow(range.lower, range.upper);
  });
  let active: M[] = [];
  let deepest: M[] = [];
  for (const manifest of wide.sort(byLower)) {
    const { lower } = rangeOf(manifest)!;
    active = active.filter((each) => !isBelow(rangeOf(each)!.upper, lower));
    active.push(manifest);
    if (active.length > deepest.length) deepest = [...active];
  }
  return deepest;
}

/** Of the first partition field, by which entries are sorted first. */
function rangeOf({ partitions }: Counted): { lower: Bound; upper: Bound } | undefined {
  const { lower, upper } = partitions[0] ?? {};
  return lower === undefined || upper === undefined ? undefined : { lower, upper };
}

const isBelow = (a: Bound, b: Bound): boolean => (compareBounds(a, b) ?? 0) < 0;

function byLower(a: Counted, b: Counted): number {
  const [left, right] = [rangeOf(a)?.lower, rangeOf(b)?.lower];
  if (left === undefined || right === undefined)
    return Number(left !== undefined) - Number(right !== undefined);
  return compareBounds(left, right) ?? 0;
}
