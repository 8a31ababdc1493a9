/**
 * Other programs on tables whose rows lie in files of two partition specs, one of them without fields: what they count,
 * and which files they open, before compaction takes those rows to partitions of their own and after it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith, pythonWith } from '../support/python.ts';
import { expectPrunedAlike, look, type Seen } from './other-readers.ts';
import { ourContents } from './our-contents.ts';
import { bringHome, filesBySpec, OVERFLOWING, writeOverflowing } from './overflow-lake.ts';
import { ASKED } from './questions.ts';
import { expectReadByIcebird } from './read-with-icebird.ts';
import type { WrittenLake } from './written-lake.ts';

const python = await pythonWith('iceberg');
const STATES = [
  ['with overflow files', async () => {}],
  ['after compaction took the rows home', bringHome],
] as const;

describeWith(python, 'a table of two partition specs', () => {
  let written: WrittenLake;
  beforeAll(async () => {
    written = await writeOverflowing();
  });
  afterAll(() => written?.close());

  describe.each(STATES)('%s', (state, reach) => {
    let seen: Seen;
    beforeAll(async () => {
      await reach(written);
      seen = await look(python, written);
    });
    const at = (name: string) => Object.keys(ASKED).indexOf(name);

    test.each(OVERFLOWING)('%s has rows where they are looked for', async (name) => {
      const { own, over } = await filesBySpec(written, name);
      expect(own.length).toBeGreaterThan(10);
      if (state === STATES[0][0]) expect(over.length).toBeGreaterThan(1);
      else expect(over).toEqual([]);
      expect((await written.verify()).findings).toEqual([]);
    });

    test.each(OVERFLOWING)('pyiceberg and DuckDB read of %s the rows that we count', async (name) => {
      const ours = await ourContents(written, name);
      for (const { tables } of seen.pyiceberg.byCatalogs) expect(tables[at(name)]!.contents).toEqual(ours);
      expect(seen.pyiceberg.byFile[at(name)]!.contents).toEqual(ours);
      expect(seen.duckDb[at(name)]!.contents).toEqual(ours);
    });

    test.each(OVERFLOWING)(
      'pyiceberg and DuckDB open the files of %s that we open, and miss no row',
      async (name) => {
        const duckDb = seen.duckDb[at(name)]!;
        for (const { tables } of seen.pyiceberg.byCatalogs)
          await expectPrunedAlike(written, { name, pyiceberg: tables[at(name)]!, duckDb });
      },
    );

    test.each(OVERFLOWING)(
      'bounds of columns leave out overflow files of %s that a question does not need',
      async (name) => {
        const { own, over } = await filesBySpec(written, name);
        const [opened] = seen.pyiceberg.byCatalogs[0]!.tables[at(name)]!.pruning.filter(
          (_, i) => ASKED[name]!.questions[i]!.about === 'a type on a day',
        );
        expect(opened!.rows).toBeGreaterThan(0);
        const left = (files: readonly { location: string }[]) =>
          files.filter(({ location }) => !opened!.files.includes(location));
        expect(left(own).length).toBeGreaterThan(own.length / 2);
        if (over.length > 0) expect(left(over).length).toBeGreaterThan(0);
      },
    );

    test.each(OVERFLOWING)(
      'pyiceberg counts the partitions of %s, those without values among them',
      async (name) => {
        const { own, over } = await filesBySpec(written, name);
        const { partitions, files } = seen.pyiceberg.byCatalogs[0]!.tables[at(name)]!.inspection;
        const rows = Map.groupBy([...own, ...over], ({ partition }) =>
          JSON.stringify(partition.length === 0 ? [null, null] : partition),
        );
        expect(new Map(partitions.map((each) => [JSON.stringify(each.partition), each.rows]))).toEqual(
          new Map(
            [...rows].map(([key, of]) => [key, of.reduce((sum, { recordCount }) => sum + recordCount, 0)]),
          ),
        );
        expect(files.map(({ location }) => location)).toEqual(
          [...own, ...over].map(({ location }) => location).sort(),
        );
      },
    );

    test.each(OVERFLOWING)('every file of %s says what the Iceberg spec asks for', async (name) => {
      const { own, over } = await filesBySpec(written, name);
      expect(seen.checked[name]).toEqual({ files: own.length + over.length, findings: [] });
    });

    test.each(OVERFLOWING)('icebird reads %s', async (name) => {
      await expectReadByIcebird(written, name);
    });
  });
});
