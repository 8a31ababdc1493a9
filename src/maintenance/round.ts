/** One round: for each table what is to be done, one step after the other, each on the table that the last one left. */
import { Failure } from '../base/base.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME } from '../tables/tables.ts';
import { compact } from './compact.ts';
import { consumersOf } from './consumers.ts';
import { dropDays } from './drop-days.ts';
import type { MaintainRequest, MaintenanceOptions, TableReport } from './maintenance.ts';
import { removeOrphans } from './orphans.ts';
import type { TableRound } from './table-round.ts';
import { tidy } from './tidy.ts';

/** Tables that are looked after; nothing else below the lake is touched. */
export const MAINTAINED: readonly string[] = [RAW_NAME, STAGING_NAME, QUARANTINE_NAME];

export async function maintainTables(
  options: MaintenanceOptions,
  { tables, dryRun }: MaintainRequest,
): Promise<TableReport[]> {
  const reports: TableReport[] = [];
  for (const name of tables) {
    if (!MAINTAINED.includes(name)) throw notOurs(name);
    const report = await maintainTable(options, name, { dryRun, orphans: true, avoid: new Set() });
    if (report !== undefined) reports.push(report);
  }
  return reports;
}

export interface RoundRequest extends Pick<TableRound, 'dryRun' | 'avoid'> {
  /** Also lists everything below the table. */
  orphans: boolean;
}

/** Undefined when there is no such table. */
export async function maintainTable(
  options: MaintenanceOptions,
  name: string,
  { dryRun, avoid, orphans }: RoundRequest,
): Promise<TableReport | undefined> {
  const { lake, clock, signal } = options;
  let table = await lake.load(name);
  if (table === undefined) return undefined;
  const consumers = await consumersOf({ lake, now_ms: clock.now() }, table);
  const report: TableReport = { table: name, work: [], left: [] };
  const round: TableRound = { options, consumers, dryRun, avoid, report };
  table = await dropDays(round, table);
  table = await compact(round, table);
  if (signal.aborted) return report;
  table = await tidy(round, table);
  if (orphans && !signal.aborted) await removeOrphans(round, table);
  return report;
}

function notOurs(name: string): Failure {
  return new Failure(`cannot maintain ${name}`, {
    code: 'maintenance.not_ours',
    fault: 'user',
    why: `Lakeward looks after ${MAINTAINED.join(', ')}, and leaves every other table to its owner`,
    hint: 'lakeward maintain --dry-run says what it would do to each of them',
    docs: 'docs/how-to/maintain.md',
  });
}
