/**
 * Who reads a table, and how far: every table of the lake whose state has a pointer to it. Files that a consumer has
 * not read yet are not compacted, so that it reads nothing twice; the history it needs to see what is new is not
 * expired, as long as it does not lag too far behind.
 */
import { Failure } from '../base/base.ts';
import { ancestors, type Lake, type Snapshot, type Table } from '../lake/lake.ts';
import {
  type Consumed,
  QUARANTINE_NAME,
  RAW_NAME,
  readUpTo,
  STAGING_NAME,
  tableState,
} from '../tables/tables.ts';

export interface Consumer {
  table: string;
  at: Consumed;
  /** Sequence number up to which it has read what the table holds now; −1 when its history does not show it. */
  upTo: number;
  /** Since when rows wait that it has not read; 0 when it has read everything. */
  lag_ms: number;
}

export async function consumersOf(
  { lake, now_ms }: { lake: Lake; now_ms: number },
  table: Table,
): Promise<Consumer[]> {
  const consumers: Consumer[] = [];
  for (const name of await lake.list()) {
    const at = name === table.name ? undefined : await pointerOf(lake, { name, to: table.name });
    if (at === undefined || at.uuid !== table.metadata['table-uuid']) continue;
    const upTo = readUpTo(table, at);
    consumers.push({ table: name, at, upTo, lag_ms: lagOf(table, { upTo, now_ms }) });
  }
  return consumers;
}

/**
 * Files up to this sequence number may be rewritten. Raw waits for staging whatever its lag: nothing else reads raw
 * row by row, and re-reading would cost it all of its history.
 */
export function compactUpTo(
  table: Table,
  { consumers, lagMost_ms }: { consumers: readonly Consumer[]; lagMost_ms: number },
): number {
  const isRaw = table.name === RAW_NAME;
  if (isRaw && !consumers.some((each) => each.table === STAGING_NAME)) return -1;
  const readers = consumers.filter(
    (each) => isReader(table, each) && (each.lag_ms <= lagMost_ms || each.table === STAGING_NAME),
  );
  return Math.min(Number.POSITIVE_INFINITY, ...readers.map((each) => each.upTo));
}

/** Quarantine takes manifests that raw's commits name, and never reads raw's rows. */
export const isReader = (table: Table, consumer: Consumer): boolean =>
  !(table.name === RAW_NAME && consumer.table === QUARANTINE_NAME);

async function pointerOf(
  lake: Lake,
  { name, to }: { name: string; to: string },
): Promise<Consumed | undefined> {
  try {
    const table = await lake.load(name);
    return table && tableState(table).consumed[to];
  } catch (error) {
    // A table of another format is none that we could have written, so it has no pointer.
    if (error instanceof Failure && error.code === 'lake.format_unsupported') return undefined;
    throw error;
  }
}

function lagOf({ metadata }: Table, { upTo, now_ms }: { upTo: number; now_ms: number }): number {
  const current = metadata['current-snapshot-id'];
  if (current === null) return 0;
  const waiting = ancestors(metadata, current).snapshots.filter(
    (snapshot) => snapshot['sequence-number'] > upTo && addsRows(snapshot),
  );
  const oldest = waiting.at(-1);
  return oldest === undefined ? 0 : Math.max(0, now_ms - oldest['timestamp-ms']);
}

const addsRows = ({ summary }: Snapshot) =>
  summary['operation'] !== 'replace' && summary['added-records'] !== '0';
