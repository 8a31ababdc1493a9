/**
 * What a mart says of itself: by which definition it was made, which of its days an older one made, and, in each
 * snapshot of ours, what that run did. Both are in the commit that holds the rows.
 */
import { createHash } from 'node:crypto';
import { parseJson, stringifyJson } from '../base/base.ts';
import { ancestors, type Snapshot, type Table } from '../lake/lake.ts';
import { TRANSFORM_KEY } from '../tables/tables.ts';
import { type DayRange, daysIn, rangesFrom, rangesOf, rangesText } from './days.ts';
import type { Transform } from './define.ts';

export interface MartRecord {
  definition: string;
  /** Days that hold rows of an older definition. */
  outdated: readonly DayRange[];
}

export interface RunRecord {
  kind: 'run' | 'backfill' | 'rebuild' | 'schema' | 'pointer';
  definition: string;
  /** Computed anew; empty for what knows no days. */
  days: readonly DayRange[];
  rows: number;
  removed: number;
  read: { files: number; bytes: number };
  took_ms: number;
}

/** What the rows depend on. Spaces at the ends of the SQL are no change. */
export function definitionHash(transform: Transform): string {
  const { mode, from, partition, sql, columns } = transform;
  const reads = transform.mode === 'partitions' ? transform.reads : undefined;
  const text = stringifyJson({
    mode,
    from,
    partition,
    sql: sql.trim(),
    columns: Object.entries(columns ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
    before: reads?.daysBefore ?? 0,
    after: reads?.daysAfter ?? 0,
  });
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Undefined for a table that no transform made. */
export function martRecord({ metadata }: Table): MartRecord | undefined {
  const text = metadata.properties[TRANSFORM_KEY];
  if (text === undefined) return undefined;
  const { definition, outdated } = parseJson(text) as { definition: string; outdated?: string };
  return { definition, outdated: rangesFrom(outdated ?? '') };
}

export function martProperty({ definition, outdated }: MartRecord): string {
  return stringifyJson({ definition, outdated: rangesText(outdated) });
}

export function runSummary(record: RunRecord): string {
  return stringifyJson({ ...record, days: rangesText(record.days) });
}

export function runRecord({ summary }: Snapshot): RunRecord | undefined {
  const text = summary[TRANSFORM_KEY];
  if (text === undefined) return undefined;
  const record = parseJson(text) as unknown as Omit<RunRecord, 'days'> & { days: string };
  return { ...record, days: rangesFrom(record.days) };
}

/** Newest first, as far as the table's history reaches. */
export function runsOf({ metadata }: Table): { snapshot: Snapshot; record: RunRecord }[] {
  const current = metadata['current-snapshot-id'];
  if (current === null) return [];
  return ancestors(metadata, current).snapshots.flatMap((snapshot) => {
    const record = runRecord(snapshot);
    return record === undefined ? [] : [{ snapshot, record }];
  });
}

/** Days of an older definition once these were computed by the present one. */
export function outdatedAfter(
  { definition, outdated }: MartRecord,
  computed: { definition: string; days: ReadonlySet<number>; held: Iterable<number> },
): DayRange[] {
  const before = definition === computed.definition ? daysIn(outdated) : [...computed.held];
  return rangesOf(before.filter((day) => !computed.days.has(day)));
}
