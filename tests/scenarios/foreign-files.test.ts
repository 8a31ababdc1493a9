/** Files of other programs whose columns have no field ids: they are refused by name, and nothing else stops. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import type { DataFile } from '../../src/lake/lake.ts';
import { maintain } from '../../src/maintenance/maintenance.ts';
import { openQuery } from '../../src/query/query.ts';
import { RAW_NAME, STAGING_NAME } from '../../src/tables/tables.ts';
import { audit } from '../support/audit.ts';
import { editTable, foreignSnapshot, loaded } from '../support/edited-table.ts';
import { event } from '../support/events.ts';
import { maintenanceOf } from '../support/maintainer.ts';
import { rawFile } from '../support/raw-commits.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../support/worker.ts';

const LONG = { timeout: 120_000 };

/** The rows of a file of the table, written again by a program that knows of no field ids, and committed by it. */
async function copyWithoutIds(worker: Worker, table: string): Promise<DataFile> {
  const { lake } = worker;
  const at = await loaded(lake, table);
  const [held] = (await lake.files(at)).files;
  const location = `${at.metadata.location}/data/00000-0-by-hand.parquet`;
  const [from, to] = [lake.store.localPath(held!.location)!, lake.store.localPath(location)!];
  await mkdir(dirname(to), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const c = await instance.connect();
  await c.run(`copy (select * replace ('by hand ' || event_uuid as event_uuid)
    from read_parquet('${from}', hive_partitioning = false)) to '${to}' (format parquet)`);
  c.closeSync();
  instance.closeSync();
  const { partition, recordCount } = held!;
  const file = { ...rawFile(lake, at, recordCount), location, partition, fileSize: (await stat(to)).size };
  await foreignSnapshot(worker, table, { files: [file] });
  return file;
}

const REFUSED = {
  code: 'engine.no_field_ids',
  fault: 'user',
  message: expect.stringContaining('00000-0-by-hand.parquet'),
  hint: expect.stringContaining('set that property'),
};

const withNameMapping = (worker: Worker, table: string) =>
  editTable(worker, table, (metadata) => {
    const mapping = metadata.schemas[0]!.fields.map(({ id, name }) => ({ 'field-id': id, names: [name] }));
    metadata.properties = {
      ...metadata.properties,
      'schema.name-mapping.default': JSON.stringify(mapping),
    };
  });

test(
  'a file without field ids in raw stops staging and questions by its name; with a name mapping it is read',
  LONG,
  async () => {
    const folder = await lakeFolder();
    const stream = new ScriptedStream();
    const worker = await openWorker({ folder, stream });
    stream.put(Array.from({ length: 20 }, (_, i) => event(i)));
    await worker.process();
    await copyWithoutIds(worker, RAW_NAME);
    const query = openQuery(worker);
    const nulls = () => query.all(`select count(*) as n from ${RAW_NAME} where event_uuid is null`);

    await expect(worker.stage()).rejects.toMatchObject(REFUSED);
    await expect(nulls()).rejects.toMatchObject(REFUSED);
    // Ingest goes on meanwhile, and so do questions to other tables.
    stream.put([event(100), event(1)]);
    await worker.process();
    expect((await query.all(`select count(*) as n from ${STAGING_NAME}`)).rows).toEqual([{ n: 0 }]);

    await withNameMapping(worker, RAW_NAME);
    expect((await nulls()).rows).toEqual([{ n: 0 }]);
    await worker.stage();
    expect((await query.all(`select count(*) as n from ${STAGING_NAME}`)).rows).toEqual([{ n: 41 }]);
  },
);

test(
  'a file without field ids is not rewritten: compaction leaves it, says why, and does what else there is',
  LONG,
  async () => {
    const folder = await lakeFolder();
    const stream = new ScriptedStream();
    const worker = await openWorker({ folder, stream });
    for (const type of ['lesson', 'payment', 'lesson', 'payment', 'lesson', 'payment']) {
      stream.put(Array.from({ length: 5 }, () => event(n++).replace('lesson:', `${type}:`)));
      await worker.process();
      await worker.stage();
    }
    const file = await copyWithoutIds(worker, STAGING_NAME);
    worker.clock.advance(2 * 3_600_000);
    const options = maintenanceOf(worker, { folder, rules: { minFiles: 2 } });
    const [staging] = await maintain(options, { tables: [STAGING_NAME], dryRun: false });
    expect(staging!.work).toContainEqual(
      expect.objectContaining({
        action: 'compact',
        result: 'failed',
        detail: expect.stringContaining('has no field id'),
      }),
    );
    expect(staging!.work).toContainEqual(expect.objectContaining({ action: 'compact', result: 'done' }));
    const { files } = await worker.lake.files(await loaded(worker.lake, STAGING_NAME));
    expect(files.map(({ location }) => location)).toContain(file.location);
    expect(await audit(worker, stream)).toMatchObject({ missing: [], doubled: [] });
  },
);

let n = 1_000;
