/**
 * One process of a deployment, as far as the pipeline goes: a lake of its own on a shared folder, its engine, and the
 * roles run against a scripted stream. Its catalog can be made to fail; several workers share one folder.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { silentLog } from '../../src/base/base.ts';
import { openEngine } from '../../src/engine/engine.ts';
import { type Lake, openLake, openSqliteCatalog, type PointerCatalog } from '../../src/lake/lake.ts';
import { type ObjectStore, openDiskStore } from '../../src/object-store/object-store.ts';
import { type ProcessorOptions, processStream } from '../../src/processor/processor.ts';
import { adoptRejected } from '../../src/quarantine/quarantine.ts';
import { openIdentityIndex, stageEvents } from '../../src/staging/staging.ts';
import { needsForgotten, type PartitionBounds } from '../../src/tables/tables.ts';
import type { ScriptedStream } from './scripted-stream.ts';
import { VirtualClock } from './virtual-clock.ts';
import { type WatchedEngine, watched } from './watched-engine.ts';

export interface WorkerOptions {
  folder: string;
  stream: ScriptedStream;
  name?: string;
  /** What the lake sees of its store and its catalog. */
  wrapStore?: (store: ObjectStore) => ObjectStore;
  wrapCatalog?: (catalog: PointerCatalog) => PointerCatalog;
  wrapLake?: (lake: Lake) => Lake;
  commitAttempts?: number;
  /** Identities that staging holds in memory at most; with 0 it asks the table every time. */
  stagingIds?: number;
  bounds?: PartitionBounds;
  /** Another worker's, to save the time of opening one. */
  engine?: WatchedEngine;
}

export interface Worker {
  stream: ScriptedStream;
  lake: Lake;
  catalog: PointerCatalog;
  engine: WatchedEngine;
  clock: VirtualClock;
  /** Runs before each swap; throwing turns the swap away. `times` counts the swaps of this table. */
  beforeSwap: ((table: string, times: number) => Promise<void> | void) | undefined;
  /** What the processor is run with: to the end of what is there now, unless overridden. */
  options(changed?: Partial<ProcessorOptions>): ProcessorOptions;
  process(changed?: Partial<ProcessorOptions>): Promise<{ commits: number }>;
  adopt(): Promise<{ upTo: number; rows: number }>;
  stage(changed?: {
    maxRows?: number;
  }): Promise<{ received: number; written: number; duplicate: number; commits: number }>;
}

/** A lake folder that is gone when the test is over. */
export async function lakeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-scenario-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const LIMITS = { minTime_s: Date.UTC(2000, 0, 1) / 1000, maxAhead_s: 48 * 3600 };

/** The defaults of the program. */
export const BOUNDS: PartitionBounds = { filesMost: 4_096, typesMost: 1_000 };

let opened = 0;

export async function openWorker(options: WorkerOptions): Promise<Worker> {
  const { folder, stream, name = 'worker', wrapStore = same, wrapCatalog = same, wrapLake = same } = options;
  const work = join(folder, `work-${++opened}`);
  const spoolFolder = join(work, 'spools');
  await mkdir(spoolFolder, { recursive: true });
  const clock = new VirtualClock({ now_ms: Date.UTC(2026, 0, 16), running: true });
  // A worker that still runs when its test has failed must not retry for ever.
  const over = new AbortController();
  const inner = openSqliteCatalog({ path: join(folder, 'catalog.sqlite') });
  const swaps = new Map<string, number>();
  const catalog = wrapCatalog({
    load: (table) => inner.load(table),
    list: () => inner.list(),
    create: (table, location) => inner.create(table, location),
    swap: async (table, move) => {
      const times = (swaps.get(table) ?? 0) + 1;
      swaps.set(table, times);
      await worker.beforeSwap?.(table, times);
      return inner.swap(table, move);
    },
    close: () => inner.close(),
  });
  const lake = wrapLake(
    openLake({
      store: wrapStore(openDiskStore({ root: join(folder, 'lake') })),
      catalog,
      clock,
      log: silentLog,
      random: Math.random,
      needsForgotten,
      ...(options.commitAttempts === undefined ? {} : { commitAttempts: options.commitAttempts }),
    }),
  );
  const engine = options.engine ?? (await openOwnEngine(join(work, 'engine')));
  onTestFinished(() => {
    over.abort();
    return inner.close();
  });

  const { bounds = BOUNDS } = options;
  const around = {
    lake,
    engine,
    clock,
    log: silentLog,
    writer: name,
    newId: () => crypto.randomUUID(),
    bounds,
  };
  const { stagingIds = 100_000 } = options;
  const index = openIdentityIndex({
    ...{ lake, engine, log: silentLog, newId: around.newId },
    ...{ folder: join(folder, 'identities'), spareFolder: join(work, 'identities') },
    ...{ memory_ids: stagingIds, filter_bytes: 1e6 },
  });
  onTestFinished(() => index.close());
  const worker: Worker = {
    stream,
    lake,
    catalog,
    engine,
    clock,
    beforeSwap: undefined,
    options: (changed = {}) => ({
      ...around,
      stream,
      random: () => 0,
      adopt: async () => (await worker.adopt()).upTo,
      spoolFolder,
      start: 'TRIM_HORIZON',
      limits: LIMITS,
      watermark_s: 600,
      maxIds: 100_000,
      maxRows: 100_000,
      maxBytes: 1e9,
      maxAge_ms: 1_000,
      spoolsAhead: 1,
      poll_ms: 10,
      until_ms: Number.MAX_SAFE_INTEGER,
      signal: over.signal,
      ...changed,
    }),
    process: (changed) => processStream(worker.options(changed)),
    adopt: () => adoptRejected(around),
    stage: ({ maxRows = 1_000_000 } = {}) =>
      stageEvents({
        ...around,
        ...(stagingIds > 0 && { index }),
        random: () => 0,
        maxRows,
        signal: over.signal,
      }),
  };
  return worker;
}

async function openOwnEngine(workFolder: string): Promise<WatchedEngine> {
  const engine = watched(await openEngine({ workFolder, memory_bytes: 500e6, threads: 1 }));
  onTestFinished(() => engine.close());
  return engine;
}

const same = <T>(it: T): T => it;
