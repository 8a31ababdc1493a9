import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlacedFile, placed } from './raw-rows.ts';
import { type Slice, slicesOf } from './slices.ts';

const tuple = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.constantFrom('a', 'b', '1', 'a\0b'));
const file = fc.record({
  partition: fc.option(tuple, { nil: undefined, freq: 8 }),
  rows: fc.integer({ min: 1, max: 30_000 }),
});
const at = (path: string) => ({ location: `file://${path}`, fileSize: 0 });
const filesOf = (made: { partition: [number, string] | undefined; rows: number }[]): PlacedFile[] =>
  placed(
    made.map(({ partition, rows }, i) => ({
      ...at(`/${i}.parquet`),
      sequenceNumber: i,
      rows,
      ...(partition && { partition }),
    })),
    made.map((_, i) => `/${i}.parquet`),
  );
const limits = fc.record({
  lanes: fc.integer({ min: 1, max: 4 }),
  partitions: fc.integer({ min: 1, max: 6 }),
});

const key = (partition: unknown) => JSON.stringify(partition);
const cost = (slice: Slice) => slice.rows + slice.files.length * 1_000;
const sayable = ({ partition }: PlacedFile) => partition !== undefined && !key(partition).includes('\\u0000');

describe('any files', () => {
  it('are each in one slice, all of a partition in the same, and a slice has no more partitions than it may', () => {
    fc.assert(
      fc.property(fc.array(file, { maxLength: 40 }), limits, (made, limit) => {
        const files = filesOf(made);
        const slices = slicesOf(files, limit);
        expect(slices.flatMap((s) => s.files.map((f) => f.path)).sort()).toEqual(
          files.map((f) => f.path).sort(),
        );
        const said = slices.flatMap((s) => s.partitions?.map(key) ?? []);
        expect(new Set(said).size).toBe(said.length);
        for (const slice of slices) {
          expect(slice.rows).toBe(slice.files.reduce((sum, { rows }) => sum + rows, 0));
          if (slice.partitions === undefined) {
            expect(slice.files.some(sayable)).toBe(false);
            continue;
          }
          expect(slice.partitions.length).toBeLessThanOrEqual(limit.partitions);
          expect(new Set(slice.files.map((f) => key(f.partition)))).toEqual(
            new Set(slice.partitions.map(key)),
          );
        }
      }),
    );
  });

  it('differ between slices by one partition at most where no slice is full, and come costliest first', () => {
    fc.assert(
      fc.property(fc.array(file, { minLength: 1, maxLength: 40 }), (made) => {
        const files = filesOf(made).filter(sayable);
        const costs = slicesOf(files, { lanes: 3, partitions: 1_000 }).map(cost);
        expect(costs.length).toBeLessThanOrEqual(3);
        expect(costs).toEqual(costs.toSorted((a, b) => b - a));
        const byPartition = Map.groupBy(files, (f) => key(f.partition));
        const largest = Math.max(
          0,
          ...[...byPartition.values()].map((of) => of.reduce((sum, f) => sum + f.rows + 1_000, 0)),
        );
        if (costs.length > 1) expect(costs[0]! - costs.at(-1)!).toBeLessThanOrEqual(largest);
      }),
    );
  });
});

it('thousands of partitions are whole rounds of the lanes, so that no lane idles through the last', () => {
  const files = filesOf(
    Array.from({ length: 3_400 }, (_, day) => ({ partition: [day, 'lesson'] as [number, string], rows: 4 })),
  );
  const slices = slicesOf(files, { lanes: 2, partitions: 125 });
  expect(slices.length).toBe(28);
  const sizes = slices.map(({ files }) => files.length);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
});

it('little work is one slice: a second connection would cost more than it saves', () => {
  const files = filesOf([1, 2, 3].map((day) => ({ partition: [day, 'lesson'], rows: 100 })));
  expect(slicesOf(files, { lanes: 2, partitions: 125 }).length).toBe(1);
});

it('partitions whose values only look alike are told apart', () => {
  const [one, two] = placed(
    [
      { ...at('/1'), sequenceNumber: 1, rows: 1, partition: [1, '1'] },
      { ...at('/2'), sequenceNumber: 1, rows: 1, partition: [1, null] },
    ],
    ['/1', '/2'],
  ) as [PlacedFile, PlacedFile];
  const [slice] = slicesOf([one, two], { lanes: 1, partitions: 9 });
  expect(slice!.partitions).toEqual([
    [1, '1'],
    [1, null],
  ]);
});
