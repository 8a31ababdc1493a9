/** Maintenance on a worker's lake, with rules under which a few commits give it something to do. */
import { join } from 'node:path';
import { silentLog } from '../../src/base/base.ts';
import { openEngine } from '../../src/engine/engine.ts';
import type { Lake } from '../../src/lake/lake.ts';
import type { MaintenanceOptions, MaintenanceRules } from '../../src/maintenance/maintenance.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';
import type { PartitionBounds } from '../../src/tables/tables.ts';
import { BOUNDS, type Worker } from './worker.ts';

export const DAY_MS = 86_400_000;

export const FEW: MaintenanceRules = {
  targetFileSize_bytes: 128e6,
  minFiles: 4,
  roundMost_bytes: 2e9,
  keepSnapshots_ms: 5 * DAY_MS,
  snapshotsLeast: 3,
  snapshotsMost: 1_000,
  consumerLagMost_ms: 7 * DAY_MS,
  rawRetention_ms: undefined,
};

let opened = 0;

export function maintenanceOf(
  { lake, clock }: Pick<Worker, 'lake' | 'clock'>,
  {
    folder,
    rules = {},
    bounds = BOUNDS,
  }: { folder: string; rules?: Partial<MaintenanceRules>; bounds?: PartitionBounds },
): MaintenanceOptions {
  return {
    lake,
    openEngine: () =>
      openEngine({
        workFolder: join(folder, `maintenance-${++opened}`),
        memory_bytes: 300e6,
        threads: 1,
      }),
    clock,
    log: silentLog,
    random: () => 0,
    newId: () => crypto.randomUUID(),
    writer: 'maintenance',
    rules: { ...FEW, ...rules },
    bounds,
    signal: new AbortController().signal,
  };
}

/** Files that a retained snapshot of the table names and the store does not have. */
export async function missingFiles({ lake }: { lake: Lake }, name: string): Promise<string[]> {
  const table = await lake.load(name);
  const missing: string[] = [];
  for (const { 'snapshot-id': snapshotId } of table?.metadata.snapshots ?? []) {
    for (const { location } of (await lake.files(table!, { snapshotId })).files) {
      if ((await lake.store.head(location)) === undefined) missing.push(location);
    }
  }
  return missing;
}

/** A store in which everything that is there already was written four days ago; what is written from now on is new. */
export function aged(inner: ObjectStore): ObjectStore {
  const fresh = new Set<string>();
  return changed(inner, {
    write: (location, bytes) => inner.write(location, bytes).then(() => void fresh.add(location)),
    writeIfAbsent: async (location, bytes) => {
      fresh.add(location);
      return inner.writeIfAbsent(location, bytes);
    },
    moveIn: async (files) => {
      await inner.moveIn(files);
      for (const { location } of files) fresh.add(location);
    },
    async *list(prefix) {
      for await (const info of inner.list(prefix))
        yield fresh.has(info.location) ? info : { ...info, modifiedAt_ms: info.modifiedAt_ms - 4 * DAY_MS };
    },
  });
}

/** The store, but for these methods. */
export function changed(inner: ObjectStore, methods: Partial<ObjectStore>): ObjectStore {
  return new Proxy(inner, {
    get(target, key) {
      const own = methods[key as keyof ObjectStore];
      const value = target[key as keyof ObjectStore];
      return own ?? (typeof value === 'function' ? value.bind(target) : value);
    },
  });
}
