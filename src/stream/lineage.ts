/**
 * Which shards may be read now, and from where. The order of a key holds across a reshard only when every parent is
 * read to its end before a child begins; and a child begins at its own beginning, or what arrived between the reshard
 * and our noticing it would be lost.
 */
import type { Position, ShardInfo } from './stream.ts';
import { isOver } from './taken.ts';

export interface Progress {
  /** By shard: of this taking, those that it began with, and what others committed. */
  positions: ReadonlyMap<string, Position>;
  pin: Position;
}

/** Where to begin reading the shard; undefined while a parent is unread, and for a shard that is over. */
export function startOf(
  shard: ShardInfo,
  listed: ReadonlyMap<string, ShardInfo>,
  { positions, pin }: Progress,
): Position | undefined {
  const own = positions.get(shard.id);
  if (own !== undefined) return isOver(own) ? undefined : own;
  // A parent that is not listed any more was trimmed: nothing of it can be read.
  const unread = shard.parents.some((id) => listed.has(id) && !isOver(positions.get(id)));
  if (unread) return undefined;
  const known = shard.parents.some((id) => positions.has(id) && positions.get(id) !== 'passed');
  return known ? 'TRIM_HORIZON' : pin;
}

/** Shards that are over and whose position nothing needs: they are not listed any more, all their children have one. */
export function forgettable(
  listed: ReadonlyMap<string, ShardInfo>,
  positions: ReadonlyMap<string, Position>,
): string[] {
  const needed = new Set<string>();
  for (const { id, parents } of listed.values()) {
    if (!positions.has(id)) for (const parent of parents) needed.add(parent);
  }
  const isLeft = ([id, position]: [string, Position]) =>
    isOver(position) && !listed.has(id) && !needed.has(id);
  return [...positions].filter(isLeft).map(([id]) => id);
}
