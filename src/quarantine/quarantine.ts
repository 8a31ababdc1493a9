/** What could not be an event: adopted from raw's commits, listed, explained. */
import type { Clock, Log } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import type { Lake } from '../lake/lake.ts';
import type { PartitionBounds } from '../tables/tables.ts';

export { adoptRejected } from './adopt.ts';
export { listRejected, type RejectedRecord } from './list.ts';

export interface AdoptOptions {
  lake: Lake;
  engine: Pick<Engine, 'readRejected'>;
  clock: Clock;
  log: Log;
  writer: string;
  newId: () => string;
  bounds: PartitionBounds;
}

export interface Adopted {
  /** Raw's sequence number up to which every rejected manifest is adopted. */
  upTo: number;
  rows: number;
}
