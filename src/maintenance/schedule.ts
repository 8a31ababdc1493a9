/**
 * When a round is due. It is told from the table's metadata, which the lake holds in memory while it does not change;
 * manifests are read only when files came, and the store is listed once a day. A table that fails is left alone for a
 * while, longer each time, and the others go on.
 */
import { backoff, Failure } from '../base/base.ts';
import { ancestors, currentSnapshot, type Table } from '../lake/lake.ts';
import { SETTLED_MS } from './compact.ts';
import type { MaintenanceOptions, MaintenanceRules, TableReport } from './maintenance.ts';
import { maintainedTables, maintainTable } from './round.ts';
import { EXPIRED_LEAST } from './tidy.ts';

const ORPHANS_EVERY_MS = 86_400_000;
const FAILED_MOST_MS = 3_600_000;

/** What is remembered of a table between two looks at it. */
export interface Looked {
  /** When it was last planned, and up to which sequence number. */
  planned_ms: number | undefined;
  plannedUpTo: number;
  orphans_ms: number | undefined;
}

export const NEVER_LOOKED: Looked = { planned_ms: undefined, plannedUpTo: -1, orphans_ms: undefined };

export async function keepMaintained(
  options: MaintenanceOptions,
  { interval_ms }: { interval_ms: number },
): Promise<void> {
  const { lake, clock, log, random, signal } = options;
  const tables = new Map<string, LookedAfter>();
  for (;;) {
    // Several processes that began together do not stay together.
    await clock.sleep(interval_ms * (0.9 + random() / 5), signal);
    const names = await maintainedTables(lake).catch((error: unknown) => {
      log.warn('maintenance.failed', 'the tables could not be listed; it will be tried again', {
        why: String(error),
      });
      return [...tables.keys()];
    });
    for (const name of names) {
      if (signal.aborted) return;
      const table = tables.get(name) ?? new LookedAfter(options, { name, interval_ms });
      tables.set(name, table);
      await table.look();
    }
  }
}

class LookedAfter {
  readonly #options: MaintenanceOptions;
  readonly #name: string;
  readonly #interval_ms: number;
  #looked = NEVER_LOOKED;
  #avoid = new Set<string>();
  #failures = 0;
  #notBefore_ms = 0;

  constructor(options: MaintenanceOptions, { name, interval_ms }: { name: string; interval_ms: number }) {
    this.#options = options;
    this.#name = name;
    this.#interval_ms = interval_ms;
  }

  async look(): Promise<void> {
    const { lake, clock, rules, signal } = this.#options;
    const now_ms = clock.now();
    if (now_ms < this.#notBefore_ms) return;
    try {
      const table = await lake.load(this.#name);
      if (table === undefined) return;
      const due = whatIsDue(table, { looked: this.#looked, rules, now_ms });
      if (due === 'nothing') return;
      const orphans = due === 'orphans';
      if (orphans) this.#avoid.clear();
      const report = await maintainTable(this.#options, this.#name, {
        dryRun: false,
        orphans,
        avoid: this.#avoid,
      });
      if (signal.aborted) return;
      this.#looked = {
        planned_ms: now_ms,
        plannedUpTo: table.metadata['last-sequence-number'],
        orphans_ms: orphans ? now_ms : this.#looked.orphans_ms,
      };
      this.#failures = 0;
      if (report !== undefined) this.#tell(report);
    } catch (error) {
      if (!signal.aborted) this.#leaveAlone(error, now_ms);
    }
  }

  #leaveAlone(error: unknown, now_ms: number): void {
    const { log, random } = this.#options;
    const wait_ms = backoff(this.#failures++, {
      first_ms: this.#interval_ms,
      most_ms: FAILED_MOST_MS,
      random,
    });
    this.#notBefore_ms = now_ms + wait_ms;
    const failure = error instanceof Failure ? error : undefined;
    log.warn('maintenance.failed', `maintenance of ${this.#name} failed; it will be tried again`, {
      code: failure?.code ?? 'maintenance.bug',
      what: error instanceof Error ? error.message : String(error),
      why: failure?.why,
      again_s: Math.round(wait_ms / 1000),
    });
  }

  #tell({ table, work }: TableReport): void {
    for (const { action, count, into, bytes, result, why } of work)
      this.#options.log.info('maintenance.worked', `${action} of ${table}: ${result}`, {
        count,
        into,
        bytes,
        why,
      });
  }
}

/** `orphans`: everything, with the search for orphans. */
export function whatIsDue(
  { metadata }: Table,
  { looked, rules, now_ms }: { looked: Looked; rules: MaintenanceRules; now_ms: number },
): 'nothing' | 'round' | 'orphans' {
  const current = currentSnapshot(metadata);
  if (current === undefined) return 'nothing';
  if (looked.orphans_ms === undefined || now_ms - looked.orphans_ms >= ORPHANS_EVERY_MS) return 'orphans';
  const line = ancestors(metadata, current['snapshot-id']).snapshots;
  const since = line.filter((snapshot) => snapshot['sequence-number'] > looked.plannedUpTo);
  const added = since.reduce((sum, { summary }) => sum + Number(summary['added-data-files'] ?? 0), 0);
  if (added >= rules.minFiles) return 'round';
  if (since.length >= EXPIRED_LEAST && metadata.snapshots.length > rules.snapshotsMost * 1.1) return 'round';
  const planned_ms = looked.planned_ms ?? Number.NEGATIVE_INFINITY;
  // What was not settled when it was planned may be by now; a table to which nothing comes is planned once more.
  const wasSettled = planned_ms - current['timestamp-ms'] > SETTLED_MS;
  return !wasSettled && now_ms - planned_ms >= SETTLED_MS ? 'round' : 'nothing';
}
