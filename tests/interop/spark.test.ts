/** Spark with Iceberg's own runtime on a lake of ours: what it reads, and that we go on after everything it does. */
import { utimes } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ancestors, currentSnapshot } from '../../src/lake/lake.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME, tableState } from '../../src/tables/tables.ts';
import { uuidOf } from '../support/events.ts';
import { describeWith } from '../support/python.ts';
import { type Spark, sparkInstallation } from '../support/spark.ts';
import { type Reached, SPARK_WAYS } from './catalog-ways.ts';
import { ourContents } from './our-contents.ts';
import { ASKED } from './questions.ts';
import { readsFormat3, readsTwoSpecs } from './spark-other-lakes.ts';
import { contentsBySpark, expectPrunedBySpark } from './spark-questions.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

const installation = await sparkInstallation();
const NAMES = Object.keys(ASKED);
const LONG_AGO = new Date(Date.UTC(2020, 0, 1));

describeWith(installation, 'Spark', () => {
  let spark: Spark;
  beforeAll(async () => {
    spark = await installation.start();
  });
  afterAll(() => spark?.stop());

  describe.each(SPARK_WAYS)('by %s', (_, catalog, reach) => {
    let written: WrittenLake;
    let reached: Reached;
    beforeAll(async () => {
      written = await writeLake({ count: 900, seed: 3, commits: [400, 1, 200] });
      reached = await reach(written);
      const prefix = `spark.sql.catalog.${catalog}`;
      await spark.set({
        [prefix]: 'org.apache.iceberg.spark.SparkCatalog',
        [`${prefix}.cache-enabled`]: 'false',
        ...Object.fromEntries(
          Object.entries(reached.spark).map(([key, value]) => [`${prefix}.${key}`, value]),
        ),
      });
    });
    afterAll(async () => {
      await reached?.close();
      await written?.close();
    });

    const at = (name: string) => `${catalog}.${name}`;

    test('finds the tables', async () => {
      const namespaces = await spark.sql<[string]>(`show namespaces in ${catalog}`);
      const tables = await Promise.all(
        namespaces.map(([namespace]) =>
          spark.sql<[string, string]>(`show tables in ${catalog}.${namespace}`),
        ),
      );
      expect(
        tables
          .flat()
          .map(([namespace, name]) => `${namespace}.${name}`)
          .sort(),
      ).toEqual([...NAMES].sort());
    });

    test.each(NAMES)('reads %s', async (name) => {
      expect(await contentsBySpark(spark, { table: at(name), columns: ASKED[name]!.columns })).toEqual(
        await ourContents(written, name),
      );
    });

    test.each(NAMES)('opens the files of %s that we open, and misses no row', async (name) => {
      const all = (await written.lake.files(await written.table(name))).files.length;
      for (const { about, prunes, files } of await expectPrunedBySpark(spark, {
        written,
        name,
        at: at(name),
      })) {
        if (prunes !== 'nothing') expect(files.length, about).toBeLessThan(all);
      }
    });

    test('travels to every snapshot, by its id and by its time', async () => {
      const { metadata } = await written.table(RAW_NAME);
      const line = ancestors(metadata, metadata['current-snapshot-id']!).snapshots;
      expect(line.length).toBeGreaterThan(3);
      for (const snapshot of line) {
        const rows = Number(snapshot.summary['total-records']);
        const by = (clause: string) => numberOf(`select count(*) from ${at(RAW_NAME)} ${clause}`);
        expect(await by(`version as of ${snapshot['snapshot-id']}`)).toBe(rows);
        expect(await by(`timestamp as of '${new Date(snapshot['timestamp-ms']).toISOString()}'`)).toBe(rows);
      }
    });

    test('shows the files, snapshots, partitions and manifests that we know of', async () => {
      for (const name of NAMES) {
        const table = await written.table(name);
        const { files } = await written.lake.files(table);
        const metadata = (columns: string, of: string) =>
          spark.sql(`select ${columns} from ${at(name)}.${of} order by 1`);
        const byLocation = files.toSorted((a, b) => (a.location < b.location ? -1 : 1));
        expect(await metadata('file_path, record_count, file_size_in_bytes, partition', 'files')).toEqual(
          byLocation.map((file) => [file.location, file.recordCount, file.fileSize, file.partition]),
        );
        expect(
          await metadata('committed_at, cast(snapshot_id as string), operation, manifest_list', 'snapshots'),
        ).toEqual(
          table.metadata.snapshots.map((s) => [
            ...[s['timestamp-ms'] * 1000, String(s['snapshot-id'])],
            ...[s.summary['operation'], s['manifest-list']],
          ]),
        );
        const partitions = Map.groupBy(files, ({ partition }) => JSON.stringify(partition));
        const shown = await metadata('partition, record_count, file_count', 'partitions');
        expect(new Map(shown.map(([partition, ...of]) => [JSON.stringify(partition), of]))).toEqual(
          new Map([...partitions].map(([key, of]) => [key, [rowsOf(of), of.length]])),
        );
        const manifests = await metadata(
          'path, added_data_files_count + existing_data_files_count',
          'manifests',
        );
        expect(manifests.reduce((sum, [, some]) => sum + Number(some), 0)).toBe(files.length);
      }
    });

    test('appends: its rows are foreign, staging takes them, and we go on', async () => {
      const before = await state(RAW_NAME);
      const [held, of] = [written.events[0]!, at(RAW_NAME)];
      await spark.sql(
        `insert into ${of}
           select 'by Spark', event_name, 'a type/of "its" own', null, created_at, created_datetime,
             '{"event_uuid":"by Spark","event_name":"a type/of \\"its\\" own","created_at":1768435200}', null, null, null, null, null
           from ${of} limit 1`,
      );
      await spark.sql(`insert into ${of} select * from ${of} where event_uuid = '${held.uuid}' limit 1`);
      expect((await state(RAW_NAME)).foreignRows).toBe(2);
      await goesOn();
      expect((await state(RAW_NAME)).ledger.foreign).toBe(before.ledger.foreign + 2);
      expect(await count(STAGING_NAME, `event_uuid = 'by Spark'`)).toBe(1);
    });

    test('appends while we commit: our commit is staged again on its snapshot', async () => {
      const before = await state(RAW_NAME);
      await goesOn({
        between: () =>
          spark.sql(
            `insert into ${at(RAW_NAME)} select * from ${at(RAW_NAME)} where event_uuid = 'by Spark' limit 1`,
          ),
      });
      expect((await state(RAW_NAME)).ledger.foreign).toBe(before.ledger.foreign + 1);
    });

    test('merges by rewriting files: rows that stay are not staged twice, new ones are', async () => {
      const before = await state(RAW_NAME);
      const held = written.events.find(({ type }) => type === 'lesson')!;
      const merge = (name: string) =>
        spark.sql(
          `merge into ${at(name)} t
           using (select * from ${at(name)} where event_uuid = '${held.uuid}'
                  union all
                  select 'by merge ${name}', event_name, event_type, event_subtype, created_at, created_datetime,
                    '{"event_uuid":"by merge ${name}","event_name":"x","created_at":1768435200}',
                    null, null, null, null, null
                  from ${at(name)} where event_uuid = '${held.uuid}') s
           on t.event_uuid = s.event_uuid
           when matched then update set shard_id = 'by merge'
           when not matched then insert *`,
        );
      const repeats = await count(RAW_NAME, `event_uuid = '${held.uuid}'`);
      expect(repeats).toBe(1);
      await merge(RAW_NAME);
      expect(await operationOf(RAW_NAME)).toBe('overwrite');
      expect((await state(RAW_NAME)).foreignRows).toBe(1);
      await goesOn();
      expect((await state(RAW_NAME)).ledger.foreign).toBe(before.ledger.foreign + 1);
      expect(await count(RAW_NAME, `shard_id = 'by merge'`)).toBe(1);
      expect(await count(STAGING_NAME, `event_uuid = 'by merge ${RAW_NAME}'`)).toBe(1);

      await spark.sql(`delete from ${at(RAW_NAME)} where event_uuid = 'by merge ${RAW_NAME}'`);
      await spark.sql(`delete from ${at(STAGING_NAME)} where event_uuid = 'by merge ${RAW_NAME}'`);
      await goesOn();
    });

    test.each(NAMES)('rewrites the files of %s: nothing is read twice', async (name) => {
      const before = await contentsBySpark(spark, { table: at(name), columns: ASKED[name]!.columns });
      const [of, staged] = [
        (await written.lake.files(await written.table(name))).files.length,
        await state(STAGING_NAME),
      ];
      await rewrite(name);
      expect(await operationOf(name)).toBe('replace');
      expect((await written.lake.files(await written.table(name))).files.length).toBeLessThan(of);
      expect(await ourContents(written, name)).toEqual(before);
      await written.run();
      expect((await state(STAGING_NAME)).ledger).toEqual(staged.ledger);
      await goesOn();
    });

    test('rewrites the files of raw and staging while we commit: the window goes on', async () => {
      await goesOn({
        between: async () => {
          await rewrite(RAW_NAME);
          await rewrite(STAGING_NAME);
        },
      });
    });

    test('renames columns: it reads ours under the new names, we go on, and staging takes what it appends', async () => {
      const of = at(RAW_NAME);
      const renamed = { event_subtype: 'subtype', document: 'payload' };
      const subtypes = await count(RAW_NAME, 'event_subtype is not null');
      const rename = async (names: Readonly<Record<string, string>>) => {
        for (const [from, to] of Object.entries(names))
          await spark.sql(`alter table ${of} rename column ${from} to ${to}`);
      };
      await rename(renamed);
      expect(await numberOf(`select count(subtype) from ${of}`)).toBe(subtypes);
      expect(await numberOf(`select count(*) from ${of} where payload is null`)).toBe(0);
      await goesOn();
      await spark.sql(
        `insert into ${of} (event_uuid, event_name, event_type, subtype, created_at, created_datetime, payload)
           select 'by a renamed column', event_name, event_type, 'renamed', created_at, created_datetime,
             '{"event_uuid":"by a renamed column","event_name":"x","created_at":1768435200}'
           from ${of} where event_type = 'lesson' limit 1`,
      );
      await goesOn();
      expect(
        await count(STAGING_NAME, `event_uuid = 'by a renamed column' and event_subtype = 'renamed'`),
      ).toBe(1);
      expect(
        await count(RAW_NAME, `payload is null or (event_uuid = 'by a renamed column' and subtype is null)`),
      ).toBe(0);
      await rename(Object.fromEntries(Object.entries(renamed).map(([from, to]) => [to, from])));
      await goesOn();
      // Three events each time that we went on, and the one that it appended.
      expect(await numberOf(`select count(event_subtype) from ${of}`)).toBe(subtypes + 10);
    });

    test('deletes merge-on-read: we say what to do instead of showing rows that are gone', async () => {
      const of = at(RAW_NAME);
      await spark.sql(`alter table ${of} set tblproperties ('write.delete.mode'='merge-on-read')`);
      await spark.sql(`delete from ${of} where event_uuid = 'by Spark'`);
      await expect(written.rows(RAW_NAME, 'count(*)')).rejects.toMatchObject({
        code: 'lake.deletes_unsupported',
        why: expect.stringContaining('merge-on-read'),
        hint: expect.stringContaining('rewrite_data_files'),
      });
      await spark.sql(`alter table ${of} unset tblproperties ('write.delete.mode')`);
      await rewrite(RAW_NAME, { 'delete-file-threshold': '1', 'remove-dangling-deletes': 'true' });
      await spark.sql(`delete from ${at(STAGING_NAME)} where event_uuid = 'by Spark'`);
      await goesOn();
    });

    test('expires snapshots: what we know of ourselves stays', async () => {
      for (const name of NAMES) {
        const { foreignRows, ...before } = await state(name);
        await spark.sql(
          `call ${catalog}.system.expire_snapshots(table => '${name}', older_than => now(), retain_last => 1)`,
        );
        expect((await written.table(name)).metadata.snapshots).toHaveLength(1);
        expect(await state(name)).toEqual({ ...before, foreignRows });
      }
      await goesOn();
    });

    test('expires our newest snapshot behind one of its own: what we know of ourselves stays', async () => {
      const { foreignRows: _, ...before } = await state(RAW_NAME);
      await spark.sql(
        `insert into ${at(RAW_NAME)} select * from ${at(RAW_NAME)} where event_type = 'lesson' limit 1`,
      );
      await spark.sql(
        `call ${catalog}.system.expire_snapshots(table => '${RAW_NAME}', older_than => now(), retain_last => 1)`,
      );
      expect((await written.table(RAW_NAME)).metadata.snapshots).toHaveLength(1);
      expect(await state(RAW_NAME)).toEqual({ ...before, foreignRows: 1 });
      await goesOn();
      expect((await state(RAW_NAME)).ledger.foreign).toBe(before.ledger.foreign + 1);
    });

    test('removes orphan files: those, and none of ours', async () => {
      for (const name of NAMES) {
        const { location } = (await written.table(name)).metadata;
        const orphan = `${location}/data/orphan.parquet`;
        await written.lake.store.write(orphan, Buffer.from('no one names it'));
        const before = await filesOf(location);
        // It takes only what is older than three days.
        for (const file of before) await utimes(written.lake.store.localPath(file)!, LONG_AGO, LONG_AGO);
        const removed = await spark.sql<[string]>(
          `call ${catalog}.system.remove_orphan_files(table => '${name}')`,
        );
        expect(removed.map(([file]) => file.replace('file:/', 'file:///'))).toEqual([orphan]);
        expect(await filesOf(location)).toEqual(before.filter((file) => file !== orphan));
      }
      await goesOn();
    });

    test('replaces raw whole: we say that nothing tells any more how far it was read', async () => {
      await spark.sql(
        `create or replace table ${at(RAW_NAME)} using iceberg as select * from ${at(RAW_NAME)} where event_type = 'lesson'`,
      );
      await expect(state(RAW_NAME)).rejects.toMatchObject({
        code: 'tables.state_undecidable',
        fault: 'user',
      });
      await expect(written.run()).rejects.toMatchObject({ code: 'tables.state_undecidable' });
    });

    const numberOf = async (query: string) => Number((await spark.sql<[number]>(query))[0]![0]);
    const count = async (name: string, where: string) =>
      Number((await written.rows(name, 'count(*)', `where ${where}`))[0]![0]);
    const state = async (name: string) => tableState(await written.table(name));
    const operationOf = async (name: string) =>
      currentSnapshot((await written.table(name)).metadata)?.summary['operation'];
    const rewrite = (name: string, options: Record<string, string> = {}) => {
      const all = Object.entries({ 'rewrite-all': 'true', ...options }).flat();
      // Spark names a partition's folder by its whole value: one of more than 255 bytes is none for a disk.
      const types = new Set(written.events.map(({ type }) => type));
      const tooLong = [...types].filter((type) => encodeURIComponent(type).length > 240);
      const leftOut = `event_type not in (${tooLong.map((type) => `'${type}'`).join(', ')})`;
      const where = name === QUARANTINE_NAME ? '' : `where => "${leftOut}",`;
      return spark.sql(
        `call ${catalog}.system.rewrite_data_files(table => '${name}', ${where}
           options => map(${all.map((text) => `'${text}'`).join(', ')}))`,
      );
    };
    const filesOf = async (location: string) => {
      const found: string[] = [];
      for await (const each of written.lake.store.list(`${location}/`)) found.push(each.location);
      return found.sort();
    };

    /**
     * Two batches, the second with a repeat of the first one's event and of one from long ago; `between` comes when
     * the second was read and is not committed. Afterwards each event is in staging once, and all adds up.
     */
    async function goesOn({ between }: { between?: () => Promise<unknown> } = {}) {
      const before = { raw: await state(RAW_NAME), staging: await state(STAGING_NAME) };
      const fresh = Array.from({ length: 3 }, freshEvent);
      const [first, ...others] = fresh.map(({ document }) => document);
      written.stream.put([first!, others[0]!, first!, others[1]!]);
      written.stream.script.push({ rows: 2 }, { rows: 2, before: async () => void (await between?.()) });
      await written.run();

      const after = { raw: await state(RAW_NAME), staging: await state(STAGING_NAME) };
      expect(after.raw.ledger.written - before.raw.ledger.written).toBe(3);
      expect(after.raw.ledger.duplicate - before.raw.ledger.duplicate).toBe(1);
      expect(after.raw.foreignRows).toBe(0);
      const ids = fresh.map(({ uuid }) => `'${uuid}'`).join(', ');
      for (const name of [RAW_NAME, STAGING_NAME])
        expect(await count(name, `event_uuid in (${ids})`)).toBe(3);
      expect((await written.verify()).findings).toEqual([]);
      for (const name of [RAW_NAME, STAGING_NAME]) {
        const figures = (micros: string) => `count(*), count(distinct event_uuid), ${micros}`;
        const [bySpark] = await spark.sql(
          `select ${figures('cast(sum(unix_micros(created_datetime)) as string)')} from ${at(name)}`,
        );
        const [ours] = await written.rows(name, figures('sum(epoch_us(created_datetime))::varchar'));
        expect(bySpark).toEqual(ours!.map((each) => (typeof each === 'bigint' ? Number(each) : each)));
      }
    }
  });

  readsTwoSpecs(() => spark);
  readsFormat3(() => spark);
});

let events = 0;
function freshEvent() {
  const uuid = uuidOf(++events);
  const created_s = Date.UTC(2026, 0, 12) / 1000 + events;
  return {
    uuid,
    document: JSON.stringify({ event_uuid: uuid, event_name: 'lesson:started', created_at: created_s }),
  };
}

const rowsOf = (files: readonly { recordCount: number }[]) =>
  files.reduce((sum, { recordCount }) => sum + recordCount, 0);
