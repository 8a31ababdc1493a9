/** Tables after a full round of maintenance, as another program reads them: the same rows, in fewer files. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { maintain, type TableReport } from '../../src/maintenance/maintenance.ts';
import { maintenanceOf } from '../support/maintainer.ts';
import { startPyiceberg } from '../support/pyiceberg.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { byFile } from './catalog-ways.ts';
import { ourContents } from './our-contents.ts';
import { ASKED, type Contents, conditionOf } from './questions.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

const python = await pythonWith('iceberg');
const NAMES = Object.keys(ASKED);

describeWith(python, 'after maintenance', () => {
  let written: WrittenLake;
  let reports: TableReport[];
  const before = new Map<string, { contents: Contents; files: number }>();
  const filesOf = async (name: string) => (await written.lake.files(await written.table(name))).files.length;

  beforeAll(async () => {
    written = await writeLake({ count: 1_200, seed: 5, commits: Array.from({ length: 12 }, () => 100) });
    for (const name of NAMES)
      before.set(name, { contents: await ourContents(written, name), files: await filesOf(name) });
    // An hour and more after the last commit.
    const clock = { now: () => Date.now() + 7_200_000, sleep: async () => {} };
    reports = await maintain(
      maintenanceOf(
        { lake: written.lake, clock: clock as never },
        {
          folder: join(written.catalogPath, '..'),
          rules: { minFiles: 2, snapshotsLeast: 1, keepSnapshots_ms: 0 },
        },
      ),
      { tables: NAMES, dryRun: false },
    );
  });
  afterAll(() => written?.close());

  test('every table has fewer files and the same rows', async () => {
    for (const { table, work } of reports) {
      expect(work.every(({ result }) => result === 'done')).toBe(true);
      expect(work.map(({ action }) => action)).toContain('compact');
      expect(await filesOf(table)).toBeLessThan(before.get(table)!.files);
      expect(await ourContents(written, table)).toEqual(before.get(table)!.contents);
    }
    expect((await written.verify()).findings).toEqual([]);
  });

  test('pyiceberg reads the same as before', async () => {
    const tables = await Promise.all(
      NAMES.map(async (name) => {
        const table = await written.table(name);
        const { columns, questions } = ASKED[name]!;
        const filters = questions.map(({ where }) => where);
        const conditions = filters.map((where) => conditionOf(table, where));
        return { name, location: table.metadataLocation, columns, filters, conditions };
      }),
    );
    const pyiceberg = startPyiceberg(python);
    const catalogs = [(await byFile(written)).pyiceberg];
    const read = await pyiceberg
      .read<{ byCatalogs: { tables: { contents: Contents }[] }[] }>({ catalogs, tables })
      .finally(() => pyiceberg.stop());
    expect(read.byCatalogs[0]!.tables.map(({ contents }) => contents)).toEqual(
      NAMES.map((name) => before.get(name)!.contents),
    );
  });
});
