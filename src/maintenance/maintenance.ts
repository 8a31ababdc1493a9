/**
 * Keeps our tables small in files and in metadata while everything else goes on: small files are rewritten into few,
 * manifests merged, old snapshots and what only they needed removed. No row is lost, doubled, or read twice by a
 * consumer over it; the one thing that removes rows, `raw.retention`, is off unless asked for, and is in the ledger.
 */
import type { Clock, Log } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import type { Lake } from '../lake/lake.ts';
import type { PartitionBounds } from '../tables/tables.ts';
import { maintainTables } from './round.ts';
import { keepMaintained } from './schedule.ts';

export interface MaintenanceRules {
  /** Compaction makes files of about this size, and leaves those alone that have three quarters of it. */
  targetFileSize_bytes: number;
  /** So many files of about one size in a partition are rewritten as one. */
  minFiles: number;
  /** Files of a table above which only its newer days are planned. */
  plannedMost?: number;
  /** Rewritten by one round for one table. */
  roundMost_bytes: number;
  /** Snapshots are kept so long … */
  keepSnapshots_ms: number;
  /** … but so many always … */
  snapshotsLeast: number;
  /** … and not many more than this. */
  snapshotsMost: number;
  /** How long a consumer that does not go on is waited for. */
  consumerLagMost_ms: number;
  /** Whole days of raw that are older, and consumed, are dropped. Undefined: never. */
  rawRetention_ms: number | undefined;
}

export interface MaintenanceOptions {
  lake: Lake;
  /** Called when there are files to rewrite; closed right after. Its own, so that it takes no memory from ingest. */
  openEngine: () => Promise<Engine>;
  clock: Clock;
  log: Log;
  random: () => number;
  newId: () => string;
  /** Name of this writer in the summaries. */
  writer: string;
  rules: MaintenanceRules;
  bounds: PartitionBounds;
  /** Aborted: what is under way is given up; the table is as it was, or as it will be. */
  signal: AbortSignal;
  onProgress?: (progress: { table: string; files: number; of: number }) => void;
}

/**
 * - planned: of a dry run.
 * - done: and committed.
 * - overtaken: the table changed meanwhile so that it was no longer right; nothing happened.
 * - failed: `detail` says why; nothing is lost by it.
 */
export type WorkResult = 'planned' | 'done' | 'overtaken' | 'failed';

export interface Work {
  action: 'drop days' | 'compact' | 'merge manifests' | 'expire snapshots' | 'remove orphans';
  /** What it is done to: files, manifests, snapshots. */
  count: number;
  /** What becomes of them, where that is known. */
  into?: number;
  rows?: number;
  bytes?: number;
  why: string;
  result: WorkResult;
  detail?: string;
}

export interface TableReport {
  table: string;
  work: Work[];
  /** What was looked at and left alone, and why. */
  left: string[];
}

export interface MaintainRequest {
  /** All that are looked after when none are named: raw, staging, quarantine and the tables of transforms. */
  tables?: readonly string[];
  /** Only says what would be done. */
  dryRun: boolean;
}

/** One round over these tables, whether or not anything is due. Throws what the first table that failed threw. */
export function maintain(options: MaintenanceOptions, request: MaintainRequest): Promise<TableReport[]> {
  return maintainTables(options, request);
}

/** Rounds where something is due, `interval_ms` apart, until the signal is aborted. Never fails: failures are logged. */
export function runMaintenance(
  options: MaintenanceOptions,
  schedule: { interval_ms: number },
): Promise<void> {
  return keepMaintained(options, schedule);
}
