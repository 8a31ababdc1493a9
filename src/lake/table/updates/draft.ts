/** A table's metadata while the updates of one change are applied to it, one after the other. */
import { Failure } from '../../../base/base.ts';
import type { TableMetadata } from '../metadata.ts';

export interface Draft {
  metadata: TableMetadata;
  /** What an update of this change added last: an id of -1 in a later one means it. */
  lastAdded: { schema?: number; spec?: number; order?: number };
  /** Snapshots that this change added. */
  addedSnapshots: ReadonlySet<bigint>;
  /** When the change is made. */
  updated_ms: number;
}

export function changed(draft: Draft, metadata: Partial<TableMetadata>): Draft {
  return { ...draft, metadata: { ...draft.metadata, ...metadata } };
}

/** The id that an update names, where -1 stands for what was added last. */
export function named(
  id: number,
  { lastAdded, what }: { lastAdded: number | undefined; what: string },
): number {
  if (id !== -1) return id;
  if (lastAdded === undefined) throw badUpdate(`-1 names the last ${what} that was added, and none was`);
  return lastAdded;
}

/** The highest id in use plus one, from `first` on. */
export function nextId(used: readonly number[], first: number): number {
  return used.reduce((next, id) => Math.max(next, id + 1), first);
}

/** The update makes no sense on any table like this one; asking again would not help. */
export function badUpdate(why: string): Failure {
  return new Failure('cannot apply an update to the table', { code: 'lake.bad_update', fault: 'user', why });
}

/** The update was made for an older version of the table; made anew on the current one it may be right. */
export function staleUpdate(why: string): Failure {
  return new Failure('cannot apply an update to the table', {
    code: 'lake.stale_update',
    fault: 'user',
    retry: 'refresh',
    why,
  });
}
