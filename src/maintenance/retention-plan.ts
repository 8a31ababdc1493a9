/** Whole days of raw that are older than the retention, and read by everybody who reads raw. */
import type { DataFile } from '../lake/lake.ts';
import { CREATED_DATETIME_ID } from '../tables/tables.ts';

const DAY_MS = 86_400_000;

export interface OldDays {
  files: DataFile[];
  days: number;
  /** Days before this one (since 1970) are older. */
  beforeDay: number;
  /** Older days with rows that are not read yet: they stay until they are. */
  waiting: number;
}

export function oldDays(
  files: readonly DataFile[],
  { now_ms, retention_ms, upTo }: { now_ms: number; retention_ms: number; upTo: number },
): OldDays {
  const beforeDay = Math.floor((now_ms - retention_ms) / DAY_MS);
  const byDay = Map.groupBy(
    files.filter((file) => (lastDay(file) ?? Number.POSITIVE_INFINITY) < beforeDay),
    lastDay,
  );
  const days = [...byDay.values()];
  const read = days.filter((ofDay) => ofDay.every((file) => (file.sequenceNumber ?? Infinity) <= upTo));
  return { files: read.flat(), days: read.length, beforeDay, waiting: days.length - read.length };
}

/** The newest day of a file's rows: its partition says it, or the bound of the column that days are of. */
function lastDay({ specId, partition: [day], upperBounds }: DataFile): number | undefined {
  if (specId === 0) return typeof day === 'number' ? day : undefined;
  const last = upperBounds.get(CREATED_DATETIME_ID);
  return typeof last === 'bigint' ? Math.floor(Number(last) / 1000 / DAY_MS) : undefined;
}
