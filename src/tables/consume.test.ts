import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  currentId,
  editTable,
  expireSnapshots,
  foreignSnapshot,
  loaded,
  setMain,
} from '../../tests/support/edited-table.ts';
import { commit, type RawLake, rawFile, rawLake } from '../../tests/support/raw-commits.ts';
import type { Table } from '../lake/lake.ts';
import { nextPortion, type Portion } from './consume.ts';
import { type Consumed, RAW_NAME } from './tables.ts';

const ALL = 1_000_000;

async function portion(raw: RawLake, consumed?: Consumed, maxRows = ALL): Promise<Portion | undefined> {
  return nextPortion(raw.lake, { table: await loaded(raw.lake, RAW_NAME), consumed, maxRows });
}

/** Row counts tell the files of these tests apart. */
const rowsIn = (some: Portion | undefined) =>
  some?.files.map((file) => file.recordCount).sort((a, b) => a - b);

const upTo = (table: Table): Consumed => ({
  uuid: table.metadata['table-uuid'],
  snapshot: currentId(table),
  sequenceNumber: table.metadata['last-sequence-number'],
});

describe('what a consumer reads next', () => {
  test('is nothing of a table without rows, or without new ones', async () => {
    const raw = await rawLake();
    expect(await portion(raw)).toBeUndefined();
    const newest = await commit(raw.lake, { rows: 1 });
    expect(await portion(raw, upTo(newest))).toBeUndefined();
    await commit(raw.lake, {});
    await commit(raw.lake, { operation: 'replace' });
    expect(await portion(raw, upTo(newest))).toBeUndefined();
  });

  test('is everything at first, then only what was appended since, of ours and of others', async () => {
    const raw = await rawLake();
    await commit(raw.lake, { rows: 1 });
    const first = await commit(raw.lake, { rows: 2 });
    expect(rowsIn(await portion(raw))).toEqual([1, 2]);
    await commit(raw.lake, { rows: 4 });
    const newest = await foreignSnapshot(raw, RAW_NAME, { files: [rawFile(raw.lake, first, 8)] });
    const next = await portion(raw, upTo(first));
    expect(rowsIn(next)).toEqual([4, 8]);
    expect(next?.to).toEqual(upTo(newest));
  });

  test('ends at the last snapshot that keeps it within maxRows', async () => {
    const raw = await rawLake();
    const tables = [];
    for (const rows of [3, 4, 5]) tables.push(await commit(raw.lake, { rows }));
    const first = await portion(raw, undefined, 8);
    expect(rowsIn(first)).toEqual([3, 4]);
    expect(first?.to).toEqual(upTo(tables[1]!));
    const second = await portion(raw, first?.to, 8);
    expect(rowsIn(second)).toEqual([5]);
    expect(second?.to).toEqual(upTo(tables[2]!));
    expect(await portion(raw, second?.to, 8)).toBeUndefined();
  });

  test('takes a snapshot that is larger than maxRows whole: consumed can only name snapshots', async () => {
    const raw = await rawLake();
    const large = await commit(raw.lake, { rows: 100 });
    await commit(raw.lake, { rows: 1 });
    const next = await portion(raw, undefined, 10);
    expect(rowsIn(next)).toEqual([100]);
    expect(next?.to).toEqual(upTo(large));
  });

  test('after a rollback of raw is what came since the place where the two lines part', async () => {
    const raw = await rawLake();
    const fork = await commit(raw.lake, { rows: 1 });
    const consumed = upTo(await commit(raw.lake, { rows: 2 }));
    await setMain(raw, RAW_NAME, currentId(fork));
    expect(await portion(raw, consumed)).toBeUndefined();
    const other = await commit(raw.lake, { rows: 4 });
    const next = await portion(raw, consumed);
    expect(rowsIn(next)).toEqual([4]);
    expect(next?.to).toEqual(upTo(other));
  });

  test('after raw was rolled forward again includes what that branch holds', async () => {
    const raw = await rawLake();
    const fork = await commit(raw.lake, { rows: 1 });
    const left = await commit(raw.lake, { rows: 2 });
    await setMain(raw, RAW_NAME, currentId(fork));
    const right = await commit(raw.lake, { rows: 4 });
    await setMain(raw, RAW_NAME, currentId(left));
    expect(rowsIn(await portion(raw, upTo(right)))).toEqual([2]);
  });

  test('is everything of a table that was made anew, or whose consumed snapshot is gone', async () => {
    const raw = await rawLake();
    const first = await commit(raw.lake, { rows: 1 });
    await commit(raw.lake, { rows: 2 });
    expect(rowsIn(await portion(raw, { ...upTo(first), uuid: 'another' }))).toEqual([1, 2]);
    await expireSnapshots(raw, RAW_NAME, [currentId(first)]);
    expect(rowsIn(await portion(raw, upTo(first)))).toEqual([1, 2]);
  });

  test('is nothing where raw has no current snapshot', async () => {
    const raw = await rawLake();
    await commit(raw.lake, { rows: 1 });
    await editTable(raw, RAW_NAME, (metadata) => {
      metadata['current-snapshot-id'] = null;
    });
    expect(await portion(raw)).toBeUndefined();
  });

  test('misses no row, whatever commits, rollbacks and expiries come between portions', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('append' as const), rows: fc.nat(3) }) },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('read' as const), maxRows: fc.integer({ min: 1, max: 6 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), to: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const), which: fc.nat() }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (script) => {
        const raw = await rawLake();
        const read = new Set<string>();
        let consumed: Consumed | undefined;
        const take = async (maxRows: number) => {
          const next = await portion(raw, consumed, maxRows);
          for (const file of next?.files ?? []) read.add(file.location);
          consumed = next?.to ?? consumed;
          return next !== undefined;
        };
        for (const step of script) {
          const table = await loaded(raw.lake, RAW_NAME);
          const ids = table.metadata.snapshots.map((s) => s['snapshot-id']);
          if (step.do === 'append') {
            const files = step.rows === 0 ? [] : [rawFile(raw.lake, table, step.rows)];
            await foreignSnapshot(raw, RAW_NAME, { files });
          } else if (step.do === 'read') await take(step.maxRows);
          else if (step.do === 'move') await setMain(raw, RAW_NAME, ids[step.to % ids.length]!);
          else {
            const others = ids.filter((id) => id !== currentId(table));
            if (others.length > 0)
              await expireSnapshots(raw, RAW_NAME, [others[step.which % others.length]!]);
          }
        }
        while (await take(3));
        const { files } = await raw.lake.files(await loaded(raw.lake, RAW_NAME));
        expect(files.filter(({ location }) => !read.has(location))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
