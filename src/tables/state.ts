/**
 * What a table says of itself. The whole state stands in table properties, stamped with the snapshot of the commit
 * that set them, so that expiring snapshots cannot take it away; each snapshot's summary holds what that commit
 * changed, so that a rollback by an operator can be undone from the property.
 */
import { Failure, parseJson } from '../base/base.ts';
import { addTally, emptyTally, type Tally } from '../event/event.ts';
import {
  type Ancestry,
  ancestors,
  currentSnapshot,
  type Snapshot,
  type Table,
  type TableMetadata,
} from '../lake/lake.ts';
import { type Reach, reachOf, type Stamp } from './reach.ts';

/** Key of the pseudo-shard under which a stream's pinned start stands. */
export const PIN = '*';

/** Stream id → shard (or `PIN`) → position. */
export type PositionMap = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** How far a table was read. */
export interface Consumed {
  uuid: string;
  snapshot: bigint;
  sequenceNumber: number;
}

/** Manifests of quarantine files that a raw commit left for adoption. */
export interface RejectedManifest {
  locations: readonly string[];
  rows: number;
  /** Sequence number of the raw snapshot that named it. */
  sequenceNumber: number;
  committedAt_ms: number;
}

export interface TableState {
  positions: PositionMap;
  ledger: Tally;
  consumed: Readonly<Record<string, Consumed>>;
  rejected: readonly RejectedManifest[];
  /**
   * Event types that have partitions of their own; undefined where no commit has said yet. A rollback takes none back: a
   * type that is here too much costs a place, no row.
   */
  types: readonly string[] | undefined;
  /** Rows that snapshots of others added or removed since our last commit; our next commit enters them as foreign. */
  foreignRows: number;
}

/**
 * Positions of a shard between which the stream may have dropped records before they were read, and between which times
 * those arrived, as far as that is known. A range, never a count: how many there were, nobody can tell.
 */
export interface Expired {
  stream: string;
  shard: string;
  from: string;
  to: string;
  since_ms?: number;
  until_ms?: number;
}

/** What one snapshot of ours changed. */
export interface SnapshotFacts {
  commitId: string;
  writer: string | undefined;
  took: Readonly<Record<string, Readonly<Record<string, readonly [from: string, to: string]>>>>;
  consumed: Readonly<Record<string, { from: Consumed | null; to: Consumed }>>;
  ledger: Partial<Tally>;
  rejected: RejectedManifest | undefined;
  expired: readonly Expired[];
}

const STREAM = 'lakeward.stream.';
const CONSUMED = 'lakeward.consumed.';
const EXPIRED = 'lakeward.expired';

/** Undefined for a snapshot that another program made. */
export function snapshotFacts(snapshot: Snapshot): SnapshotFacts | undefined {
  const summary = snapshot.summary;
  const commitId = summary['lakeward.commit-id'];
  if (commitId === undefined) return undefined;
  const section = <T>(prefix: string) =>
    Object.fromEntries(
      Object.entries(summary)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), parseJson(value) as T]),
    );
  const consumed = section<{ from: Consumed | null; to: Consumed }>(CONSUMED);
  return {
    commitId,
    writer: summary['lakeward.writer'],
    took: section(STREAM),
    consumed: Object.fromEntries(
      Object.entries(consumed).map(([table, { from, to }]) => [
        table,
        { from: from && pointer(from), to: pointer(to) },
      ]),
    ),
    ledger: summary['lakeward.ledger'] ? (parseJson(summary['lakeward.ledger']) as Partial<Tally>) : {},
    rejected: summary['lakeward.rejected']
      ? (parseJson(summary['lakeward.rejected']) as unknown as RejectedManifest)
      : undefined,
    expired: summary[EXPIRED] ? (parseJson(summary[EXPIRED]) as unknown as Expired[]) : [],
  };
}

export const stateKeys = {
  stamp: 'lakeward.stamp',
  positions: 'lakeward.positions',
  ledger: 'lakeward.ledger',
  consumed: 'lakeward.consumed',
  rejected: 'lakeward.rejected',
  adopted: 'lakeward.adopted',
  types: 'lakeward.types',
  detail: 'lakeward.detail',
  droppedBefore: 'lakeward.dropped-before',
  streamPrefix: STREAM,
  consumedPrefix: CONSUMED,
  expired: EXPIRED,
} as const;

/** Rows of days before this one (since 1970) may have been dropped on purpose; undefined when none ever were. */
export function droppedBefore({ metadata }: Table): number | undefined {
  const day = Number(metadata.properties[stateKeys.droppedBefore]);
  return Number.isInteger(day) ? day : undefined;
}

/** Throws Failure `tables.state_undecidable` when a rollback left no way to tell; nothing is guessed. */
export function tableState(table: Table): TableState {
  const { metadata } = table;
  const written = properties(metadata);
  const current = currentSnapshot(metadata);
  const { stamp } = written;
  if (stamp === undefined) return { ...written.state, foreignRows: 0 };
  if (current === undefined) throw undecidable(table, 'it has no current snapshot any more');

  const line = ancestors(metadata, current['snapshot-id']);
  const stamped = metadata.snapshots.find((s) => s['snapshot-id'] === stamp.snapshot);
  if (line.snapshots.some((s) => s['snapshot-id'] === stamp.snapshot)) {
    return { ...written.state, foreignRows: totalRecords(current) - totalRecords(stamped) };
  }
  if (stamped !== undefined) return afterRollback(table, { state: written.state, stamped, current });
  return withStampExpired(table, { state: written.state, stamp, line });
}

/**
 * The stamped snapshot is known but no ancestor of the current one: undo what led from the common ancestor to it,
 * then apply what led from the common ancestor to the current snapshot.
 */
function afterRollback(
  table: Table,
  {
    state,
    stamped,
    current,
  }: { state: Omit<TableState, 'foreignRows'>; stamped: Snapshot; current: Snapshot },
): TableState {
  const undone = ancestors(table.metadata, stamped['snapshot-id']).snapshots;
  const applied = ancestors(table.metadata, current['snapshot-id']).snapshots;
  const appliedIds = new Set(applied.map((s) => s['snapshot-id']));
  const common = undone.find((s) => appliedIds.has(s['snapshot-id']));
  if (common === undefined)
    throw undecidable(table, 'the snapshots between the rollback and our last commit are gone');

  const until = (line: Snapshot[]) => line.slice(0, line.indexOf(common)).map(snapshotFacts);
  let next = state;
  for (const facts of until(undone)) if (facts) next = undo(next, facts);
  for (const facts of until(applied).reverse()) if (facts) next = apply(next, facts);
  return { ...next, foreignRows: foreignSince(applied, next.ledger) };
}

/**
 * The stamped snapshot was expired. Where the current line still leads to it, the property holds. One that was rolled
 * back behind it, or replaced, does not, and what cannot be told is not guessed.
 */
function withStampExpired(
  table: Table,
  { state, stamp, line }: { state: Omit<TableState, 'foreignRows'>; stamp: Stamp; line: Ancestry },
): TableState {
  const reach = reachOf(table, { line, stamp });
  if (reach !== 'reached') throw undecidable(table, UNREACHED[reach]);
  return { ...state, foreignRows: totalRecords(line.snapshots[0]) - rowsOf(state.ledger) };
}

const UNREACHED: Readonly<Record<Exclude<Reach, 'reached'>, string>> = {
  'rolled back': 'it was rolled back to before our last commit, whose snapshot has been expired',
  never: 'its history does not lead to our last commit, whose snapshot has been expired',
  unknown:
    'our last commit and snapshots after it have been expired, and older metadata files do not tell more',
};

/** Whether only snapshots that the table has forgotten can tell its state. */
export function needsForgotten(table: Table): boolean {
  const { metadata } = table;
  const stamp = stampOf(metadata);
  const current = currentSnapshot(metadata);
  if (stamp === undefined || current === undefined) return false;
  if (metadata.snapshots.some((s) => s['snapshot-id'] === stamp.snapshot)) return false;
  return reachOf(table, { line: ancestors(metadata, current['snapshot-id']), stamp }) === 'unknown';
}

function undo(state: Omit<TableState, 'foreignRows'>, facts: SnapshotFacts) {
  return {
    ...state,
    positions: movePositions(state.positions, facts.took, 0),
    ledger: addTally(state.ledger, negative(facts.ledger)),
    consumed: moveConsumed(state.consumed, facts.consumed, 'from'),
    rejected: state.rejected.filter((r) => r.sequenceNumber !== facts.rejected?.sequenceNumber),
  };
}

function apply(state: Omit<TableState, 'foreignRows'>, facts: SnapshotFacts) {
  return {
    ...state,
    positions: movePositions(state.positions, facts.took, 1),
    ledger: addTally(state.ledger, facts.ledger),
    consumed: moveConsumed(state.consumed, facts.consumed, 'to'),
    rejected: facts.rejected ? [...state.rejected, facts.rejected] : state.rejected,
  };
}

/** Sets every shard that the snapshot took to where it began (0) or ended (1); '' stands for unknown before. */
export function movePositions(positions: PositionMap, took: SnapshotFacts['took'], end: 0 | 1): PositionMap {
  const next: Record<string, Record<string, string>> = structuredClone(positions) as never;
  for (const [stream, shards] of Object.entries(took)) {
    const of = next[stream] ?? {};
    next[stream] = of;
    for (const [shard, range] of Object.entries(shards)) {
      const position = range[end];
      if (position === '') delete of[shard];
      else of[shard] = position;
    }
    if (Object.keys(of).length === 0) delete next[stream];
  }
  return next;
}

function moveConsumed(
  consumed: TableState['consumed'],
  moved: SnapshotFacts['consumed'],
  end: 'from' | 'to',
): TableState['consumed'] {
  const next: Record<string, Consumed> = { ...consumed };
  for (const [table, move] of Object.entries(moved)) {
    const pointed = move[end];
    if (pointed === null) delete next[table];
    else next[table] = pointed;
  }
  return next;
}

function properties(metadata: TableMetadata): {
  stamp: Stamp | undefined;
  state: Omit<TableState, 'foreignRows'>;
} {
  const text = (key: string) => metadata.properties[key];
  const json = <T>(key: string, absent: T): T =>
    text(key) === undefined ? absent : (parseJson(text(key)!) as T);
  const consumed = json<Record<string, Consumed>>(stateKeys.consumed, {});
  return {
    stamp: stampOf(metadata),
    state: {
      positions: json<PositionMap>(stateKeys.positions, {}),
      ledger: addTally(emptyTally, json<Partial<Tally>>(stateKeys.ledger, {})),
      consumed: Object.fromEntries(Object.entries(consumed).map(([table, c]) => [table, pointer(c)])),
      rejected: json<RejectedManifest[]>(stateKeys.rejected, []),
      types: json<string[] | undefined>(stateKeys.types, undefined),
    },
  };
}

function stampOf({ properties: { [stateKeys.stamp]: text } }: TableMetadata): Stamp | undefined {
  if (text === undefined) return undefined;
  const { snapshot, sequenceNumber } = parseJson(text) as unknown as Stamp;
  return { snapshot: BigInt(snapshot), sequenceNumber: Number(sequenceNumber) };
}

/** parseJson gives small ids as numbers; ids are bigint everywhere. */
function pointer(c: Consumed): Consumed {
  return { uuid: c.uuid, snapshot: BigInt(c.snapshot), sequenceNumber: Number(c.sequenceNumber) };
}

const negative = (t: Partial<Tally>): Partial<Tally> =>
  Object.fromEntries(Object.entries(t).map(([key, value]) => [key, -value]));

const totalRecords = (snapshot: Snapshot | undefined) => Number(snapshot?.summary['total-records'] ?? 0);

/** Rows that the newest snapshots of others on the line brought, down to our last one; if that is gone, by our books. */
function foreignSince(line: Snapshot[], ledger: Tally): number {
  const ours = line.find((s) => snapshotFacts(s) !== undefined);
  return totalRecords(line[0]) - (ours === undefined ? rowsOf(ledger) : totalRecords(ours));
}

/** Rows of the table by the ledger, those of others included as far as they were entered. */
const rowsOf = ({ written, removed, foreign }: Tally) => written - removed + foreign;

function undecidable(table: Table, why: string): Failure {
  return new Failure(`cannot tell how far ${table.name} has been read`, {
    code: 'tables.state_undecidable',
    fault: 'user',
    why,
    hint: 'roll the table forward to its newest snapshot, or restore one whose history is complete',
    docs: 'docs/ARCHITECTURE.md',
  });
}
