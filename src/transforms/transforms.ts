/**
 * Staging → marts: use-case tables, kept up by SQL over the events they ask for. How far a transform has read stands
 * in the commit that holds its rows; there is no other state. Nothing heavy is loaded before something runs: a user's
 * file that defines a transform imports this one.
 */
import type { Clock, Log } from '../base/base.ts';
import type { Cell, Engine, NotPortable } from '../engine/engine.ts';
import type { Lake } from '../lake/lake.ts';
import type { Consumed } from '../tables/tables.ts';
import type { DayRange } from './days.ts';
import { type Transform, viewOf } from './define.ts';
import type { RunRecord } from './record.ts';

export { type DayRange, rangesText } from './days.ts';
export {
  type AppendDefinition,
  defineTransform,
  type PartitionsDefinition,
  type Source,
  type Transform,
  type TransformDefinition,
} from './define.ts';
export { loadTransforms } from './load.ts';
export type { RunRecord } from './record.ts';

export interface TransformsOptions {
  lake: Lake;
  engine: Engine;
  clock: Clock;
  log: Log;
  writer: string;
  newId: () => string;
  random: () => number;
  /** All of the project: what one reads of another is found among them. */
  transforms: readonly Transform[];
  /** Days computed for one commit at most. */
  maxDays: number;
  /** New rows that one commit of an append transform takes, as far as whole snapshots allow. */
  maxRows: number;
  signal: AbortSignal;
  onCommit?: (commit: TransformCommit) => void;
}

export interface TransformCommit {
  name: string;
  run: RunRecord;
}

/** What became of one transform. A failed or stopped one goes on from its last commit; the others were run. */
export interface TransformOutcome {
  name: string;
  commits: number;
  rows: number;
  days: readonly DayRange[];
  failure?: unknown;
  stopped?: boolean;
}

export interface TransformStatus {
  name: string;
  mode: Transform['mode'];
  partition: string | undefined;
  from: readonly string[];
  rows: number;
  /** Its table is not there yet, is of this definition, of an older one, or of another program. */
  state: 'new' | 'current' | 'changed' | 'taken';
  columns: readonly { name: string; type: string }[];
  /** Newest first, as far as the table's history reaches. */
  runs: readonly (RunRecord & { at_ms: number; snapshot: bigint })[];
  consumed: Readonly<Record<string, Consumed>>;
  /** Days that an older definition computed. */
  outdated: readonly DayRange[];
}

export async function transformStatus(lake: Lake, transform: Transform): Promise<TransformStatus> {
  return (await import('./status.ts')).transformStatus(lake, transform);
}

/** Brings the marts up to what staging holds, in order of what reads what; all of them, or those named. */
export async function runTransforms(
  options: TransformsOptions,
  names?: readonly string[],
): Promise<TransformOutcome[]> {
  const { runAll } = await import('./run.ts');
  return runAll(options, names);
}

/** Days as numbers since the epoch, both inclusive; open where not said. */
export interface BackfillRange {
  from?: number;
  to?: number;
}

export interface BackfillPlan {
  name: string;
  /** An append transform has no days: its table is made anew. */
  kind: 'backfill' | 'rebuild';
  days: readonly DayRange[];
  /** Unknown for a rebuild. */
  commits: number | undefined;
  read: { files: number; bytes: number };
  definitionChanged: boolean;
}

/** What a backfill would do; nothing is computed. */
export async function planBackfill(
  options: TransformsOptions,
  transform: Transform,
  range: BackfillRange,
): Promise<BackfillPlan> {
  return (await import('./backfill.ts')).planBackfill(options, transform, range);
}

/** Computes days anew, by the definition as it is now; what the mart holds of them is replaced. */
export async function backfill(
  options: TransformsOptions,
  transform: Transform,
  range: BackfillRange,
): Promise<TransformOutcome> {
  return (await import('./backfill.ts')).runBackfill(options, transform, range);
}

export interface TestOptions {
  /** The transforms whose marts it reads; they are given the same events. */
  upstream?: readonly Transform[];
}

/** One row of a mart. BIGINT beyond 2^53 and decimals are text, dates and times too: 2026-01-31, 2026-01-31 08:00:00+00. */
export type Row = Record<string, Cell>;

/**
 * The rows that a transform makes of these events, in order of all columns; for tests, without a lake. Events are judged
 * as on the way to staging: one that would go to quarantine is an error, one without event_uuid gets one.
 */
export async function testTransform(
  transform: Transform,
  events: readonly Readonly<Record<string, unknown>>[],
  options: TestOptions = {},
): Promise<Row[]> {
  return (await import('./test-transform.ts')).rowsOf(transform, events, options);
}

/** What in the SQL is not known to give the same rows on every engine; by the definition alone. */
export async function notPortable(engine: Engine, { sql, from }: Transform): Promise<readonly NotPortable[]> {
  return engine.notPortable({ sql, views: ['events', ...from.map(viewOf)] });
}

export interface TypesOptions {
  lake: Lake;
  engine: Engine;
  /** Documents of each name at most. */
  sample: number;
  /** Files of staging at most, the newest. */
  files: number;
}

/** TypeScript text: the types of documents by event name, from a bounded sample of staging. */
export async function observedTypes(options: TypesOptions): Promise<string> {
  return (await import('./types/observed.ts')).observedTypes(options);
}
