/**
 * The one place that writes a table's state. A commit is a compare-and-swap on positions and on what it was judged
 * against: `advance` is called for every attempt with that attempt's base, and refuses when the base holds other
 * positions than the commit starts from, or has changed in a way that its judgement does not survive.
 */
import { stringifyJson } from '../base/base.ts';
import { addTally, type Tally } from '../event/event.ts';
import { ancestors, type Refusal, type Staged, type Table } from '../lake/lake.ts';
import { everAdoptedWith } from './ever-adopted.ts';
import type { OwnTypes } from './placement.ts';
import {
  type Consumed,
  droppedBefore,
  type Expired,
  movePositions,
  PIN,
  type RejectedManifest,
  stateKeys,
  type TableState,
  tableState,
} from './state.ts';

/** The base whose rows a judgement about repeats relied on. */
export interface Judged {
  uuid: string;
  snapshot: bigint;
  /**
   * What may have happened since: `appends` (and replaces) for the window, which only drops for rows that stay
   * there; `replaces` alone for staging, which writes a row because its base holds none.
   */
  survives: 'appends' | 'replaces';
}

export interface Advance {
  writer: string;
  judged?: Judged;
  /**
   * Per stream and shard: where this commit starts and ends; '' as start when the shard was unknown, and as end when
   * its position is needed no longer.
   */
  took?: Readonly<Record<string, Readonly<Record<string, readonly [from: string, to: string]>>>>;
  /** Per table: how far this commit's rows were read from, and to; equal where it does not move. */
  consumed?: readonly { table: string; from: Consumed | undefined; to: Consumed }[];
  tally?: Partial<Tally>;
  /** Quarantine files of this batch, for adoption. */
  rejected?: Omit<RejectedManifest, 'sequenceNumber'>;
  /** Rejected manifests up to this raw sequence number are adopted and need not stand in the property any longer. */
  adoptedUpTo?: number;
  /** This commit adopts manifests that raw named, up to here. */
  adopts?: Consumed;
  /** Rows that leave on purpose, counted as `removed` in the tally: why, and below which day they may be missing. */
  dropped?: { why: string; beforeDay: number };
  expired?: readonly Expired[];
  /** Event types that have partitions of their own with this commit. */
  types?: OwnTypes;
}

export interface Attempt {
  snapshotId: bigint;
  sequenceNumber: number;
}

export function advance(base: Table, attempt: Attempt, change: Advance): Staged | Refusal {
  const before = tableState(base);
  const refusal =
    judgedElsewhere(base, change) ??
    positionsMoved(before.positions, change) ??
    consumedMoved(base, change) ??
    typesTaken(before.types, change);
  if (refusal !== undefined) return { refused: refusal };

  const tally: Partial<Tally> = { ...change.tally };
  if (before.foreignRows !== 0) tally.foreign = (tally.foreign ?? 0) + before.foreignRows;
  const rejected: RejectedManifest | undefined = change.rejected && {
    ...change.rejected,
    sequenceNumber: attempt.sequenceNumber,
  };
  const waiting = before.rejected.filter((r) => r.sequenceNumber > (change.adoptedUpTo ?? -1));
  const consumed = { ...before.consumed };
  for (const { table, to } of change.consumed ?? []) consumed[table] = to;

  const summary: Record<string, string> = { 'lakeward.writer': change.writer };
  for (const [stream, shards] of Object.entries(change.took ?? {})) {
    summary[stateKeys.streamPrefix + stream] = stringifyJson(shards);
  }
  for (const { table, from, to } of change.consumed ?? []) {
    summary[stateKeys.consumedPrefix + table] = stringifyJson({ from: from ?? null, to });
  }
  summary['lakeward.ledger'] = stringifyJson(tally);
  if (rejected) summary['lakeward.rejected'] = stringifyJson(rejected);
  if (change.dropped) summary[stateKeys.detail] = change.dropped.why;
  if (change.expired?.length) summary[stateKeys.expired] = stringifyJson(change.expired);

  return {
    summary,
    properties: {
      [stateKeys.stamp]: stringifyJson({
        snapshot: attempt.snapshotId,
        sequenceNumber: attempt.sequenceNumber,
      }),
      [stateKeys.positions]: stringifyJson(movePositions(before.positions, change.took ?? {}, 1)),
      [stateKeys.ledger]: stringifyJson(addTally(before.ledger, tally)),
      [stateKeys.consumed]: stringifyJson(consumed),
      [stateKeys.rejected]: stringifyJson(rejected ? [...waiting, rejected] : waiting),
      ...(change.adopts && everAdoptedWith(base, change.adopts)),
      ...(change.types && { [stateKeys.types]: stringifyJson(typesWith(before.types, change.types)) }),
      ...(change.dropped && {
        [stateKeys.droppedBefore]: String(
          Math.max(change.dropped.beforeDay, droppedBefore(base) ?? Number.NEGATIVE_INFINITY),
        ),
      }),
    },
  };
}

/** The first, empty commit of a table; every commit then has a base to be judged against. */
export function firstCommit(writer: string) {
  return (_base: Table, attempt: Attempt): Staged => ({
    summary: { 'lakeward.writer': writer, 'lakeward.ledger': '{}' },
    properties: {
      [stateKeys.stamp]: stringifyJson({
        snapshot: attempt.snapshotId,
        sequenceNumber: attempt.sequenceNumber,
      }),
    },
  });
}

function judgedElsewhere(base: Table, { judged }: Advance): string | undefined {
  if (judged === undefined) return undefined;
  if (base.metadata['table-uuid'] !== judged.uuid) return 'the table was dropped and made anew';
  const current = base.metadata['current-snapshot-id'];
  if (current === undefined || current === null) return 'the table has no snapshot';
  for (const snapshot of ancestors(base.metadata, current).snapshots) {
    if (snapshot['snapshot-id'] === judged.snapshot) return undefined;
    const operation = snapshot.summary['operation'];
    const survived = operation === 'replace' || (operation === 'append' && judged.survives === 'appends');
    if (!survived) return `a snapshot of operation ${operation} came in between`;
  }
  return 'the snapshot it was judged against is no ancestor any more';
}

/** A range is valid only where the base stands at its start. */
function positionsMoved(
  positions: Readonly<Record<string, Readonly<Record<string, string>>>>,
  change: Advance,
) {
  for (const [stream, shards] of Object.entries(change.took ?? {})) {
    for (const [shard, [from]] of Object.entries(shards)) {
      const at = positions[stream]?.[shard] ?? '';
      if (at !== from) {
        const name = shard === PIN ? 'the pinned start' : shard;
        return `the position of ${name} is ${at || 'unknown'}, not ${from || 'unknown'}`;
      }
    }
  }
  return undefined;
}

function consumedMoved(base: Table, { consumed = [] }: Advance): string | undefined {
  if (consumed.length === 0) return undefined;
  const state = tableState(base);
  const moved = consumed.find(({ table, from }) => {
    const at = state.consumed[table];
    return at?.snapshot !== from?.snapshot || at?.uuid !== from?.uuid;
  });
  return moved && `${moved.table} was consumed up to another snapshot meanwhile`;
}

const typesWith = (before: TableState['types'], { known, added }: OwnTypes): string[] =>
  [...new Set([...(before ?? known), ...added])].sort();

/** What was free when the files were written, another writer's types have taken. On the base it was judged by, never. */
function typesTaken(before: TableState['types'], { types }: Advance): string | undefined {
  if (types === undefined || before === undefined || before.length <= types.known.length) return undefined;
  const all = typesWith(before, types).length;
  return all > Math.max(types.most, before.length)
    ? `its event types would be ${all}, of ${types.most}: others came meanwhile`
    : undefined;
}
