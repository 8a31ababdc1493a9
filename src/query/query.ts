/**
 * Tables as read-only views over their current snapshots, pruned by manifests: before a query runs it is planned, and
 * only the files that its filters leave are named to the engine.
 */
import type { Cell, Engine, QueryResult, ReadStats } from '../engine/engine.ts';
import type { Lake } from '../lake/lake.ts';
import { openViews } from './views.ts';

export { findEvent, type Whereabouts } from './find.ts';

export interface PlannedTable {
  view: string;
  files: number;
  /** Files of the snapshot in all. */
  of: number;
  rows: number;
  bytes: { planned: number; of: number };
  manifests: { opened: number; listed: number };
  /** What is fetched of the files; undefined where they are read in place. */
  read?: ReadStats;
}

export interface Planned {
  /** Per view that the query reads: what planning left. */
  tables: readonly PlannedTable[];
}

export interface Query {
  /**
   * Answers one question over the snapshots that are current now. What could change anything is refused with Failure
   * `query.not_a_question`; an aborted signal interrupts with `query.interrupted`.
   */
  run(sql: string, options?: { signal?: AbortSignal }): Promise<QueryResult & { planned: Planned }>;
  /** The whole result as objects; for results that are known to be small. */
  all(
    sql: string,
    options?: { signal?: AbortSignal },
  ): Promise<{ rows: Record<string, Cell>[]; planned: Planned }>;
}

export function openQuery(options: { lake: Lake; engine: Engine }): Query {
  return openViews(options);
}
