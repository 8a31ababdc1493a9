/**
 * Which days a transform has to compute anew. Days of files that came since it last read, as long as the source's
 * history since then only added rows, or says itself which days it replaced. Where that cannot be shown (a rollback, a
 * deletion, an expired snapshot), every day is: unknown is not unchanged.
 */
import { ancestors, type DataFile, type Lake, type Snapshot, type Table } from '../lake/lake.ts';
import type { Consumed } from '../tables/tables.ts';
import { daysIn } from './days.ts';
import { runRecord } from './record.ts';
import { daysOfFile, filesIn, type OpenSource, planViews } from './sources.ts';

/** Days of one file beyond this are not told one by one. */
const FILE_DAYS_MAX = 1_000;

export type TouchedDays = ReadonlySet<number> | 'all';

export async function touchedDays(
  lake: Lake,
  source: OpenSource,
  consumed: Consumed | undefined,
): Promise<TouchedDays> {
  const { table } = source;
  if (table === undefined) return new Set();
  const since = snapshotsSince(table, consumed);
  if (since === undefined) return 'all';
  const replaced = daysReplaced(since);
  if (replaced === 'all') return 'all';
  const files = filesIn(await planViews(lake, source, { afterSequenceNumber: consumed!.sequenceNumber }));
  return daysOfFiles(source, files, replaced);
}

/** Every day of which the source holds something that was asked for. */
export async function heldDays(lake: Lake, source: OpenSource): Promise<TouchedDays> {
  return daysOfFiles(source, filesIn(await planViews(lake, source)), []);
}

/** Newest first; undefined when the consumed snapshot is not on the line of the current one. */
export function snapshotsSince(table: Table, consumed: Consumed | undefined): Snapshot[] | undefined {
  const { metadata } = table;
  const current = metadata['current-snapshot-id'];
  if (current === null || consumed === undefined || consumed.uuid !== metadata['table-uuid'])
    return undefined;
  const line = ancestors(metadata, current).snapshots;
  const at = line.findIndex((snapshot) => snapshot['snapshot-id'] === consumed.snapshot);
  return at < 0 ? undefined : line.slice(0, at);
}

function daysReplaced(since: readonly Snapshot[]): number[] | 'all' {
  const days: number[] = [];
  for (const snapshot of since) {
    const operation = snapshot.summary['operation'];
    if (operation === 'append' || operation === 'replace') continue;
    const record = runRecord(snapshot);
    if (record === undefined || record.days.length === 0) return 'all';
    days.push(...daysIn(record.days));
  }
  return days;
}

function daysOfFiles(
  { table, day }: OpenSource,
  files: readonly DataFile[],
  more: readonly number[],
): TouchedDays {
  const days = new Set(more);
  for (const file of files) {
    const held = table && daysOfFile(table, file, day);
    if (held === undefined || held.last - held.first >= FILE_DAYS_MAX) return 'all';
    for (const each of daysIn([held])) days.add(each);
  }
  return days;
}
