import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultyCatalog } from '../../tests/support/faulty-catalog.ts';
import {
  append,
  createSmall,
  DAY_US,
  locationsOf,
  nothingStaged,
  SMALL,
  smallFile,
  smallLake,
} from '../../tests/support/small-lake.ts';
import { type DataFile, type FileFilter, openMemoryCatalog } from './lake.ts';

const kinds = (files: readonly DataFile[]) => files.map((file) => file.partition[1]);

describe('a table', () => {
  test('begins with an empty snapshot that says what its creator has to say', async () => {
    const { lake } = smallLake();
    const table = await lake.create('raw.events', SMALL, {
      commitId: 'birth',
      stage: (_base, { snapshotId, sequenceNumber }) => ({
        summary: { 'lakeward.writer': 'w' },
        properties: { stamp: `${snapshotId} ${sequenceNumber}` },
      }),
    });
    const [first] = table.metadata.snapshots;
    expect(first!.summary).toMatchObject({
      operation: 'append',
      'lakeward.commit-id': 'birth',
      'total-records': '0',
    });
    expect(table.metadata.properties['stamp']).toBe(`${first!['snapshot-id']} 1`);
    expect(table.metadata.location).toBe('memory://lake/raw/events');
    expect(await lake.files(table)).toMatchObject({ files: [], listed: 0 });
    expect(await lake.load('raw.events')).toEqual(table);
    expect(await lake.list()).toEqual(['raw.events']);
  });

  test('that is created twice at once is one table, and the loser leaves nothing behind', async () => {
    const { lake, store } = smallLake();
    const [a, b] = await Promise.all([createSmall(lake), createSmall(lake)]);
    expect(a.metadata['table-uuid']).toBe(b.metadata['table-uuid']);
    expect(await locationsOf(store)).toHaveLength(2);
  });

  test('whose creation got no answer is found, and its files are kept', async () => {
    const catalog = faultyCatalog(openMemoryCatalog());
    const { lake, store } = smallLake({ catalog });
    catalog.faults.push('answer-lost');
    const table = await createSmall(lake);
    expect(await locationsOf(store)).toContain(table.metadataLocation);
    expect((await lake.load('raw.events'))!.metadataLocation).toBe(table.metadataLocation);
  });

  test('whose creation was sent twice, and then overtaken by an append, keeps its files', async () => {
    const inner = openMemoryCatalog();
    const catalog = faultyCatalog(inner);
    const { lake, store } = smallLake({ catalog });
    const other = smallLake({ store, catalog: inner }).lake;
    catalog.faults.push('sent-twice');
    const load = catalog.load;
    let loads = 0;
    catalog.load = async (name) => {
      if (++loads === 2) {
        const theirs = (await other.load(name))!;
        await append(other, theirs, { commitId: 'theirs', files: [smallFile(other, theirs)] });
      }
      return load(name);
    };
    const table = await createSmall(lake);
    const [first] = table.metadata.snapshots;
    expect(table.metadata.snapshots).toHaveLength(2);
    expect((await lake.files(table, { snapshotId: first!['snapshot-id'] })).files).toEqual([]);
  });

  test('that does not exist is undefined, and a name that could leave its folder is refused', async () => {
    const { lake } = smallLake();
    expect(await lake.load('raw.nothing')).toBeUndefined();
    for (const name of ['events', '../x.y', 'raw.', 'raw.a/b']) {
      await expect(createSmall(lake, name)).rejects.toMatchObject({ code: 'lake.bad_table_name' });
    }
  });

  test('gives every data file a name of its own that no reader can misread', async () => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    const hints = ['at_day=2026-01-01/kind=lesson', '../../../etc/passwd', 'kind=a%2Fb c?#é', '', '/'];
    const names = hints.map((hint) => lake.newFileLocation(table, hint));
    for (const name of [...names, lake.newFileLocation(table)]) {
      expect(name).toMatch(
        /^memory:\/\/lake\/raw\/events\/data\/([A-Za-z0-9_=.-]+\/)*[0-9a-f-]{36}\.parquet$/,
      );
      expect(name).not.toContain('..');
    }
    expect(names[0]).toContain('/data/at_day=2026-01-01/kind=lesson/');
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('preparing', () => {
  test('refuses a file that readers would trip over, and names it', async () => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    const file = smallFile(lake, table);
    const wrong: DataFile[][] = [
      [smallFile(lake, table, { nulls: { 1: 1 } })],
      [file, file],
      [{ ...file, partition: [1] }],
      [{ ...file, recordCount: 0 }],
    ];
    for (const files of wrong) {
      await expect(lake.prepare(table, files)).rejects.toMatchObject({ code: 'lake.bad_data_file' });
    }
  });

  test('splits many files into manifests of neighbouring partitions, so that a filter leaves most closed', async () => {
    const { lake } = smallLake({ manifestFiles: 10 });
    const table = await createSmall(lake);
    const files = Array.from({ length: 50 }, (_, i) =>
      smallFile(lake, table, { day: 20_000 + ((i * 7) % 50) }),
    );
    const manifests = await lake.prepare(table, files);
    expect(manifests.map((manifest) => manifest.addedFiles)).toEqual([10, 10, 10, 10, 10]);
    const next = await append(lake, table, { commitId: 'c', files });
    const one = await lake.files(next, {
      where: [{ column: 'at', min: 20_007n * DAY_US, max: 20_008n * DAY_US - 1n }],
    });
    expect(one).toMatchObject({ manifests: { listed: 5, opened: 1 }, listed: 50 });
    expect(one.files.map((file) => file.partition[0])).toEqual([20_007]);
  });

  test('gives manifests that another commit can adopt by their location alone', async () => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    const prepared = await lake.prepare(table, [
      smallFile(lake, table, { rows: 3 }),
      smallFile(lake, table, { kind: null }),
    ]);
    const { manifest, files } = await lake.readManifest(table, prepared[0]!.location);
    expect(manifest).toEqual(prepared[0]);
    expect(files.map((file) => [file.partition[1], file.sequenceNumber, file.snapshotId])).toEqual([
      [null, undefined, undefined],
      ['lesson', undefined, undefined],
    ]);
    // As it comes back from a property: without what was counted when it was written.
    const { added: _, ...bare } = manifest;
    const outcome = await lake.commit(table, {
      commitId: 'c',
      operation: 'append',
      manifests: [bare],
      stage: nothingStaged,
    });
    expect(outcome).toMatchObject({
      snapshot: {
        summary: { 'added-records': '13', 'added-files-size': '2013', 'changed-partition-count': '2' },
      },
    });
  });
});

describe('the files of a table', () => {
  test('come back as they were written, with what they inherit from their commit', async () => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    const bounds = { 1: ['a', 'b'], 4: [-5, 7], 5: [0.25, 0.5] } as const;
    const file = {
      ...smallFile(lake, table, { bounds, nulls: { 4: 2 } }),
      nanValueCounts: new Map([[5, 0]]),
      sortOrderId: 0,
    };
    const next = await append(lake, table, { commitId: 'c', files: [file] });
    const [back] = (await lake.files(next)).files;
    const maps = (of: DataFile) =>
      [
        of.columnSizes,
        of.valueCounts,
        of.nullValueCounts,
        of.nanValueCounts,
        of.lowerBounds,
        of.upperBounds,
      ].map((map) => Object.fromEntries(map));
    expect(maps(back!)).toEqual(maps(file));
    expect(back).toMatchObject({
      location: file.location,
      partition: file.partition,
      recordCount: 10,
      fileSize: 1_010,
      splitOffsets: [4],
      sortOrderId: 0,
      sequenceNumber: 2,
      fileSequenceNumber: 2,
      snapshotId: next.metadata['current-snapshot-id'],
    });
  });

  test('are those of the snapshot that is asked for, in the order in which they came', async () => {
    const { lake } = smallLake();
    let table = await createSmall(lake);
    for (const kind of ['b', 'a', 'c']) {
      table = await append(lake, table, { commitId: kind, files: [smallFile(lake, table, { kind })] });
    }
    expect(kinds((await lake.files(table)).files)).toEqual(['b', 'a', 'c']);
    const second = table.metadata.snapshots[2]!['snapshot-id'];
    expect(kinds((await lake.files(table, { snapshotId: second })).files)).toEqual(['b', 'a']);
    await expect(lake.files(table, { snapshotId: 1n })).rejects.toMatchObject({
      code: 'lake.no_such_snapshot',
    });
  });

  test('that came since a sequence number are found without opening older manifests', async () => {
    const { lake } = smallLake();
    let table = await createSmall(lake);
    for (const kind of ['a', 'b', 'c', 'd']) {
      table = await append(lake, table, { commitId: kind, files: [smallFile(lake, table, { kind })] });
    }
    const since = await lake.files(table, { afterSequenceNumber: 3 });
    expect(kinds(since.files)).toEqual(['c', 'd']);
    expect(since.manifests).toEqual({ listed: 4, opened: 2 });
  });

  const pruned: [string, FileFilter, string[]][] = [
    ['a day, by the partition', { column: 'at', min: 101n * DAY_US, max: 102n * DAY_US - 1n }, ['two']],
    ['a moment before 1970, by the day that it lies in', { column: 'at', max: -1n }, ['old']],
    ['single moments', { column: 'at', in: [5n, 100n * DAY_US + 1n] }, ['one']],
    ['values of the partition', { column: 'kind', in: ['two', 'none'] }, ['two']],
    ['a range of the partition', { column: 'kind', min: 'p', max: 'tx' }, ['two']],
    ['a range of a column, by its bounds', { column: 'size', min: 50 }, ['two']],
    ['a value between the bounds', { column: 'size', in: [15] }, ['one']],
    ['a text behind a shortened upper bound', { column: 'id', min: `${'x'.repeat(15)}z` }, ['two']],
    [
      'a text below a shortened upper bound, which keeps the file',
      { column: 'id', in: ['x'.repeat(20)] },
      ['one'],
    ],
  ];

  test.each(pruned)('are pruned by %s', async (_name, filter, expected) => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    const files = [
      smallFile(lake, table, { day: 100, kind: 'one', bounds: { 4: [10, 20], 1: ['a', 'x'.repeat(20)] } }),
      smallFile(lake, table, { day: 101, kind: 'two', bounds: { 4: [40, 60], 1: ['y', 'z'] } }),
      smallFile(lake, table, { day: -1, kind: 'old', bounds: { 4: [0, 1], 1: ['0', '1'] } }),
    ];
    const next = await append(lake, table, { commitId: 'c', files });
    expect(kinds((await lake.files(next, { where: [filter] })).files)).toEqual(expected);
  });

  test('are kept when a bound says nothing: none given, or a NaN that sorts above it', async () => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    const withNan = smallFile(lake, table, { kind: 'nan', bounds: { 5: [0, 1] } });
    const without = {
      ...smallFile(lake, table, { kind: 'exact', bounds: { 5: [0, 1] } }),
      nanValueCounts: new Map([[5, 0]]),
    };
    const next = await append(lake, table, { commitId: 'c', files: [withNan, without] });
    const where = async (filter: FileFilter) =>
      kinds((await lake.files(next, { where: [filter] })).files).sort();
    expect(await where({ column: 'size', min: 5 })).toEqual(['exact', 'nan']);
    expect(await where({ column: 'share', min: 5 })).toEqual(['nan']);
    expect(await where({ column: 'share', max: -5 })).toEqual([]);
  });

  test('whose partition or column is all null match no value', async () => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    const files = [
      smallFile(lake, table, { kind: null }),
      smallFile(lake, table, { kind: 'full', nulls: { 4: 10 } }),
    ];
    const next = await append(lake, table, { commitId: 'c', files });
    expect(kinds((await lake.files(next, { where: [{ column: 'kind', min: '' }] })).files)).toEqual(['full']);
    expect(kinds((await lake.files(next, { where: [{ column: 'size', min: 0 }] })).files)).toEqual([null]);
  });

  test('are pruned by columns only that exist', async () => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    await expect(lake.files(table, { where: [{ column: 'nope' }] })).rejects.toMatchObject({
      code: 'lake.no_such_column',
    });
  });

  test('that hold a match are never left out, whatever the filter', async () => {
    const kind = fc.string({ unit: 'binary', minLength: 0, maxLength: 20 });
    const size = fc.integer({ min: -50, max: 50 });
    const row = fc.record({ at: fc.bigInt({ min: -3n * DAY_US, max: 3n * DAY_US }), kind, size });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 12 }),
        fc.nat(),
        size,
        async (rows, pick, edge) => {
          const { lake } = smallLake({ manifestFiles: 3 });
          const table = await createSmall(lake);
          const files = rows.map((r): DataFile => {
            const values = new Map<number, string | number | bigint>([
              [2, r.at],
              [3, r.kind],
              [4, r.size],
            ]);
            const day = Number((r.at - (((r.at % DAY_US) + DAY_US) % DAY_US)) / DAY_US);
            const file = smallFile(lake, table, { day, kind: r.kind, rows: 1 });
            return { ...file, lowerBounds: values, upperBounds: values };
          });
          const next = await append(lake, table, { commitId: 'c', files });
          const wanted = rows[pick % rows.length]!;
          const filters: [FileFilter, (r: (typeof rows)[number]) => boolean][] = [
            [{ column: 'at', min: wanted.at }, (r) => r.at >= wanted.at],
            [{ column: 'at', max: wanted.at }, (r) => r.at <= wanted.at],
            [{ column: 'kind', in: [wanted.kind] }, (r) => r.kind === wanted.kind],
            [{ column: 'size', min: edge, max: edge + 10 }, (r) => r.size >= edge && r.size <= edge + 10],
          ];
          for (const [filter, matches] of filters) {
            const left = new Set(
              (await lake.files(next, { where: [filter] })).files.map((file) => file.location),
            );
            const missed = rows.filter((r, i) => matches(r) && !left.has(files[i]!.location));
            expect(missed).toEqual([]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
