/** The Spark engine on a lake folder of a test: its catalog is the folder's own SQLite file, by JDBC. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { silentLog, systemClock } from '../../src/base/base.ts';
import { type Engine, openEngine, openSparkEngine } from '../../src/engine/engine.ts';
import { openLake, openSqliteCatalog } from '../../src/lake/lake.ts';
import { openDiskStore } from '../../src/object-store/object-store.ts';
import { needsForgotten } from '../../src/tables/tables.ts';

export interface SparkEngineOptions {
  url: string;
  /** Where something stands between the engine and the catalog's file. */
  catalogUri?: string;
  attempts?: number;
  /** Files of fewer bytes together are rewritten by the embedded engine. */
  rewriteLeast_bytes?: number;
  /** Told the id of every session that the engine begins. */
  onSession?: (id: string) => void;
}

export const jdbcUri = (folder: string) =>
  `jdbc:sqlite:${join(folder, 'catalog.sqlite')}?busy_timeout=10000&journal_mode=WAL`;

let opened = 0;

/** The embedded engine on the same folder, to be compared with. */
export async function openDuckDbOn(folder: string): Promise<Engine> {
  const engine = await openEmbedded(folder);
  onTestFinished(() => engine.close());
  return engine;
}

async function openEmbedded(folder: string): Promise<Engine> {
  const workFolder = join(folder, `embedded-${++opened}`);
  await mkdir(workFolder);
  return openEngine({ workFolder, memory_bytes: 500e6, threads: 1 });
}

export async function openSparkOn(
  folder: string,
  { url, catalogUri = jdbcUri(folder), attempts = 8, onSession = () => {}, ...asked }: SparkEngineOptions,
): Promise<Engine> {
  const catalog = openSqliteCatalog({ path: join(folder, 'catalog.sqlite') });
  const store = openDiskStore({ root: join(folder, 'lake') });
  const around = { clock: systemClock, log: silentLog, random: Math.random };
  const lake = openLake({ ...around, store, catalog, needsForgotten });
  const embedded = await openEmbedded(folder);
  const engine = openSparkEngine({
    ...around,
    ...asked,
    ...{ url, attempts, lake, embedded, catalog: { name: 'lakeward', uri: catalogUri } },
    newId: () => crypto.randomUUID(),
    log: {
      ...silentLog,
      info: (event, _, fields) => {
        if (event === 'spark.connected') onSession(String(fields?.['session']));
      },
    },
  });
  onTestFinished(async () => {
    await engine.close();
    await lake.close();
  });
  return engine;
}
