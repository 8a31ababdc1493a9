/**
 * What a consumer of a table reads next: the live files of its current snapshot whose data sequence number is above
 * that of the newest common ancestor of it and the consumed snapshot; all of them when no common ancestor can be shown
 * or the table is another one. A rollback, restore, compaction or expiry of the table can make a consumer read a row
 * twice, never miss one.
 */
import {
  ancestors,
  type DataFile,
  type FileFilter,
  type Lake,
  type Snapshot,
  type Table,
} from '../lake/lake.ts';
import { readUpTo } from './read-up-to.ts';
import type { Consumed } from './state.ts';

export interface Portion {
  files: DataFile[];
  to: Consumed;
  /** The table held more than one portion takes. */
  more: boolean;
}

export interface Reading {
  table: Table;
  consumed: Consumed | undefined;
  /** Rows taken at once, as far as whole snapshots allow. */
  maxRows: number;
  /** Files that can hold no such row are left out. */
  where?: readonly FileFilter[];
}

/** Undefined when the table holds nothing new. A portion ends at a snapshot, so that `consumed` can name it. */
export async function nextPortion(
  lake: Lake,
  { table, consumed, maxRows, where = [] }: Reading,
): Promise<Portion | undefined> {
  const current = table.metadata['current-snapshot-id'];
  if (current === undefined || current === null) return undefined;
  const line = ancestors(table.metadata, current).snapshots;
  const { files } = await lake.files(table, { afterSequenceNumber: readUpTo(table, consumed), where });
  if (files.length === 0) return undefined;

  const end = portionEnd(files, { line, maxRows });
  const taken = files.filter((file) => file.sequenceNumber! <= end['sequence-number']);
  return {
    files: taken,
    more: taken.length < files.length,
    to: {
      uuid: table.metadata['table-uuid'],
      snapshot: end['snapshot-id'],
      sequenceNumber: end['sequence-number'],
    },
  };
}

/** The last snapshot on the line whose files, with those of all before it, stay within maxRows; at least one. */
function portionEnd(
  files: readonly DataFile[],
  { line, maxRows }: { line: readonly Snapshot[]; maxRows: number },
): Snapshot {
  const oldestFirst = line.toReversed();
  const enough = (end: Snapshot | undefined) => end ?? line[0]!;
  let end: Snapshot | undefined;
  let rows = 0;
  let next = 0;
  for (const snapshot of oldestFirst) {
    let brought = 0;
    while (next < files.length && files[next]!.sequenceNumber! <= snapshot['sequence-number']) {
      brought += files[next++]!.recordCount;
    }
    if (rows > 0 && rows + brought > maxRows) return enough(end);
    rows += brought;
    end = snapshot;
  }
  return enough(end);
}
