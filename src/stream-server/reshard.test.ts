import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evenHashKeyRanges, HASH_KEY_MAX, shardIdOf } from '../kinesis/kinesis.ts';
import type { ShardEntry } from './catalog.ts';
import { areAdjacent, closedBy, expired, merge, type Reshard, scale, split } from './reshard.ts';

function begun(count: number): ShardEntry[] {
  return evenHashKeyRanges(count).map(({ start, end }, index) => ({
    index,
    createdAt_s: 100,
    openedAt_ms: 100_000,
    startingHashKey: String(start),
    endingHashKey: String(end),
    parents: [],
  }));
}

const open = (shards: readonly ShardEntry[]) =>
  shards
    .filter(({ closedAt_ms }) => closedAt_ms === undefined)
    .sort((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1));

/** Every key in exactly one of them. */
function expectCovered(shards: readonly ShardEntry[]): void {
  let next = 0n;
  for (const { startingHashKey, endingHashKey } of shards) {
    expect(BigInt(startingHashKey)).toBe(next);
    next = BigInt(endingHashKey) + 1n;
  }
  expect(next).toBe(HASH_KEY_MAX + 1n);
}

interface Step {
  kind: 'split' | 'merge' | 'scale';
  at: number;
  to: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('split', 'merge', 'scale'),
  at: fc.nat(),
  to: fc.nat(),
});
const history = { shards: fc.integer({ min: 1, max: 5 }), steps: fc.array(step, { maxLength: 8 }) };

/** A change that is possible on these shards. */
function planOf(shards: readonly ShardEntry[], { kind, at, to }: Step): Reshard {
  const now = open(shards);
  const one = now[at % now.length]!;
  const next = now[(at % now.length) + 1];
  if (kind === 'merge' && next) return merge({ index: one.index, adjacent: next.index });
  const width = BigInt(one.endingHashKey) - BigInt(one.startingHashKey);
  if (kind === 'scale' || width < 4n) return scale(1 + (to % (now.length * 2)));
  return split({ index: one.index, at: BigInt(one.startingHashKey) + 2n + (BigInt(to) % (width - 2n)) });
}

/** The shards after every step, the first ones included; a step each second. */
function* states({ shards, steps }: { shards: number; steps: Step[] }): Generator<ShardEntry[]> {
  let now = begun(shards);
  yield now;
  for (const [i, one] of steps.entries()) {
    now = planOf(now, one)(now, { at_ms: 200_000 + i * 1000, createdAt_s: 200 + i });
    yield now;
  }
}

test('whatever is split and merged, the open shards own every key once, and no index comes twice', () => {
  fc.assert(
    fc.property(fc.record(history), (run) => {
      for (const shards of states(run)) {
        expectCovered(open(shards));
        expect(new Set(shards.map(({ index }) => index)).size).toBe(shards.length);
      }
    }),
  );
});

test('a child takes over keys of each parent, was opened when they closed, and has higher numbers', () => {
  fc.assert(
    fc.property(fc.record(history), (run) => {
      const shards = [...states(run)].at(-1)!;
      for (const child of shards)
        for (const id of child.parents) {
          const parent = shards.find(({ index }) => shardIdOf(index) === id)!;
          expect(parent.closedAt_ms).toBe(child.openedAt_ms);
          expect(child.createdAt_s).toBeGreaterThan(parent.createdAt_s);
          expect(child.index).toBeGreaterThan(parent.index);
          expect(BigInt(child.startingHashKey) <= BigInt(parent.endingHashKey)).toBe(true);
          expect(BigInt(child.endingHashKey) >= BigInt(parent.startingHashKey)).toBe(true);
        }
    }),
  );
});

test('scaling ends with shards of even width, and touches only those that change', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 24 }), (from, to) => {
      const before = begun(from);
      const after = scale(to)(before, { at_ms: 1, createdAt_s: 200 });
      expect(open(after).map((s) => [BigInt(s.startingHashKey), BigInt(s.endingHashKey)])).toEqual(
        evenHashKeyRanges(to).map(({ start, end }) => [start, end]),
      );
      expect(closedBy(before, after)).toEqual(
        before.filter((shard) => !open(after).some(({ index }) => index === shard.index)),
      );
    }),
  );
});

test('the parents of a merge are named in the order of the request, whichever is the lower one', () => {
  const [child] = open(merge({ index: 1, adjacent: 0 })(begun(2), { at_ms: 1, createdAt_s: 200 }));
  expect(child).toMatchObject({
    parents: ['shardId-000000000001', 'shardId-000000000000'],
    startingHashKey: '0',
    endingHashKey: String(HASH_KEY_MAX),
  });
});

test('only shards that touch are adjacent, and none is to itself', () => {
  const [a, b, c] = begun(3) as [ShardEntry, ShardEntry, ShardEntry];
  expect([areAdjacent(a, b), areAdjacent(b, a), areAdjacent(a, c), areAdjacent(a, a)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('whichever closed shards are over, those left without a parent own every key once', () => {
  fc.assert(
    fc.property(fc.record(history), fc.infiniteStream(fc.boolean()), (run, coin) => {
      let left = [...states(run)].at(-1)!;
      for (let round = 0; round < 3; round++) {
        const over = new Set(left.filter((s) => s.closedAt_ms !== undefined && coin.next().value));
        const gone = expired(left, (shard) => over.has(shard));
        for (const shard of gone) expect(over.has(shard)).toBe(true);
        left = left.filter((shard) => !gone.has(shard));
        const ids = new Set(left.map(({ index }) => shardIdOf(index)));
        const oldest = left.filter(({ parents }) => !parents.some((id) => ids.has(id)));
        expectCovered(
          oldest.sort((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1)),
        );
      }
    }),
  );
});

test('once all closed shards are over, none is left', () => {
  fc.assert(
    fc.property(fc.record(history), (run) => {
      const shards = [...states(run)].at(-1)!;
      const gone = expired(shards, ({ closedAt_ms }) => closedAt_ms !== undefined);
      expect(shards.filter((shard) => !gone.has(shard))).toEqual(shards.filter((s) => !s.closedAt_ms));
    }),
  );
});
