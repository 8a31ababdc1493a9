/** Whole days of raw that are older than the retention, and read by everybody who reads raw. */
import type { DataFile } from '../lake/lake.ts';

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
    // A file of another spec says no day.
    files.filter(
      ({ specId, partition: [day] }) => specId === 0 && typeof day === 'number' && day < beforeDay,
    ),
    ({ partition: [day] }) => day as number,
  );
  const days = [...byDay.values()];
  const read = days.filter((ofDay) => ofDay.every((file) => (file.sequenceNumber ?? Infinity) <= upTo));
  return { files: read.flat(), days: read.length, beforeDay, waiting: days.length - read.length };
}
