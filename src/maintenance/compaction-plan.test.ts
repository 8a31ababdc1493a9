import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planPartition, type SizedFile, type TierRules } from './compaction-plan.ts';

const RULES: TierRules = { target_bytes: 100_000, minFiles: 4, groupMost: 500 };

interface Tracked extends SizedFile {
  /** How often the rows of this file that were rewritten most often were. */
  rewrites: number;
}

const ROW_BYTES = 10;
const file = (rows: number, rewrites = 0): Tracked => ({
  recordCount: rows,
  // A footer that is not there twice once two files are one.
  fileSize: 100 + rows * ROW_BYTES,
  rewrites,
});

function rewriteAll(files: readonly Tracked[], { settled = false, rules = RULES } = {}): Tracked[] {
  let live = [...files];
  for (;;) {
    const groups = planPartition(live, { ...rules, settled });
    if (groups.length === 0) return live;
    for (const group of groups) {
      live = live.filter((each) => !group.files.includes(each));
      live.push(
        file(
          group.files.reduce((sum, each) => sum + each.recordCount, 0),
          1 + Math.max(...group.files.map((each) => each.rewrites)),
        ),
      );
    }
  }
}

const rowsOf = (files: readonly SizedFile[]) => files.reduce((sum, each) => sum + each.recordCount, 0);
const tiersOf = (rows: number) => Math.floor(Math.log(rows) / Math.log(RULES.minFiles) + 1e-9) + 1;
const small = (each: SizedFile) => each.fileSize < 0.75 * RULES.target_bytes;

describe('appends compacted as they come', () => {
  const appends = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 300 });

  test('leave few files, rewrite every row O(log n) times, and keep every row', () => {
    fc.assert(
      fc.property(appends, fc.integer({ min: 1, max: 20 }), (sizes, every) => {
        let live: Tracked[] = [];
        for (const [i, rows] of sizes.entries()) {
          live.push(file(rows));
          if (i % every === every - 1) live = rewriteAll(live);
        }
        live = rewriteAll(live);
        const rows = sizes.reduce((sum, each) => sum + each, 0);
        expect(rowsOf(live)).toBe(rows);
        expect(live.filter(small).length).toBeLessThanOrEqual((RULES.minFiles - 1) * tiersOf(rows));
        expect(Math.max(...live.map((each) => each.rewrites))).toBeLessThanOrEqual(tiersOf(rows) + 1);
      }),
    );
  });

  test('and brought together when nothing more comes, leave fewer, each a quarter of the next at most', () => {
    fc.assert(
      fc.property(appends, (sizes) => {
        const live = rewriteAll(
          sizes.map((rows) => file(rows)),
          { settled: true },
        );
        expect(rowsOf(live)).toBe(sizes.reduce((sum, each) => sum + each, 0));
        const rest = live.filter(small).toSorted((a, b) => a.recordCount - b.recordCount);
        for (const [i, each] of rest.entries())
          if (i > 0) expect(each.recordCount).toBeGreaterThan(4 * rowsOf(rest.slice(0, i)));
      }),
    );
  });

  test('that come one late event at a time rewrite a large file rarely', () => {
    let live = [file(5_000)];
    for (let n = 0; n < 1_000; n++) live = rewriteAll([...live, file(1)], { settled: true });
    expect(rowsOf(live)).toBe(6_000);
    expect(Math.max(...live.map((each) => each.rewrites))).toBeLessThan(60);
    expect(live.length).toBeLessThan(8);
  });
});

describe('a plan', () => {
  test('takes no file twice, none that is large enough, and none alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 80 }),
        fc.boolean(),
        (sizes, settled) => {
          const files = sizes.map((rows) => file(rows));
          const groups = planPartition(files, { ...RULES, settled });
          const taken = groups.flatMap((group) => group.files);
          expect(new Set(taken).size).toBe(taken.length);
          expect(taken.every(small)).toBe(true);
          expect(groups.every((group) => group.files.length >= 2)).toBe(true);
        },
      ),
    );
  });

  test('writes files of about the target: none is twice as large', () => {
    const groups = planPartition(
      Array.from({ length: 40 }, () => file(2_000)),
      { ...RULES, settled: false },
    );
    for (const group of groups) {
      const bytes = group.files.reduce((sum, each) => sum + each.fileSize, 0);
      expect(bytes).toBeLessThan(2 * RULES.target_bytes);
    }
    expect(groups.length).toBeGreaterThan(5);
  });

  test('reads no more files in one group than the bound', () => {
    const rules = { ...RULES, groupMost: 10 };
    const groups = planPartition(
      Array.from({ length: 35 }, () => file(1)),
      { ...rules, settled: false },
    );
    expect(groups.map((group) => group.files.length)).toEqual([10, 10, 10, 5]);
  });

  test('of a partition with nothing small is empty', () => {
    expect(planPartition([file(10_000), file(12_000)], { ...RULES, settled: true })).toEqual([]);
    expect(planPartition([], { ...RULES, settled: true })).toEqual([]);
  });
});
