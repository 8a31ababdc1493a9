import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ownerOf } from './rendezvous.ts';

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 });
const shards = Array.from({ length: 40 }, (_, i) => `shardId-${String(i).padStart(12, '0')}`);

it('agrees, in whatever order the workers are known', () => {
  fc.assert(
    fc.property(names, fc.constantFrom(...shards), (workers, shard) => {
      expect(ownerOf(shard, workers.toReversed())).toBe(ownerOf(shard, workers));
      expect(workers).toContain(ownerOf(shard, workers));
    }),
  );
});

it('moves the shards of a worker that is gone, and no other', () => {
  fc.assert(
    fc.property(names, fc.nat(), (workers, index) => {
      const gone = workers[index % workers.length]!;
      const left = workers.filter((worker) => worker !== gone);
      for (const shard of shards) {
        const before = ownerOf(shard, workers);
        if (before !== gone) expect(ownerOf(shard, left)).toBe(before);
      }
    }),
  );
});

it('gives each of eight workers its share of a thousand shards, within a half', () => {
  const workers = Array.from({ length: 8 }, (_, i) => `host-${i}`);
  const counts = new Map(workers.map((worker) => [worker, 0]));
  for (let i = 0; i < 1_000; i++) {
    const owner = ownerOf(`shardId-${i}`, workers)!;
    counts.set(owner, counts.get(owner)! + 1);
  }
  for (const count of counts.values()) expect(Math.abs(count - 125)).toBeLessThan(62);
});

it('has nobody where there are no workers', () => {
  expect(ownerOf('a', [])).toBeUndefined();
});
