/** One round: for each table what is to be done, one step after the other, each on the table that the last one left. */
import { Failure } from '../base/base.ts';
import type { Lake } from '../lake/lake.ts';
import { MARTS, QUARANTINE_NAME, RAW_NAME, STAGING_NAME, TRANSFORM_KEY } from '../tables/tables.ts';
import { compact } from './compact.ts';
import { consumersOf } from './consumers.ts';
import { dropDays } from './drop-days.ts';
import type { MaintainRequest, MaintenanceOptions, TableReport } from './maintenance.ts';
import { removeOrphans } from './orphans.ts';
import type { TableRound } from './table-round.ts';
import { tidy } from './tidy.ts';

const PIPELINE: readonly string[] = [RAW_NAME, STAGING_NAME, QUARANTINE_NAME];

/** Tables that are looked after: the pipeline's own and those that transforms made. No other is touched. */
export async function maintainedTables(lake: Lake): Promise<string[]> {
  const marts: string[] = [];
  for (const name of await lake.list()) {
    if (PIPELINE.includes(name) || !name.startsWith(MARTS)) continue;
    if (await isMart(lake, name)) marts.push(name);
  }
  return [...PIPELINE, ...marts.sort()];
}

async function isMart(lake: Lake, name: string): Promise<boolean> {
  try {
    return (await lake.load(name))?.metadata.properties[TRANSFORM_KEY] !== undefined;
  } catch (error) {
    // A table of another format is none that we could have written.
    if (error instanceof Failure && error.code === 'lake.format_unsupported') return false;
    throw error;
  }
}

export async function maintainTables(
  options: MaintenanceOptions,
  { tables, dryRun }: MaintainRequest,
): Promise<TableReport[]> {
  const reports: TableReport[] = [];
  const ours = await maintainedTables(options.lake);
  for (const name of tables ?? ours) {
    if (!ours.includes(name)) throw notOurs(name, ours);
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

function notOurs(name: string, ours: readonly string[]): Failure {
  return new Failure(`cannot maintain ${name}`, {
    code: 'maintenance.not_ours',
    fault: 'user',
    why: `Lakeward looks after ${ours.join(', ')}, and leaves every other table to its owner`,
    hint: 'lakeward maintain --dry-run says what it would do to each of them',
    docs: 'docs/how-to/maintain.md',
  });
}
