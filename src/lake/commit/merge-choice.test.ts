import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../tests/support/seeded-random.ts';
import { OVERLAPPING_MOST, toRewrite } from './merge-choice.ts';

const MANIFEST_FILES = 10;

/** A manifest by the days of its files. */
interface Days {
  days: readonly number[];
}

const listed = ({ days }: Days) => ({
  ...{ days, specId: 0, addedFiles: days.length, existingFiles: 0 },
  partitions: [{ containsNull: false, lower: Math.min(...days), upper: Math.max(...days) }],
});
type Listed = ReturnType<typeof listed>;

/** As entries are written anew: sorted, and cut where a manifest is full. */
function written(group: readonly Listed[]): Listed[] {
  const days = group.flatMap((each) => each.days).sort((a, b) => a - b);
  const count = Math.ceil(days.length / MANIFEST_FILES);
  return Array.from({ length: count }, (_, at) =>
    listed({ days: days.slice(at * MANIFEST_FILES, (at + 1) * MANIFEST_FILES) }),
  );
}

function merged(manifests: readonly Listed[]): { manifests: Listed[]; files: number } | undefined {
  const groups = toRewrite(manifests, MANIFEST_FILES);
  if (groups.length === 0) return undefined;
  const gone = new Set(groups.flat());
  return {
    manifests: [...manifests.filter((each) => !gone.has(each)), ...groups.flatMap(written)],
    files: [...gone].reduce((sum, { days }) => sum + days.length, 0),
  };
}

const rangeOf = ({ partitions }: Listed) => partitions[0]!;

/** Manifests that a question about the day has to open. */
const over = (manifests: readonly Listed[], day: number) =>
  manifests.filter((each) => rangeOf(each).lower <= day && day <= rangeOf(each).upper).length;

const anyManifests = fc
  .array(fc.array(fc.nat(60), { minLength: 1, maxLength: MANIFEST_FILES }), { maxLength: 60 })
  .map((all) => all.map((days) => listed({ days })));

describe('what is merged', () => {
  test('keeps every file, comes to an end, and leaves few manifests over any day', () => {
    fc.assert(
      fc.property(anyManifests, (before) => {
        let now = before;
        for (let rounds = 0; ; rounds++) {
          expect(rounds).toBeLessThan(before.length + 2);
          const next = merged(now);
          if (next === undefined) break;
          now = next.manifests;
        }
        const all = (manifests: readonly Listed[]) =>
          manifests.flatMap(({ days }) => days).sort((a, b) => a - b);
        expect(all(now)).toEqual(all(before));
        const wide = now.filter((each) => rangeOf(each).lower < rangeOf(each).upper);
        const full = wide.filter(({ days }) => days.length >= MANIFEST_FILES);
        for (let day = 0; day <= 60; day++) expect(over(full, day)).toBeLessThan(OVERLAPPING_MOST);
        expect(now.length - full.length).toBeLessThan(before.length + 1);
      }),
    );
  });

  test('is sorted in portions: no more is held than ten manifests’ worth', () => {
    fc.assert(
      fc.property(anyManifests, (manifests) => {
        for (const group of toRewrite(manifests, MANIFEST_FILES))
          expect(group.reduce((sum, { days }) => sum + days.length, 0)).toBeLessThanOrEqual(
            10 * MANIFEST_FILES,
          );
      }),
    );
  });

  test('through a year with late events each file is written a few times, and a day stays in few manifests', () => {
    const random = seededRandom(7);
    let manifests: Listed[] = [];
    let [files, rewritten] = [0, 0];
    for (let day = 0; day < 365; day++) {
      for (let commit = 0; commit < 8; commit++) {
        // One in twenty is of any day before.
        const days = Array.from({ length: 5 }, () => (random() < 0.05 ? Math.floor(random() * day) : day));
        manifests.push(listed({ days }));
        files += days.length;
      }
      const next = merged(manifests);
      if (next === undefined) continue;
      manifests = next.manifests;
      rewritten += next.files;
    }
    const opened = Array.from({ length: 365 }, (_, day) => over(manifests, day));
    expect(Math.max(...opened)).toBeLessThan(2 * OVERLAPPING_MOST);
    expect(rewritten / files).toBeLessThan(10);
  });
});
