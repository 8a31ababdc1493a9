/**
 * Our tables: what they look like, and the `lakeward.` keys by which a table says what it has taken, from where,
 * and what it counted. `state.ts` reads the state; `advance.ts` is the one place that writes it.
 */
export { type Advance, advance, firstCommit, type Judged } from './advance.ts';
export { type Target, targetOf } from './columns.ts';
export { nextPortion, type Portion } from './consume.ts';
export {
  ARRIVED_AT_ID,
  CREATED_DATETIME_ID,
  MARTS,
  QUARANTINE,
  QUARANTINE_NAME,
  RAW,
  RAW_NAME,
  STAGING,
  STAGING_NAME,
  TABLES,
  TRANSFORM_KEY,
} from './definitions.ts';
export { everAdopted } from './ever-adopted.ts';
export { openTable } from './open-table.ts';
export {
  type OwnTypes,
  type PartitionBounds,
  type Placement,
  type Placing,
  placing,
  SMALL_ROWS,
} from './placement.ts';
export { readUpTo } from './read-up-to.ts';
export {
  type Consumed,
  droppedBefore,
  type Expired,
  needsForgotten,
  PIN,
  type PositionMap,
  type RejectedManifest,
  type SnapshotFacts,
  snapshotFacts,
  type TableState,
  tableState,
} from './state.ts';
