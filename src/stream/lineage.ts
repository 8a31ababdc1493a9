/**
 * Which shards may be read now, and from where. The order of a key holds across a reshard only when every parent is
 * read to its end before a child begins; and a child begins at its own beginning, or what arrived between the reshard
 * and our noticing it would be lost.
 */
import type { Position, ShardInfo } from './stream.ts';

export interface Progress {
  /** By shard, those of this taking and those that it began with. */
  positions: ReadonlyMap<string, Position>;
  /**
   * Shards that closed before the pin, as far as we can tell: they gave no record from there on. They keep no
   * position, and their children begin at the pin too: a start at "now" does not bring the records of days ago only
   * because the stream was resharded since.
   */
  passed: ReadonlySet<string>;
  pin: Position;
}

/** Where to begin reading the shard; undefined while a parent is unread, and for a shard that was read to its end. */
export function startOf(
  shard: ShardInfo,
  listed: ReadonlyMap<string, ShardInfo>,
  { positions, passed, pin }: Progress,
): Position | undefined {
  if (passed.has(shard.id)) return undefined;
  const own = positions.get(shard.id);
  if (own !== undefined) return own === 'end' ? undefined : own;
  // A parent that is not listed any more was trimmed: nothing of it can be read.
  const unread = shard.parents.some((id) => listed.has(id) && positions.get(id) !== 'end' && !passed.has(id));
  if (unread) return undefined;
  return shard.parents.some((id) => positions.has(id)) ? 'TRIM_HORIZON' : pin;
}

/** Shards at `end` whose position nothing needs: they are not listed any more, and all their children have positions. */
export function forgettable(
  listed: ReadonlyMap<string, ShardInfo>,
  positions: ReadonlyMap<string, Position>,
): string[] {
  const needed = new Set<string>();
  for (const { id, parents } of listed.values()) {
    if (!positions.has(id)) for (const parent of parents) needed.add(parent);
  }
  const isOver = ([id, position]: [string, Position]) =>
    position === 'end' && !listed.has(id) && !needed.has(id);
  return [...positions].filter(isOver).map(([id]) => id);
}
