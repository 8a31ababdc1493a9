import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog } from '../../src/base/base.ts';
import { maintain, type TableReport } from '../../src/maintenance/maintenance.ts';
import { RAW_NAME, STAGING_NAME, TABLES, tableState } from '../../src/tables/tables.ts';
import { verifyLake } from '../../src/verify/verify.ts';
import { audit, WHOLE } from '../support/audit.ts';
import { loaded } from '../support/edited-table.ts';
import { event } from '../support/events.ts';
import { maintenanceOf, missingFiles } from '../support/maintainer.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../support/worker.ts';

/** Half a minute each on a machine that has nothing else to do. */
const LONG = { timeout: 300_000 };
const TYPES = ['lesson', 'account', 'payment'];
const body = (n: number) => event(n).replace('lesson:', `${TYPES[n % TYPES.length]}:`);

async function verified(worker: Worker, folder: string) {
  const spoolFolder = join(folder, 'verify-spools');
  await mkdir(spoolFolder, { recursive: true });
  return verifyLake({
    lake: worker.lake,
    engine: worker.engine,
    log: silentLog,
    clock: worker.clock,
    stream: worker.stream,
    limits: worker.options().limits,
    deep: true,
    spoolFolder,
    maxRows: 1_000,
    maxBytes: 1e9,
    signal: new AbortController().signal,
  });
}

test('ingest beside maintenance stays exact, and staging reads every row of raw once', LONG, async () => {
  const folder = await lakeFolder();
  const stream = new ScriptedStream({ shards: 2 });
  const worker = await openWorker({ folder, stream, commitAttempts: 100 });
  const keeper = await openWorker({ folder, stream, engine: worker.engine, commitAttempts: 100 });
  let over = false;
  let rounds = 0;
  const work: TableReport['work'] = [];
  const maintaining = async () => {
    const options = maintenanceOf(keeper, { folder, rules: { minFiles: 3, snapshotsLeast: 1 } });
    while (!over) {
      for (const report of await maintain(options, { dryRun: false })) work.push(...report.work);
      rounds++;
      await new Promise(setImmediate);
    }
  };
  const kept = maintaining();
  let received = 0;
  try {
    for (let portion = 0; portion < 12; portion++) {
      for (let n = 0; n < 5; n++) {
        const from = (portion * 5 + n) * 10;
        // Every commit repeats something that an earlier one had, beyond the window.
        stream.put([...Array.from({ length: 10 }, (_, i) => body(from + i)), body(from % 37), `bad ${from}`]);
        stream.script.push({ rows: 12 });
      }
      await worker.process({ watermark_s: 0 });
      received += (await worker.stage()).received;
    }
  } finally {
    over = true;
    await kept;
  }
  expect(rounds).toBeGreaterThan(2);
  expect(
    work.filter(({ action, result }) => action === 'compact' && result === 'done').length,
  ).toBeGreaterThan(2);
  expect(await audit(worker, stream)).toEqual(WHOLE);
  expect((await verified(worker, folder)).findings).toEqual([]);
  expect(received).toBe(tableState(await loaded(worker.lake, RAW_NAME)).ledger.written);
});

test(
  'over 200 commits with maintenance, files, snapshots and metadata stay as few as after the first hundred',
  LONG,
  async () => {
    const folder = await lakeFolder();
    const stream = new ScriptedStream();
    const worker = await openWorker({ folder, stream });
    const rules = { minFiles: 4, snapshotsLeast: 5, snapshotsMost: 20 };
    const options = maintenanceOf(worker, { folder, rules });
    const sizes = async (name: string) => {
      const table = await loaded(worker.lake, name);
      const metadata = await worker.lake.store.head(table.metadataLocation);
      const { files, manifests } = await worker.lake.files(table);
      let stored = 0;
      for await (const _ of worker.lake.store.list(`${table.metadata.location}/`)) stored++;
      return {
        files: files.length,
        manifests: manifests.listed,
        snapshots: table.metadata.snapshots.length,
        metadata_bytes: metadata!.size,
        stored,
      };
    };
    const measured: Awaited<ReturnType<typeof sizes>>[][] = [];
    for (let n = 0; n < 200; n += 10) {
      for (let i = 0; i < 10; i++) {
        stream.put(TYPES.map((_, type) => body(3 * (n + i) + type)));
        stream.script.push({ rows: TYPES.length });
      }
      await worker.process();
      await worker.stage({ maxRows: 3 });
      worker.clock.advance(700_000);
      await maintain(options, { dryRun: false });
      if (n === 90 || n === 190) measured.push(await Promise.all([RAW_NAME, STAGING_NAME].map(sizes)));
    }
    const [early, late] = measured as [(typeof measured)[0], (typeof measured)[0]];
    for (const [i, first] of early.entries()) {
      for (const [what, value] of Object.entries(late[i]!))
        expect({ what, value }).toEqual({
          what,
          value: expect.toSatisfy((v: number) => v <= 1.5 * first[what as keyof typeof first] + 5),
        });
    }
    for (const name of Object.keys(TABLES)) expect(await missingFiles(worker, name)).toEqual([]);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  },
);
