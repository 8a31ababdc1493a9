/** Raw → staging: incremental, exact dedupe by event_uuid over all history, sorted files. */
import type { Clock, Log } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import type { Lake } from '../lake/lake.ts';
import type { PartitionBounds } from '../tables/tables.ts';
import type { IdentityIndex } from './identity-index.ts';
import { stageAll } from './stage.ts';

export { StoredIdentities } from './identities/stored-identities.ts';
export { type IdentityIndex, type IdentityIndexOptions, openIdentityIndex } from './identity-index.ts';

export interface StagingOptions {
  lake: Lake;
  engine: Engine;
  clock: Clock;
  log: Log;
  writer: string;
  newId: () => string;
  random: () => number;
  /** Rows of raw taken into one commit, as far as whole raw snapshots allow. */
  maxRows: number;
  bounds: PartitionBounds;
  /** Kept by the caller from call to call; without one every portion asks all of history. */
  index?: IdentityIndex;
  signal: AbortSignal;
  onCommit?: (commit: StagingCommit) => void;
}

export interface StagingCommit {
  received: number;
  written: number;
  duplicate: number;
}

/** Takes what raw holds at the call and staging has not consumed. */
export function stageEvents(options: StagingOptions): Promise<StagingCommit & { commits: number }> {
  return stageAll(options);
}
