/**
 * Which files of a partition are rewritten together. Files are of one tier when their rows have the same number of
 * digits to the base `minFiles`; a tier that has `minFiles` files becomes one file of a higher tier. So a partition
 * has fewer than `minFiles` small files a tier, and a row is rewritten once a tier: O(log n) times. Tiers count rows,
 * which a rewrite keeps; bytes shrink in a way that nobody can foretell.
 */
export interface SizedFile {
  recordCount: number;
  fileSize: number;
}

export interface TierRules {
  target_bytes: number;
  /** At least 2. */
  minFiles: number;
  /** Files in one group at most. */
  groupMost: number;
}

export interface Group<File> {
  files: File[];
  why: 'many small files' | 'settled';
}

/** A file that has this share of the target is never rewritten for its size. */
const LARGE_SHARE = 0.75;

/** A settled file is rewritten for others that hold at least a quarter of its rows: else for every late event. */
const SETTLED_RATIO = 4;

/** `settled`: nothing came to the partition lately, so that what its tiers left is brought together as well. */
export function planPartition<File extends SizedFile>(
  files: readonly File[],
  { settled, ...rules }: TierRules & { settled: boolean },
): Group<File>[] {
  const small = files
    .filter((file) => file.fileSize < rules.target_bytes * LARGE_SHARE)
    .toSorted((a, b) => a.recordCount - b.recordCount);
  const groups = byTiers(small, rules).map(
    (group): Group<File> => ({
      files: group,
      why: 'many small files',
    }),
  );
  if (groups.length > 0 || !settled) return groups;
  return settledGroups(small, rules).map((group) => ({ files: group, why: 'settled' }));
}

/** From the smallest tier up; what a tier becomes counts as one file of the next, so that it is written only once. */
function byTiers<File extends SizedFile>(small: readonly File[], rules: TierRules): File[][] {
  const tiers = Map.groupBy(small, (file) => tierOf(file.recordCount, rules.minFiles));
  const groups: File[][] = [];
  let rising: File[] = [];
  const highest = Math.max(-1, ...tiers.keys());
  for (let tier = 0; tier <= highest; tier++) {
    const members = tiers.get(tier) ?? [];
    if (members.length + Math.min(rising.length, 1) < rules.minFiles) {
      if (rising.length > 0) groups.push(rising);
      rising = [];
      continue;
    }
    const { full, rest } = fill([...rising, ...members], rules);
    groups.push(...full);
    rising = rest.length >= rules.minFiles ? rest : [];
  }
  if (rising.length > 0) groups.push(rising);
  return groups;
}

/** The smallest files up to the largest one that is not too large for what the others bring. */
function settledGroups<File extends SizedFile>(small: readonly File[], rules: TierRules): File[][] {
  let rows = 0;
  let count = 0;
  for (const [i, file] of small.entries()) {
    if (i > 0 && file.recordCount <= SETTLED_RATIO * rows) count = i + 1;
    rows += file.recordCount;
  }
  const { full, rest } = fill(small.slice(0, count), rules);
  return [...full, ...(rest.length > 1 ? [rest] : [])];
}

/** Groups that reach the target, or the bound on files; and those that are left over. */
function fill<File extends SizedFile>(
  files: readonly File[],
  { target_bytes, groupMost }: TierRules,
): { full: File[][]; rest: File[] } {
  const full: File[][] = [];
  let rest: File[] = [];
  let bytes = 0;
  for (const file of files) {
    rest.push(file);
    bytes += file.fileSize;
    if (rest.length < 2 || (bytes < target_bytes && rest.length < groupMost)) continue;
    full.push(rest);
    rest = [];
    bytes = 0;
  }
  return { full, rest };
}

/** Digits to the base, less one; counted with whole numbers, because logarithms of exact powers are not exact. */
function tierOf(rows: number, base: number): number {
  let tier = 0;
  for (let bound = base; bound <= rows; bound *= base) tier++;
  return tier;
}
