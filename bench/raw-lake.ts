/** A lake of a bench, whose raw is filled from spools by an engine; without the processor and its window. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLog, systemClock } from '../src/base/base.ts';
import { type Engine, openEngine, storeFiles } from '../src/engine/engine.ts';
import { type Lake, openLake, openSqliteCatalog } from '../src/lake/lake.ts';
import { openDiskStore } from '../src/object-store/object-store.ts';
import { advance, firstCommit, QUARANTINE, QUARANTINE_NAME, RAW, RAW_NAME } from '../src/tables/tables.ts';

const LIMITS = { minTime_s: Date.UTC(2000, 0, 1) / 1000, maxAhead_s: 48 * 3600 };

export const newId = (): string => crypto.randomUUID();

export const jdbcUri = (dir: string): string =>
  `jdbc:sqlite:${join(dir, 'catalog.sqlite')}?busy_timeout=10000&journal_mode=WAL`;

export async function embedded(dir: string): Promise<Engine> {
  const workFolder = join(dir, 'work');
  await mkdir(workFolder, { recursive: true });
  return openEngine({ workFolder, memory_bytes: 1e9, threads: 1, lanes: 2 });
}

export async function benchLake(dir: string): Promise<Lake> {
  await mkdir(join(dir, 'lake'), { recursive: true });
  const store = openDiskStore({ root: join(dir, 'lake') });
  const catalog = openSqliteCatalog({ path: join(dir, 'catalog.sqlite') });
  const lake = openLake({ store, catalog, clock: systemClock, log: silentLog, random: Math.random });
  for (const [table, definition] of [
    [RAW_NAME, RAW],
    [QUARANTINE_NAME, QUARANTINE],
  ] as const) {
    await lake.create(table, definition, { commitId: newId(), stage: firstCommit('bench') });
  }
  return lake;
}

/** Without a window: every repeat goes on to staging. */
export async function intoRaw({ lake, engine }: { lake: Lake; engine: Engine }, path: string): Promise<void> {
  await using batch = await engine.judge({ path, shards: ['shard'], stream: 'bench' }, LIMITS);
  const raw = (await lake.load(RAW_NAME))!;
  const files = await storeFiles(lake, { table: raw, files: await batch.writeEvents(new Int32Array(0)) });
  const manifests = await lake.prepare(raw, files);
  const tally = { received: batch.records, written: batch.events };
  const outcome = await lake.commit(raw, {
    ...{ commitId: newId(), operation: 'append', manifests },
    stage: (base, attempt) => advance(base, attempt, { writer: 'bench', tally }),
  });
  if (outcome.kind !== 'committed') throw new Error(outcome.why);
}
