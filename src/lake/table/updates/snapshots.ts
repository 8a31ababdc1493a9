/** Snapshots and the branches and tags that name them. The log tells which snapshot main was at, and when. */
import type { Snapshot, SnapshotRef } from '../metadata.ts';
import { badUpdate, changed, type Draft, staleUpdate } from './draft.ts';
import { withoutStatistics } from './statistics.ts';

export function addSnapshot(draft: Draft, snapshot: Snapshot): Draft {
  const { metadata, addedSnapshots } = draft;
  const { 'snapshot-id': id, 'sequence-number': number } = snapshot;
  const last = metadata['last-sequence-number'];
  if (metadata.snapshots.some((other) => other['snapshot-id'] === id))
    throw badUpdate(`Snapshot already exists for id: ${id}`);
  const isFirst = snapshot['parent-snapshot-id'] === undefined;
  if (metadata['format-version'] > 1 && number <= last && !isFirst)
    throw staleUpdate(
      `Cannot add snapshot with sequence number ${number} older than last sequence number ${last}`,
    );
  return changed(
    { ...draft, addedSnapshots: new Set([...addedSnapshots, id]) },
    {
      'last-sequence-number': Math.max(last, number),
      snapshots: [...metadata.snapshots, snapshot],
      ...(metadata['format-version'] >= 3 && rowIds(metadata['next-row-id'] ?? 0, snapshot)),
    },
  );
}

/** Version 3 numbers every row: a snapshot says which number its first one has. */
function rowIds(next: number, snapshot: Snapshot): { 'next-row-id': number } {
  const { 'first-row-id': first, 'added-rows': added = 0 } = snapshot;
  if (first === undefined) throw badUpdate('Cannot add a snapshot: first-row-id is null');
  if (first < next)
    throw staleUpdate(`Cannot add a snapshot, first-row-id is behind table next-row-id: ${first} < ${next}`);
  return { 'next-row-id': next + added };
}

/** The ref is as the update says, whole: what it says nothing of (how long to keep what) is no longer set. */
export function setRef(draft: Draft, name: string, ref: SnapshotRef): Draft {
  const { metadata } = draft;
  const id = ref['snapshot-id'];
  const snapshot = metadata.snapshots.find((each) => each['snapshot-id'] === id);
  if (snapshot === undefined) throw badUpdate(`Cannot set ${name} to unknown snapshot: ${id}`);
  if (name === 'main' && ref.type !== 'branch')
    throw badUpdate('Cannot set main to a tag, it must be a branch');
  const next = changed(draft, { refs: { ...metadata.refs, [name]: ref } });
  if (name !== 'main' || metadata['current-snapshot-id'] === id) return next;

  const log = metadata['snapshot-log'];
  const since_ms = draft.addedSnapshots.has(id) ? snapshot['timestamp-ms'] : draft.updated_ms;
  const entry = {
    // A writer whose clock is behind: readers refuse a log whose times go back.
    'timestamp-ms': Math.max(since_ms, log.at(-1)?.['timestamp-ms'] ?? 0),
    'snapshot-id': id,
  };
  return changed(next, { 'current-snapshot-id': id, 'snapshot-log': [...log, entry] });
}

export function removeRef(draft: Draft, name: string): Draft {
  const { metadata } = draft;
  if (metadata.refs[name] === undefined) return draft;
  const { [name]: _, ...refs } = metadata.refs;
  return changed(draft, { refs, ...(name === 'main' && { 'current-snapshot-id': null }) });
}

/** A log with a gap would tell a wrong history: what comes before a removed snapshot's entry goes with it. */
export function removeSnapshots(draft: Draft, ids: readonly bigint[]): Draft {
  const { metadata } = draft;
  const removed = new Set(ids);
  const snapshots = metadata.snapshots.filter((snapshot) => !removed.has(snapshot['snapshot-id']));
  if (snapshots.length === metadata.snapshots.length) return draft;
  const log = metadata['snapshot-log'];
  const gap = log.findLastIndex((entry) => removed.has(entry['snapshot-id']));
  const dangling = Object.entries(metadata.refs).filter(([, ref]) => removed.has(ref['snapshot-id']));
  const next = changed(draft, {
    snapshots,
    'snapshot-log': log.slice(gap + 1),
    ...withoutStatistics(metadata, removed),
  });
  return dangling.reduce((each, [name]) => removeRef(each, name), next);
}

/** A change can pass through several snapshots; that main was at those in between, nobody ever saw. */
export function forgetIntermediate(draft: Draft): Draft {
  const { metadata, addedSnapshots } = draft;
  const current = metadata['current-snapshot-id'];
  const log = metadata['snapshot-log'].filter(
    ({ 'snapshot-id': id }) => id === current || !addedSnapshots.has(id),
  );
  return log.length === metadata['snapshot-log'].length ? draft : changed(draft, { 'snapshot-log': log });
}
