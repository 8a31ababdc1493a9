/** What a lake says of itself, from the metadata of its tables: no data file is opened. */
import { Failure } from '../base/base.ts';
import type { Tally } from '../event/event.ts';
import { ancestors, currentSnapshot, type Lake, type Snapshot, type Table } from '../lake/lake.ts';
import {
  ARRIVED_AT_ID,
  type PositionMap,
  QUARANTINE_NAME,
  RAW_NAME,
  readUpTo,
  STAGING_NAME,
  type TableState,
  tableState,
} from '../tables/tables.ts';

export interface TableStatus {
  name: string;
  rows: number;
  files: number;
  bytes: number;
  snapshots: number;
  /** ISO 8601; null before the first commit. */
  lastCommit: string | null;
  lastCommitAge_ms: number | null;
}

/** Rows of raw that a consumer has not taken. */
export interface Waiting {
  waitingRows: number;
  /** Age of the oldest commit that brought some of them; null when none wait. */
  behind_ms: number | null;
}

export interface LakeStatus {
  tables: readonly TableStatus[];
  /** Of raw over all time; null without the table. */
  ledger: Tally | null;
  balanced: boolean;
  staging: Waiting & {
    /** Arrival of the newest record that staging shows. */
    newestArrival: string | null;
    freshness_ms: number | null;
  };
  quarantine: Waiting;
  /** Why the state of a table cannot be told; null when it can. */
  undecidable: string | null;
}

/** The status, and where raw stands in each stream. */
export interface LakeReading {
  status: LakeStatus;
  positions: PositionMap;
  /** A file that is there for certain; undefined without tables. */
  metadataLocation: string | undefined;
}

/** Marts are tables too; of a lake with more than this the first by name are told. */
const TABLES_MAX = 200;

/** Asked again and again: what a snapshot's files say of arrivals is read once. */
export function lakeReader(lake: Lake): (now_ms: number) => Promise<LakeReading> {
  const newest = newestArrivals(lake);
  return async (now_ms) => {
    const names = (await lake.list()).sort().slice(0, TABLES_MAX);
    const tables = (await Promise.all(names.map((name) => lake.load(name)))).filter((t) => t !== undefined);
    const raw = tables.find(({ name }) => name === RAW_NAME);
    const staging = tables.find(({ name }) => name === STAGING_NAME);
    const told = stateOf(raw);
    const consumed = stateOf(staging);
    const adopted = stateOf(tables.find(({ name }) => name === QUARANTINE_NAME));
    const newestArrival_ms = staging === undefined ? undefined : await newest(staging);
    const status: LakeStatus = {
      tables: tables.map((table) => tableStatus(table, now_ms)),
      ledger: told.state?.ledger ?? null,
      balanced: told.state === undefined || balance(told.state.ledger) === 0,
      staging: {
        ...notStaged(raw, { staging: consumed.state, now_ms }),
        newestArrival: newestArrival_ms === undefined ? null : new Date(newestArrival_ms).toISOString(),
        freshness_ms: newestArrival_ms === undefined ? null : Math.max(0, now_ms - newestArrival_ms),
      },
      quarantine: notAdopted(raw, { told: told.state, quarantine: adopted.state, now_ms }),
      undecidable: told.undecidable ?? consumed.undecidable ?? adopted.undecidable ?? null,
    };
    return {
      status,
      positions: told.state?.positions ?? {},
      metadataLocation: tables[0]?.metadataLocation,
    };
  };
}

/** received − (written + duplicate + quarantined) */
export function balance({ received, written, duplicate, quarantined }: Tally): number {
  return received - written - duplicate - quarantined;
}

function tableStatus({ name, metadata }: Table, now_ms: number): TableStatus {
  const current = currentSnapshot(metadata);
  const total = (key: string) => Number(current?.summary[`total-${key}`] ?? 0);
  const committed_ms = current?.['timestamp-ms'];
  return {
    name,
    rows: total('records'),
    files: total('data-files'),
    bytes: total('files-size'),
    snapshots: metadata.snapshots.length,
    lastCommit: committed_ms === undefined ? null : new Date(committed_ms).toISOString(),
    lastCommitAge_ms: committed_ms === undefined ? null : Math.max(0, now_ms - committed_ms),
  };
}

/** A status must be told also of a table that was rolled back past what it can tell. */
function stateOf(table: Table | undefined): { state?: TableState; undecidable?: string } {
  if (table === undefined) return {};
  try {
    return { state: tableState(table) };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'tables.state_undecidable') throw error;
    return { undecidable: `${error.message}: ${error.why ?? ''}` };
  }
}

/** By the snapshots of raw that staging has not read; a replace brings no new row. */
function notStaged(
  raw: Table | undefined,
  { staging, now_ms }: { staging: TableState | undefined; now_ms: number },
): Waiting {
  const current = raw && currentSnapshot(raw.metadata);
  if (raw === undefined || current === undefined) return { waitingRows: 0, behind_ms: null };
  const upTo = readUpTo(raw, staging?.consumed[RAW_NAME]);
  const { snapshots, broken } = ancestors(raw.metadata, current['snapshot-id']);
  const since = snapshots.filter((s) => s['sequence-number'] > upTo && addedRows(s) > 0);
  // What expired snapshots brought is only in the total.
  const whole = upTo === -1 && broken;
  const waitingRows = whole
    ? Number(current.summary['total-records'] ?? 0)
    : since.reduce((sum, snapshot) => sum + addedRows(snapshot), 0);
  if (waitingRows === 0) return { waitingRows, behind_ms: null };
  const oldest_ms = (since.at(-1) ?? current)['timestamp-ms'];
  return { waitingRows, behind_ms: Math.max(0, now_ms - oldest_ms) };
}

function addedRows({ summary }: Snapshot): number {
  return summary['operation'] === 'replace' ? 0 : Number(summary['added-records'] ?? 0);
}

/** Raw names them until a later commit of its own has seen them adopted; whether they are, quarantine says. */
function notAdopted(
  raw: Table | undefined,
  {
    told,
    quarantine,
    now_ms,
  }: { told: TableState | undefined; quarantine: TableState | undefined; now_ms: number },
): Waiting {
  if (raw === undefined || told === undefined) return { waitingRows: 0, behind_ms: null };
  const upTo = readUpTo(raw, quarantine?.consumed[RAW_NAME]);
  const waiting = told.rejected.filter(({ sequenceNumber }) => sequenceNumber > upTo);
  if (waiting.length === 0) return { waitingRows: 0, behind_ms: null };
  return {
    waitingRows: waiting.reduce((sum, { rows }) => sum + rows, 0),
    behind_ms: Math.max(0, now_ms - Math.min(...waiting.map((r) => r.committedAt_ms))),
  };
}

/** From the bounds of the files that the last append brought. */
function newestArrivals(lake: Lake): (table: Table) => Promise<number | undefined> {
  let known: { snapshot: bigint; arrival_ms: number | undefined } | undefined;
  return async (table) => {
    const current = currentSnapshot(table.metadata);
    if (current === undefined) return undefined;
    const line = ancestors(table.metadata, current['snapshot-id']).snapshots;
    const append = line.find((snapshot) => addedRows(snapshot) > 0);
    if (append === undefined) return undefined;
    if (known?.snapshot !== append['snapshot-id']) {
      const { files } = await lake.files(table, {
        snapshotId: append['snapshot-id'],
        afterSequenceNumber: append['sequence-number'] - 1,
      });
      const bounds = files.map(({ upperBounds }) => Number(upperBounds.get(ARRIVED_AT_ID) ?? 0n) / 1000);
      const newest_ms = bounds.reduce((a, b) => Math.max(a, b), 0);
      known = {
        snapshot: append['snapshot-id'],
        arrival_ms: newest_ms === 0 ? undefined : Math.floor(newest_ms),
      };
    }
    return known.arrival_ms;
  };
}
