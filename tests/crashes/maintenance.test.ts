import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Lake } from '../../src/lake/lake.ts';
import { maintain } from '../../src/maintenance/maintenance.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';
import { TABLES } from '../../src/tables/tables.ts';
import { audit, WHOLE } from '../support/audit.ts';
import { loaded } from '../support/edited-table.ts';
import { event } from '../support/events.ts';
import { aged, changed, DAY_MS, maintenanceOf, missingFiles } from '../support/maintainer.ts';
import { PowerLost, PowerSupply } from '../support/power-loss.ts';
import { ramFolder } from '../support/ram-folder.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { openWorker, type Worker } from '../support/worker.ts';

const RULES = { snapshotsLeast: 1, keepSnapshots_ms: 3_600_000, rawRetention_ms: 10 * DAY_MS };

/** Commits that leave something to compact, to expire, to drop and to remove as an orphan in every table. */
async function lakeInNeed(folder: string, stream: ScriptedStream): Promise<Worker> {
  const worker = await openWorker({ folder, stream });
  const take = async (...bodies: string[]) => {
    stream.put(bodies);
    await worker.process();
    await worker.stage();
  };
  const old = { created_at: Date.UTC(2025, 11, 1) / 1000 };
  await take(event(50, old), event(51, old));
  for (let n = 1; n <= 11; n++) await take(event(n), `broken ${n}`);
  for (const name of Object.keys(TABLES)) {
    const { location } = (await loaded(worker.lake, name)).metadata;
    await worker.lake.store.write(`${location}/data/stray.parquet`, Buffer.from('stray'));
  }
  return worker;
}

async function strays(lake: Lake): Promise<string[]> {
  const found: string[] = [];
  for await (const { location } of lake.store.list(lake.store.root))
    if (location.endsWith('/stray.parquet')) found.push(location);
  return found;
}

async function round(worker: Worker, folder: string, rules = RULES) {
  worker.clock.advance(DAY_MS);
  return maintain(maintenanceOf(worker, { folder, rules }), { dryRun: false });
}

test('a power cut at any write, move, deletion or commit of a round loses, doubles and re-reads nothing', async () => {
  // What a disk would have kept, the power supply says.
  const folder = await ramFolder('maintenance-');
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const stream = new ScriptedStream();
  const { engine, lake } = await lakeInNeed(folder, stream);
  expect(await strays(lake)).toHaveLength(Object.keys(TABLES).length);
  const saved = join(folder, 'saved');
  // What the catalog was told may stand in its write-ahead log only.
  const parts = (await readdir(folder)).filter(
    (name) => name === 'lake' || name.startsWith('catalog.sqlite'),
  );
  const copy = async (from: string, to: string) => {
    for (const part of parts) {
      await rm(join(to, part), { recursive: true, force: true });
      await cp(join(from, part), join(to, part), { recursive: true, preserveTimestamps: true });
    }
  };
  await copy(folder, saved);

  let whole = 0;
  for (let at = 0; ; at++) {
    await copy(saved, folder);
    const cut = at % 2 === 0 ? ('before' as const) : ('after' as const);
    const power = new PowerSupply();
    let operations = 0;
    power.cuts = (operation) =>
      ['write', 'moveIn', 'delete', 'swap'].includes(operation) && operations++ === at ? cut : undefined;
    // What stood on the disk before was durable.
    const wrapStore = (inner: ObjectStore) => aged(power.store(durableSoFar(inner)));
    const worker = await openWorker({ folder, stream, engine, wrapStore, wrapCatalog: power.catalog });
    const reports = await round(worker, folder).catch((error: unknown) => {
      if (!(error instanceof PowerLost) && operations <= at) throw error;
      return undefined;
    });
    whole = operations;
    if (reports !== undefined && operations <= at) {
      const actions = reports.map(({ work }) => work.map(({ action }) => action));
      expect(actions).toEqual([
        ['drop days', 'compact', 'expire snapshots', 'remove orphans'],
        ['compact', 'expire snapshots', 'remove orphans'],
        ['compact', 'expire snapshots', 'remove orphans'],
      ]);
      break;
    }

    const restarted = await openWorker({ folder, stream, engine, wrapStore: aged });
    for (const name of Object.keys(TABLES)) expect(await missingFiles(restarted, name)).toEqual([]);
    expect(await restarted.stage()).toMatchObject({ received: 0 });
    await round(restarted, folder);
    expect(await strays(restarted.lake)).toEqual([]);
    for (const name of Object.keys(TABLES)) {
      expect(await missingFiles(restarted, name)).toEqual([]);
      expect((await restarted.lake.files(await loaded(restarted.lake, name))).files.length).toBeLessThan(4);
    }
    expect(await restarted.stage()).toMatchObject({ received: 0 });
    expect(await audit(restarted, stream)).toEqual(WHOLE);
  }
  expect(whole).toBeGreaterThan(25);
});

/** The power supply takes what it saw no write of for lost; this is a disk whose old files it does not list. */
function durableSoFar(inner: ObjectStore): ObjectStore {
  const touched = new Set<string>();
  return changed(inner, {
    write: (location, bytes) => {
      touched.add(location);
      return inner.write(location, bytes);
    },
    writeIfAbsent: (location, bytes) => {
      touched.add(location);
      return inner.writeIfAbsent(location, bytes);
    },
    moveIn: (files) => {
      for (const { location } of files) touched.add(location);
      return inner.moveIn(files);
    },
    async *list(prefix) {
      for await (const info of inner.list(prefix))
        if (prefix !== inner.root || touched.has(info.location)) yield info;
    },
  });
}
