/**
 * What becomes of a stream's shards when they are split and merged. Pure: the catalog takes the result in one
 * replacement, so that a crash leaves all of a reshard or nothing. The open shards own every hash key exactly once,
 * before and after; a child's numbers are above all of its parents', for the time of creation stands above the index.
 */
import { evenHashKeyRanges, shardIdOf } from '../kinesis/kinesis.ts';
import type { ShardEntry } from './catalog.ts';

export interface ReshardTime {
  at_ms: number;
  /** Above that of every shard which the folder ever had. */
  createdAt_s: number;
}

export type Reshard = (shards: readonly ShardEntry[], time: ReshardTime) => ShardEntry[];

export function split({ index, at }: { index: number; at: bigint }): Reshard {
  return (shards, time) => {
    const { startingHashKey, endingHashKey } = shards.find((shard) => shard.index === index)!;
    return succeed(shards, [index], time, [
      { startingHashKey, endingHashKey: String(at - 1n) },
      { startingHashKey: String(at), endingHashKey },
    ]);
  };
}

export function merge({ index, adjacent }: { index: number; adjacent: number }): Reshard {
  return (shards, time) => {
    const pair = [index, adjacent].map((wanted) => shards.find((shard) => shard.index === wanted)!);
    const [low, high] = pair.sort((a, b) => (start(a) < start(b) ? -1 : 1));
    const range = { startingHashKey: low!.startingHashKey, endingHashKey: high!.endingHashKey };
    return succeed(shards, [index, adjacent], time, [range]);
  };
}

/**
 * To so many shards of even width: splits at every new border, then merges what lies between two. Shards that only
 * the way needed are left closed and empty, as they are on AWS.
 */
export function scale(count: number): Reshard {
  return (shards, time) => {
    const ranges = evenHashKeyRanges(count);
    let now = [...shards];
    for (const { start: at } of ranges.slice(1)) {
      const cut = openShards(now).find((shard) => start(shard) < at && at <= BigInt(shard.endingHashKey));
      if (cut) now = split({ index: cut.index, at })(now, time);
    }
    for (const range of ranges)
      for (;;) {
        const inside = openShards(now).filter((s) => start(s) >= range.start && start(s) <= range.end);
        if (inside.length === 1) break;
        now = merge({ index: inside[0]!.index, adjacent: inside[1]!.index })(now, time);
      }
    return now;
  };
}

/** Whether one begins where the other ends. */
export function areAdjacent(a: ShardEntry, b: ShardEntry): boolean {
  const touch = (low: ShardEntry, high: ShardEntry) => BigInt(low.endingHashKey) + 1n === start(high);
  return touch(a, b) || touch(b, a);
}

/** The shards that are open before and closed after: no record may come to them while it happens. */
export function closedBy(before: readonly ShardEntry[], after: readonly ShardEntry[]): ShardEntry[] {
  const closed = new Set(after.filter(({ closedAt_ms }) => closedAt_ms !== undefined).map((s) => s.index));
  return openShards(before).filter(({ index }) => closed.has(index));
}

/**
 * Closed shards that time has taken away, of those that `isOver` names. Parents go before their children, and the two
 * parents of a merge together: the shards without a parent in the list always own every hash key.
 */
export function expired(
  shards: readonly ShardEntry[],
  isOver: (shard: ShardEntry) => boolean,
): Set<ShardEntry> {
  const byId = new Map(shards.map((shard) => [shardIdOf(shard.index), shard]));
  const gone = new Set<ShardEntry>();
  const parentsOf = ({ parents }: ShardEntry) => parents.flatMap((id) => byId.get(id) ?? []);
  for (;;) {
    const ready = new Set(shards.filter((s) => isOver(s) && parentsOf(s).every((p) => gone.has(p))));
    const held = shards
      .filter((child) => !parentsOf(child).every((parent) => ready.has(parent)))
      .flatMap(parentsOf);
    const going = [...ready].filter((shard) => !gone.has(shard) && !held.includes(shard));
    if (going.length === 0) return gone;
    for (const shard of going) gone.add(shard);
  }
}

function openShards(shards: readonly ShardEntry[]): ShardEntry[] {
  return shards.filter((s) => s.closedAt_ms === undefined).sort((a, b) => (start(a) < start(b) ? -1 : 1));
}

function start({ startingHashKey }: ShardEntry): bigint {
  return BigInt(startingHashKey);
}

type Range = Pick<ShardEntry, 'startingHashKey' | 'endingHashKey'>;

/** Closes the parents and gives them children. */
function succeed(
  shards: readonly ShardEntry[],
  parents: readonly number[],
  { at_ms, createdAt_s }: ReshardTime,
  ranges: readonly Range[],
): ShardEntry[] {
  const isParent = ({ index }: ShardEntry) => parents.includes(index);
  const newest_s = Math.max(...shards.filter(isParent).map((shard) => shard.createdAt_s));
  const next = Math.max(...shards.map(({ index }) => index)) + 1;
  const children = ranges.map((range, i) => ({
    index: next + i,
    createdAt_s: Math.max(createdAt_s, newest_s + 1),
    openedAt_ms: at_ms,
    ...range,
    parents: parents.map(shardIdOf),
  }));
  return [...shards.map((s) => (isParent(s) ? { ...s, closedAt_ms: at_ms } : s)), ...children];
}
