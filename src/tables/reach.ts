/**
 * Whether the line of a table's current snapshot leads back to one that was expired. Programs that expire snapshots may
 * do so after a rollback and commits of their own: then the oldest snapshot that is left looks as it would on the line
 * of the expired one. Only parents tell, those of forgotten snapshots too; where they are not known, nothing is guessed.
 */
import type { Ancestry, Snapshot, Table } from '../lake/lake.ts';

export interface Stamp {
  snapshot: bigint;
  sequenceNumber: number;
}

export type Reach = 'reached' | 'rolled back' | 'never' | 'unknown';

export function reachOf(
  { forgotten }: Pick<Table, 'forgotten'>,
  { line, stamp }: { line: Ancestry; stamp: Stamp },
): Reach {
  const parentOf = (snapshot: Snapshot) =>
    // pyiceberg takes the id of a parent that it expires out of the child.
    snapshot['parent-snapshot-id'] ?? forgotten?.get(snapshot['snapshot-id'])?.['parent-snapshot-id'];
  for (const snapshot of line.snapshots) {
    if (snapshot['sequence-number'] < stamp.sequenceNumber) return 'rolled back';
    if (snapshot['parent-snapshot-id'] === stamp.snapshot) return 'reached';
  }
  if (!line.broken) return 'never';
  let at = line.snapshots.at(-1);
  while (at !== undefined) {
    const parent = parentOf(at);
    if (parent === undefined) return 'unknown';
    if (parent === stamp.snapshot) return 'reached';
    // Numbers are given once: below the first one after the stamp's there is the stamp, or what is older.
    if (at['sequence-number'] <= stamp.sequenceNumber + 1) return 'rolled back';
    at = forgotten?.get(parent);
  }
  return 'unknown';
}
