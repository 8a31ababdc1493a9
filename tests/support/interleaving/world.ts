/** One table of ours, everybody who works on it, and what must be true of it whatever they do and in what order. */
import { type Clock, Failure, silentLog } from '../../../src/base/base.ts';
import {
  type DataFile,
  type Lake,
  type NamespacedCatalog,
  openBucketCatalog,
  openLake,
  openMemoryCatalog,
  type PointerCatalog,
  type Snapshot,
  type Table,
} from '../../../src/lake/lake.ts';
import { type ObjectStore, openMemoryStore } from '../../../src/object-store/object-store.ts';
import { firstCommit, needsForgotten, RAW, RAW_NAME, tableState } from '../../../src/tables/tables.ts';
import { Turns } from './turns.ts';

export const STREAM = 'stream@1';
export const DAY_MS = 86_400_000;
/** How often a machine sleeps for days before a request to store or catalog. */
const SLEEPY = 0.005;

export interface World {
  readonly turns: Turns;
  readonly random: () => number;
  readonly clock: Clock & { now_ms: number };
  /** A lake of this actor: its every request waits for a turn, and may meet a fault. */
  lakeOf(actor: string): Promise<Lake>;
  /** Without turns and faults. */
  readonly lake: Lake;
  readonly store: ObjectStore;
  readonly catalog: NamespacedCatalog;
  /** What stands in a data file, as `shard:number`. */
  readonly rows: Map<string, readonly string[]>;
  /** Commits that were ever part of a current version. */
  readonly happened: Set<string>;
  /** Every snapshot that was, also those that were expired since. */
  readonly snapshots: Map<bigint, Snapshot>;
  /** Commits of which their writer was told that they did not happen, and never would. */
  readonly denied: Set<string>;
  /** Rows that somebody removed on purpose. */
  readonly removed: Map<string, readonly string[]>;
  faults: boolean;
  /**
   * What takes days in this world. `requests`: also a request to the catalog, which a machine may sleep over, or which
   * lands days after its time-out. `all but requests`: anything else, and another program removes orphans. Both at once
   * no writer survives: what it asked for days ago names files that are gone, and the other program, unlike ours, commits
   * nothing that the request would be refused for.
   */
  readonly days: 'requests' | 'all but requests';
  /** The actor's machine sleeps for days, where it may in this world, and others go on. */
  sleep(actor: string): Promise<void>;
  /** Requests that are on their way to the catalog, each held here until it is answered or lost. */
  readonly underWay: Set<unknown>;
}

export type Kind = 'memory' | 'bucket';

export async function makeWorld(kind: Kind, random: () => number): Promise<World> {
  const clock: World['clock'] = {
    now_ms: Date.UTC(2026, 0, 1),
    now: () => Math.floor(clock.now_ms),
    sleep: async () => {},
  };
  const store = openMemoryStore({ clock });
  const catalog = kind === 'memory' ? openMemoryCatalog() : await openBucketCatalog({ store, clock, random });
  const lake = openLake({ store, catalog, clock, random, log: silentLog, needsForgotten });
  const turns = new Turns(random);
  const underWay: World['underWay'] = new Set();
  const days = random() < 0.5 ? 'requests' : 'all but requests';
  const world: World = {
    ...{ turns, random, clock, lake, store, catalog, faults: true, days, underWay },
    async sleep(actor) {
      if (days !== 'requests' && underWay.size > 0) return;
      clock.now_ms += 4 * DAY_MS;
      for (let left = Math.floor(random() * 30); left > 0; left--) await turns.turn(actor);
    },
    ...{ rows: new Map(), happened: new Set(), snapshots: new Map(), denied: new Set(), removed: new Map() },
    lakeOf: (actor) => lakeOf(world, { actor, kind }),
  };
  await lake.create(RAW_NAME, RAW, { commitId: 'creation', stage: firstCommit('test') });
  return world;
}

async function lakeOf(world: World, { actor, kind }: { actor: string; kind: Kind }): Promise<Lake> {
  const { turns, clock, random } = world;
  const waited = async <T>(work: () => Promise<T>): Promise<T> => {
    await turns.turn(actor);
    clock.now_ms += 5;
    if (world.faults && random() < SLEEPY) await world.sleep(actor);
    return work();
  };
  const inner = world.store;
  const store: ObjectStore = {
    root: inner.root,
    read: (location, range) => waited(() => inner.read(location, range)),
    head: (location) => waited(() => inner.head(location)),
    write: (location, bytes) => waited(() => inner.write(location, bytes)),
    writeIfAbsent: (location, bytes) => waited(() => inner.writeIfAbsent(location, bytes)),
    writeIfMatch: (location, bytes, etag) => waited(() => inner.writeIfMatch(location, bytes, etag)),
    moveIn: (files) => inner.moveIn(files),
    localPath: (location) => inner.localPath(location),
    list: (prefix) => inner.list(prefix),
    delete: (locations) => waited(() => inner.delete(locations)),
  };
  const own: Clock = {
    now: clock.now,
    sleep: async (ms) => {
      await turns.turn(actor);
      clock.now_ms += ms;
    },
  };
  const { catalog } = world;
  const asked: PointerCatalog =
    kind === 'memory'
      ? {
          ...catalog,
          load: (name) => waited(() => catalog.load(name)),
          swap: (name, move) => waited(() => catalog.swap(name, move)),
        }
      : await openBucketCatalog({ store: probedStore(store, inner), clock, random });
  const faulty = withFaults(world, actor, asked);
  return openLake({ store, catalog: faulty, clock: own, random, log: silentLog, needsForgotten });
}

/** Takes no turns for the probe of a store that is known to keep its word. */
function probedStore(store: ObjectStore, inner: ObjectStore): ObjectStore {
  const isProbe = (location: string) => location.includes('/probe-');
  return {
    ...store,
    read: (location, range) => (isProbe(location) ? inner : store).read(location, range),
    head: (location) => (isProbe(location) ? inner : store).head(location),
    writeIfAbsent: (location, bytes) => (isProbe(location) ? inner : store).writeIfAbsent(location, bytes),
    writeIfMatch: (location, bytes, etag) =>
      (isProbe(location) ? inner : store).writeIfMatch(location, bytes, etag),
    delete: (locations) => (locations.every(isProbe) ? inner : store).delete(locations),
  };
}

/**
 * Answers that get lost, requests that get lost, are sent twice, or arrive long after their time-out; and every commit
 * that became the current version is remembered.
 */
function withFaults(world: World, actor: string, inner: PointerCatalog): PointerCatalog {
  const unknown = (why: string) =>
    new Failure('no answer', { code: 'catalog.unknown', fault: 'service', retry: 'refresh', why });
  return {
    load: (name) => inner.load(name),
    list: () => inner.list(),
    create: (name, location) => inner.create(name, location),
    close: async () => {},
    async swap(name, move) {
      const send = async () => {
        const answer = await inner.swap(name, move);
        if (answer === 'swapped') await remember(world);
        return answer;
      };
      const request = {};
      const over = () => world.underWay.delete(request);
      world.underWay.add(request);
      const chance = world.faults ? world.random() : 1;
      if (chance >= 0.1 && chance < 0.14) {
        world.turns.late(() => send().finally(over));
        throw unknown('it timed out');
      }
      try {
        if (chance < 0.06) {
          await send();
          throw unknown('the answer was lost');
        }
        if (chance < 0.1) throw unknown('the request was lost');
        if (chance > 0.96 && chance < 1) {
          // Stopped between its last look and its request, as a machine that sleeps; it wakes days later.
          await world.sleep(actor);
        }
        if (chance < 0.18) await send();
        return await send();
      } finally {
        over();
      }
    },
  };
}

async function remember(world: World): Promise<void> {
  const { metadata } = (await world.lake.load(RAW_NAME))!;
  for (const snapshot of metadata.snapshots) {
    world.snapshots.set(snapshot['snapshot-id'], snapshot);
    world.happened.add(snapshot.summary['lakeward.commit-id'] ?? '');
  }
}

/** All that led to the current snapshot, expired or not. */
function lineOf({ snapshots }: World, current: bigint): Snapshot[] {
  const line: Snapshot[] = [];
  for (let at = snapshots.get(current); at !== undefined; ) {
    line.push(at);
    const parent = at['parent-snapshot-id'];
    at = parent === undefined || parent === null ? undefined : snapshots.get(parent);
  }
  return line;
}

export async function liveRows({ lake, rows }: World, table: Table): Promise<string[]> {
  const { files } = await lake.files(table);
  return files.flatMap(({ location }) => {
    const held = rows.get(location);
    if (held === undefined) throw new Error(`nobody wrote ${location}`);
    return held;
  });
}

/** What is wrong with the world; nothing, whatever was done. */
export async function findings(world: World): Promise<string[]> {
  await remember(world);
  const table = (await world.lake.load(RAW_NAME))!;
  const live = await liveRows(world, table);
  const found = doubled(live);
  const there = new Set(live);

  const line = lineOf(world, table.metadata['current-snapshot-id']!);
  const removed = new Set(
    line.flatMap((snapshot) => world.removed.get(snapshot.summary['lakeward.commit-id'] ?? '') ?? []),
  );
  const positions = tableState(table).positions[STREAM] ?? {};
  for (const [shard, to] of Object.entries(positions)) {
    if (!/^\d+$/.test(to)) continue;
    for (let n = 0; n < Number(to); n++) {
      const row = `${shard}:${n}`;
      if (!there.has(row) && !removed.has(row)) found.push(`${row} is lost`);
    }
  }
  for (const row of there) {
    const [shard, n] = row.split(':') as [string, string];
    if (shard.startsWith('shard') && Number(n) >= Number(positions[shard] ?? 0)) {
      found.push(`${row} is there, and its position says that it is not`);
    }
  }
  for (const id of world.denied)
    if (world.happened.has(id)) found.push(`commit ${id} was denied, and happened`);
  return [...found, ...(await unreadable(world, table))];
}

/** What a snapshot of the table names, and is not there. */
export async function unreadable({ lake, store }: World, table: Table): Promise<string[]> {
  const found: string[] = [];
  for (const snapshot of table.metadata.snapshots) {
    const { files } = await lake.files(table, { snapshotId: snapshot['snapshot-id'] }).catch((error) => {
      found.push(`snapshot ${snapshot['snapshot-id']} cannot be read: ${error.message}`);
      return { files: [] as DataFile[] };
    });
    for (const { location } of files) {
      if ((await store.head(location)) === undefined) found.push(`${location} is missing`);
    }
  }
  return found;
}

/** Rows of a table that are there more than once. */
export function doubled(rows: readonly string[]): string[] {
  const counts = Map.groupBy(rows, (row) => row);
  return [...counts].flatMap(([row, all]) => (all.length > 1 ? [`${row} is there ${all.length} times`] : []));
}
