/** Dropping days of raw that staging has: the one commit of maintenance after which rows are fewer. */
import type { Table } from '../lake/lake.ts';
import { CREATED_DATETIME_ID, RAW_NAME } from '../tables/tables.ts';
import { compactUpTo } from './consumers.ts';
import { oldDays } from './retention-plan.ts';
import { commitMaintenance, note, type TableRound } from './table-round.ts';

/** Files that one commit removes; the next round goes on. */
const COMMIT_FILES = 10_000;

export async function dropDays(round: TableRound, table: Table): Promise<Table> {
  const { options, consumers, report } = round;
  const { rawRetention_ms: retention_ms } = options.rules;
  if (table.name !== RAW_NAME || retention_ms === undefined) return table;
  // A row that is gone can be read by nobody any more: no lag is too long to wait for.
  const upTo = compactUpTo(table, { consumers, lagMost_ms: Number.POSITIVE_INFINITY });
  const now_ms = options.clock.now();
  const where = [
    { column: 'created_datetime', id: CREATED_DATETIME_ID, max: BigInt(now_ms - retention_ms) * 1000n },
  ];
  const { files } = await options.lake.files(table, { where });
  const old = oldDays(files, { now_ms, retention_ms, upTo });
  if (old.waiting > 0)
    report.left.push(`${old.waiting} days older than raw.retention wait until staging has read them`);
  const remove = old.files.slice(0, COMMIT_FILES);
  if (remove.length === 0) return table;

  const rows = remove.reduce((sum, file) => sum + file.recordCount, 0);
  const before = new Date(old.beforeDay * 86_400_000).toISOString().slice(0, 10);
  const work = {
    action: 'drop days' as const,
    count: remove.length,
    rows,
    bytes: remove.reduce((sum, file) => sum + file.fileSize, 0),
    why: `raw.retention: days before ${before}, all of them in staging`,
  };
  if (round.dryRun) {
    note(round, work, 'planned');
    return table;
  }
  const outcome = await commitMaintenance(round, table, {
    change: { operation: 'overwrite', remove },
    say: {
      tally: { removed: rows },
      dropped: { why: `raw.retention: days before ${before}`, beforeDay: old.beforeDay },
    },
  });
  note(round, work, outcome);
  return outcome.table;
}
