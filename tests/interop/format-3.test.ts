/** A lake of format version 3: pyiceberg reads it, and rows keep their ids when files are brought together. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RAW_NAME, STAGING_NAME } from '../../src/tables/tables.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { compact } from './compaction.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

const python = await pythonWith('iceberg');

interface Seen {
  [table: string]: {
    formatVersion: number;
    nextRowId: number;
    /** First row's id and rows, by snapshot. */
    snapshots: [first: number, added: number][];
    rows: number;
    /** Id of each row by what tells it from the others. */
    rowIds: Record<string, number>;
  };
}

describeWith(python, 'a lake of format version 3', () => {
  let written: WrittenLake;
  beforeAll(async () => {
    written = await writeLake({ count: 200, seed: 5, commits: [60, 60], formatVersion: 3 });
  });
  afterAll(() => written?.close());

  const see = () =>
    python.run<Seen>(join(import.meta.dirname, 'read_format_3.py'), {
      catalogPath: written.catalogPath,
      tables: [RAW_NAME, STAGING_NAME],
    });

  test('is read, and every row has an id of its own, also after files were brought together', async () => {
    const before = await see();
    for (const name of [RAW_NAME, STAGING_NAME]) {
      const { formatVersion, nextRowId, snapshots, rows, rowIds } = before[name]!;
      expect(formatVersion).toBe(3);
      for (const [i, [first, added]] of snapshots.entries())
        expect(first + added).toBe(snapshots[i + 1]?.[0] ?? nextRowId);
      expect(rows).toBe(Number((await written.rows(name, 'count(*)'))[0]![0]));
      expect(new Set(Object.values(rowIds)).size).toBe(rows);
    }
    expect((await written.verify()).checks.filter(({ ok }) => !ok)).toEqual([]);

    const files = async () => (await written.lake.files(await written.table(RAW_NAME))).files.length;
    const many = await files();
    await compact(written, { minFiles: 2 });
    expect(await files()).toBeLessThan(many);
    const after = await see();
    expect(after[RAW_NAME]!.rowIds).toEqual(before[RAW_NAME]!.rowIds);
    expect(after[STAGING_NAME]!.rowIds).toEqual(before[STAGING_NAME]!.rowIds);
    expect((await written.verify()).checks.filter(({ ok }) => !ok)).toEqual([]);
  });
});
