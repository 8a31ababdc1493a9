/** Format version 3: every row has an id, and keeps it however its manifests are written anew. */
import { expect, test } from 'vitest';
import { append, nothingStaged, SMALL, smallFile, smallLake } from '../../../tests/support/small-lake.ts';
import { currentSnapshot, type DataFile, type Lake, type Table } from '../lake.ts';

const create = (lake: Lake) =>
  lake.create('raw.events', SMALL, { commitId: 'creation', stage: nothingStaged });

async function filled(lake: Lake, commits: readonly (readonly number[])[]): Promise<Table> {
  let table = await create(lake);
  for (const [i, rows] of commits.entries()) {
    const files = rows.map((count, day) => smallFile(lake, table, { rows: count, day }));
    table = await append(lake, table, { commitId: `commit ${i}`, files });
  }
  return table;
}

async function idsOf(lake: Lake, table: Table): Promise<Map<string, number>> {
  const { files } = await lake.files(table);
  return new Map(files.map(({ location, firstRowId }) => [location, firstRowId!]));
}

/** Every row has an id below the table's next, and no id is given twice. */
function expectApart(files: readonly DataFile[], table: Table): void {
  const spans = files
    .map(({ firstRowId, recordCount }) => [firstRowId!, firstRowId! + recordCount] as const)
    .toSorted(([a], [b]) => a - b);
  for (const [i, [from, to]] of spans.entries()) {
    expect(from).toBeGreaterThanOrEqual(spans[i - 1]?.[1] ?? 0);
    expect(to).toBeLessThanOrEqual(table.metadata['next-row-id']!);
  }
}

test('ids go out in the order of commits, and the table says which is next', async () => {
  const { lake } = smallLake({ formatVersion: 3 });
  const table = await filled(lake, [[10, 5], [3], [7, 7, 7]]);
  expect(table.metadata).toMatchObject({ 'format-version': 3, 'next-row-id': 39 });
  expect(currentSnapshot(table.metadata)).toMatchObject({ 'first-row-id': 18, 'added-rows': 21 });
  const { files } = await lake.files(table);
  expect(files.map(({ firstRowId }) => firstRowId).toSorted((a, b) => a! - b!)).toEqual([
    0, 10, 15, 18, 25, 32,
  ]);
  expectApart(files, table);
});

test('files keep their ids when their manifests are merged, and when others beside them are removed', async () => {
  const { lake } = smallLake({ formatVersion: 3 });
  let table = await filled(lake, [[10, 5], [3, 4], [2]]);
  const before = await idsOf(lake, table);
  const commit = async (change: Partial<Parameters<Lake['commit']>[1]>, commitId: string) => {
    const whole = { operation: 'replace' as const, manifests: [], ...change };
    table = (await lake.commit(table, { commitId, stage: nothingStaged, ...whole })).table;
  };
  const merge = await lake.mergeManifests(table);
  await commit({ merge: merge! }, 'merge');
  expect(await idsOf(lake, table)).toEqual(before);

  const [gone] = (await lake.files(table)).files;
  await commit({ operation: 'overwrite', remove: [gone!] }, 'remove');
  before.delete(gone!.location);
  expect(await idsOf(lake, table)).toEqual(before);

  table = await append(lake, table, { commitId: 'last', files: [smallFile(lake, table, { rows: 8 })] });
  const { files } = await lake.files(table);
  expect(await idsOf(lake, table)).toEqual(new Map([...before, ...(await idsOf(lake, table))]));
  expectApart(files, table);
});

test('a table of version 2 numbers nothing', async () => {
  const { lake } = smallLake();
  const table = await filled(lake, [[10]]);
  expect(table.metadata['format-version']).toBe(2);
  expect(currentSnapshot(table.metadata)).not.toHaveProperty('first-row-id');
  expect((await lake.files(table)).files[0]).not.toHaveProperty('firstRowId');
});
