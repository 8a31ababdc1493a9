/** What Spark makes of lakes that are not as most are: rows in files of two partition specs, and format version 3. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RAW_NAME, STAGING_NAME, tableState } from '../../src/tables/tables.ts';
import type { Spark } from '../support/spark.ts';
import { byRestServer, type Reached } from './catalog-ways.ts';
import { compact } from './compaction.ts';
import { ourContents } from './our-contents.ts';
import { bringHome, filesBySpec, OVERFLOWING, writeOverflowing } from './overflow-lake.ts';
import { ASKED } from './questions.ts';
import { contentsBySpark, expectPrunedBySpark } from './spark-questions.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

/** Its own catalog each: Spark keeps what it was told of one. */
async function reachBy(
  spark: Spark,
  { catalog, written }: { catalog: string; written: WrittenLake },
): Promise<Reached> {
  const reached = await byRestServer(written);
  const prefix = `spark.sql.catalog.${catalog}`;
  await spark.set({
    [prefix]: 'org.apache.iceberg.spark.SparkCatalog',
    [`${prefix}.cache-enabled`]: 'false',
    ...Object.fromEntries(Object.entries(reached.spark).map(([key, value]) => [`${prefix}.${key}`, value])),
  });
  return reached;
}

export function readsTwoSpecs(spark: () => Spark): void {
  describe('on a table of two partition specs', () => {
    const catalog = 'overflowing';
    let written: WrittenLake;
    let reached: Reached;
    beforeAll(async () => {
      written = await writeOverflowing();
      reached = await reachBy(spark(), { catalog, written });
    });
    afterAll(async () => {
      await reached?.close();
      await written?.close();
    });

    describe.each([
      ['with overflow files', async () => {}],
      ['after compaction took the rows home', bringHome],
    ] as const)('%s', (state, reach) => {
      beforeAll(() => reach(written));

      test.each(OVERFLOWING)('reads %s', async (name) => {
        const { over } = await filesBySpec(written, name);
        expect(over.length > 1).toBe(state === 'with overflow files');
        const at = `${catalog}.${name}`;
        expect(await contentsBySpark(spark(), { table: at, columns: ASKED[name]!.columns })).toEqual(
          await ourContents(written, name),
        );
      });

      test.each(OVERFLOWING)('opens the files of %s that we open, and misses no row', async (name) => {
        const { own, over } = await filesBySpec(written, name);
        const asked = await expectPrunedBySpark(spark(), { written, name, at: `${catalog}.${name}` });
        const { files } = asked.find(({ about }) => about === 'a type on a day')!;
        expect(files.length).toBeLessThan(own.length / 2);
        if (over.length > 0)
          expect(over.filter(({ location }) => !files.includes(location)).length).toBeGreaterThan(0);
      });
    });
  });
}

export function readsFormat3(spark: () => Spark): void {
  describe('on a lake of format version 3', () => {
    const catalog = 'third';
    const NAMES = [RAW_NAME, STAGING_NAME] as const;
    let written: WrittenLake;
    let reached: Reached;
    beforeAll(async () => {
      written = await writeLake({ count: 300, seed: 9, commits: [100, 60], formatVersion: 3 });
      reached = await reachBy(spark(), { catalog, written });
    });
    afterAll(async () => {
      await reached?.close();
      await written?.close();
    });

    const at = (name: string) => `${catalog}.${name}`;
    const rowIds = async (name: string) =>
      new Map(
        await spark().sql<[string, number]>(
          `select concat_ws('/', event_uuid, shard_id, sequence_number, subsequence_number), _row_id from ${at(name)}`,
        ),
      );

    test.each(Object.keys(ASKED))('reads %s', async (name) => {
      expect((await written.table(name)).metadata['format-version']).toBe(3);
      expect(await contentsBySpark(spark(), { table: at(name), columns: ASKED[name]!.columns })).toEqual(
        await ourContents(written, name),
      );
    });

    test('sees an id of its own at every row, the same after compaction', async () => {
      const before = await Promise.all(NAMES.map(rowIds));
      for (const [i, name] of NAMES.entries()) {
        const { rows } = await ourContents(written, name);
        expect(new Set(before[i]!.values()).size).toBe(rows);
      }
      const files = async () => (await written.lake.files(await written.table(RAW_NAME))).files.length;
      const many = await files();
      await compact(written, { minFiles: 2 });
      expect(await files()).toBeLessThan(many);
      expect(await Promise.all(NAMES.map(rowIds))).toEqual(before);
    });

    test('appends: its row is foreign, staging takes it, and all adds up', async () => {
      const of = at(RAW_NAME);
      await spark().sql(
        `insert into ${of} select 'by Spark', event_name, event_type, null, created_at, created_datetime,
           '{"event_uuid":"by Spark","event_name":"x","created_at":1768435200}', null, null, null, null, null
         from ${of} where event_type = 'lesson' limit 1`,
      );
      expect(tableState(await written.table(RAW_NAME)).foreignRows).toBe(1);
      await written.run();
      const [[staged]] = (await written.rows(STAGING_NAME, 'count(*)', `where event_uuid = 'by Spark'`)) as [
        [number],
      ];
      expect(staged).toBe(1);
      expect((await written.verify()).findings).toEqual([]);
      for (const name of NAMES)
        expect((await rowIds(name)).size).toBe((await ourContents(written, name)).rows);
    });
  });
}
