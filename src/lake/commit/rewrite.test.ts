import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editTable } from '../../../tests/support/edited-table.ts';
import {
  append,
  createSmall,
  locationsOf,
  nothingStaged,
  type SmallFile,
  smallFile,
  smallLake,
} from '../../../tests/support/small-lake.ts';
import { ancestors, type Change, type DataFile, type Lake, type Table } from '../lake.ts';

let commits = 0;
const change = (part: Partial<Change>): Change => ({
  commitId: `rewrite ${++commits}`,
  operation: 'replace',
  manifests: [],
  stage: nothingStaged,
  ...part,
});

async function committed(lake: Lake, table: Table, part: Partial<Change>): Promise<Table> {
  const outcome = await lake.commit(table, change(part));
  if (outcome.kind !== 'committed') throw new Error(`${outcome.kind}: ${outcome.why}`);
  return outcome.table;
}

/** A table to which each list of files was appended by a commit of its own. */
async function tableOf(lake: Lake, ...appended: SmallFile[][]): Promise<Table> {
  let table = await createSmall(lake);
  for (const [at, files] of appended.entries()) {
    const made = files.map((file) => smallFile(lake, table, file));
    table = await append(lake, table, { commitId: `append ${at}`, files: made });
  }
  return table;
}

const filesOf = async (lake: Lake, table: Table, afterSequenceNumber?: number) =>
  (await lake.files(table, afterSequenceNumber === undefined ? {} : { afterSequenceNumber })).files;
const summaryOf = (table: Table) => table.metadata.snapshots.at(-1)!.summary;

/** One file in place of these, as compaction makes it. */
const inPlaceOf = (lake: Lake, table: Table, files: readonly DataFile[]): DataFile => ({
  ...smallFile(lake, table, { rows: files.reduce((rows, file) => rows + file.recordCount, 0) }),
  partition: files[0]!.partition,
  sequenceNumber: Math.max(...files.map((file) => file.sequenceNumber!)),
});

describe('a commit that removes files', () => {
  test('puts others in their place, and the summary counts both', async () => {
    const { lake } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }, { kind: 'other', rows: 5 }], [{ rows: 4 }]);
    const old = (await filesOf(lake, table)).filter((file) => file.partition[1] === 'lesson');
    const file = inPlaceOf(lake, table, old);
    const next = await committed(lake, table, { remove: old, manifests: await lake.prepare(table, [file]) });
    const live = await filesOf(lake, next);
    expect(live.map((each) => [each.partition[1], each.recordCount])).toEqual([
      ['other', 5],
      ['lesson', 7],
    ]);
    expect(summaryOf(next)).toMatchObject({
      operation: 'replace',
      'added-data-files': '1',
      'added-records': '7',
      'deleted-data-files': '2',
      'deleted-records': '7',
      'changed-partition-count': '1',
      'total-data-files': '2',
      'total-records': '12',
      'total-files-size': '2012',
    });
  });

  test('leaves the files that stay with the numbers they had', async () => {
    const { lake } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }, { rows: 5 }], [{ rows: 4 }]);
    const [first, second, third] = await filesOf(lake, table);
    const next = await committed(lake, table, { operation: 'overwrite', remove: [first!] });
    const numbers = (file: DataFile) => [file.location, file.sequenceNumber, file.snapshotId];
    expect((await filesOf(lake, next)).map(numbers)).toEqual([second!, third!].map(numbers));
    // The manifest that tells of the deletion is of use to its own snapshot only.
    const later = await append(lake, next, { commitId: 'later', files: [smallFile(lake, next)] });
    expect((await filesOf(lake, later)).slice(0, 2).map(numbers)).toEqual([second!, third!].map(numbers));
  });

  test('gives a consumer nothing to read that it has read', async () => {
    const { lake } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }], [{ rows: 4 }]);
    const consumed = table.metadata['last-sequence-number'];
    const old = await filesOf(lake, table);
    const manifests = await lake.prepare(table, [inPlaceOf(lake, table, old)]);
    const rewritten = await committed(lake, table, { remove: old, manifests });
    expect(await filesOf(lake, rewritten, consumed)).toEqual([]);
    const fresh = smallFile(lake, rewritten, { rows: 9 });
    const next = await append(lake, rewritten, { commitId: 'next', files: [fresh] });
    expect((await filesOf(lake, next, consumed)).map((file) => file.recordCount)).toEqual([9]);
  });

  test('goes on top of appends that came in between', async () => {
    const { lake } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }], [{ rows: 4 }]);
    const old = await filesOf(lake, table);
    const manifests = await lake.prepare(table, [inPlaceOf(lake, table, old)]);
    await append(lake, table, { commitId: 'between', files: [smallFile(lake, table, { rows: 9 })] });
    const next = await committed(lake, table, { remove: old, manifests });
    expect((await filesOf(lake, next)).map((file) => file.recordCount).sort()).toEqual([7, 9]);
  });

  test('is refused once one of them is gone, and leaves no file of its own', async () => {
    const { lake, store } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }, { rows: 5 }], [{ rows: 4 }]);
    const old = await filesOf(lake, table);
    const now = await committed(lake, table, { operation: 'overwrite', remove: [old[0]!] });
    const before = await locationsOf(store);
    const outcome = await lake.commit(table, change({ operation: 'overwrite', remove: old }));
    expect(outcome).toMatchObject({ kind: 'refused', why: expect.stringContaining(old[0]!.location) });
    expect(await locationsOf(store)).toEqual(before);
    expect(outcome.table.metadata['current-snapshot-id']).toBe(now.metadata['current-snapshot-id']);
  });

  test('may not call itself an append, nor a replace when rows are fewer', async () => {
    const { lake } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }]);
    const remove = await filesOf(lake, table);
    for (const operation of ['append', 'replace'] as const) {
      await expect(lake.commit(table, change({ operation, remove }))).rejects.toMatchObject({
        code: 'lake.bad_change',
      });
    }
  });
});

describe('merging manifests', () => {
  test('makes few of many, and changes nothing about any file', async () => {
    const oneCommit = fc.array(
      fc.record({
        day: fc.integer({ min: -3, max: 3 }),
        kind: fc.constantFrom('a', 'b', null),
        rows: fc.nat(9),
      }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(oneCommit, { minLength: 2, maxLength: 6 }), async (specified) => {
        const { lake } = smallLake({ manifestFiles: 5 });
        const rows = specified.map((files) => files.map((file) => ({ ...file, rows: file.rows + 1 })));
        const table = await tableOf(lake, ...rows);
        const merge = await lake.mergeManifests(table);
        if (merge === undefined) return;
        const next = await committed(lake, table, { merge });
        const [before, after] = [await lake.files(table), await lake.files(next)];
        expect(after.manifests.listed).toBeLessThan(before.manifests.listed);
        expect(after.files.map(numbered)).toEqual(before.files.map(numbered));
        for (const number of [1, 2, 3]) {
          expect((await filesOf(lake, next, number)).map(numbered)).toEqual(
            (await filesOf(lake, table, number)).map(numbered),
          );
        }
        expect(summaryOf(next)['total-records']).toBe(summaryOf(table)['total-records']);
      }),
      { numRuns: 40 },
    );
  });

  test('is refused when one of them was written anew meanwhile', async () => {
    const { lake } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }, { rows: 5 }], [{ rows: 4 }]);
    const merge = (await lake.mergeManifests(table))!;
    const remove = (await filesOf(lake, table)).slice(0, 1);
    await committed(lake, table, { operation: 'overwrite', remove });
    expect(await lake.commit(table, change({ merge }))).toMatchObject({ kind: 'refused' });
  });

  test('goes on top of appends, and is not done for one manifest', async () => {
    const { lake } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }], [{ rows: 4 }]);
    const merge = (await lake.mergeManifests(table))!;
    await append(lake, table, { commitId: 'between', files: [smallFile(lake, table, { rows: 9 })] });
    const next = await committed(lake, table, { merge });
    expect((await lake.files(next)).manifests.listed).toBe(2);
    expect((await filesOf(lake, next)).map((file) => file.recordCount)).toEqual([3, 4, 9]);
  });

  test('that gains nothing writes nothing', async () => {
    for (const appended of [
      [[{}]],
      [
        [{}, {}, {}],
        [{}, {}, {}],
      ],
    ]) {
      const { lake, store } = smallLake({ manifestFiles: 4 });
      const table = await tableOf(lake, ...appended);
      const before = await locationsOf(store);
      expect(await lake.mergeManifests(table)).toBeUndefined();
      expect(await locationsOf(store)).toEqual(before);
    }
  });

  const numbered = ({ location, sequenceNumber, fileSequenceNumber, snapshotId, partition }: DataFile) => ({
    location,
    sequenceNumber,
    fileSequenceNumber,
    snapshotId,
    partition,
  });
});

describe('expiring snapshots', () => {
  test('forgets them in a commit of its own, and the line goes on to where it breaks', async () => {
    const { lake } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }], [{ rows: 4 }], [{ rows: 5 }]);
    const ids = table.metadata.snapshots.map((snapshot) => snapshot['snapshot-id']);
    const next = await committed(lake, table, { expire: [ids[0]!, ids[1]!, 404n] });
    const current = next.metadata['current-snapshot-id']!;
    expect(next.metadata.snapshots.map((each) => each['snapshot-id'])).toEqual([ids[2], ids[3], current]);
    expect(ancestors(next.metadata, current)).toMatchObject({ broken: true, missingParent: ids[1] });
    expect((await filesOf(lake, next)).map((file) => file.recordCount)).toEqual([3, 4, 5]);
  });

  test('is refused for what a tag holds, even one that was made a moment ago', async () => {
    const { lake, catalog } = smallLake();
    const table = await tableOf(lake, [{ rows: 3 }], [{ rows: 4 }]);
    const id = table.metadata.snapshots[1]!['snapshot-id'];
    const refs = { ...table.metadata.refs, audit: { 'snapshot-id': id, type: 'tag' } };
    await editTable({ lake, catalog }, table.name, (metadata) => {
      metadata.refs = refs;
    });
    expect(await lake.commit(table, change({ expire: [id] }))).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('tag audit'),
    });
  });
});
