/** Those who work on the table. Each goes on for some rounds, and then ends. */
import { Failure } from '../../../src/base/base.ts';
import { ancestors, currentSnapshot, type DataFile, type Lake, type Table } from '../../../src/lake/lake.ts';
import { advance, firstCommit, RAW, RAW_NAME, tableState } from '../../../src/tables/tables.ts';
import { editTable, loaded, setMain } from '../edited-table.ts';
import { nothingStaged } from '../small-lake.ts';
import { removeAsForeigner } from './foreign-orphans.ts';
import { DAY_MS, STREAM, type World } from './world.ts';

export const GRACE_MS = 3 * DAY_MS;
const ROUNDS = 6;

export type Act = () => Promise<void>;
export type Acting = (world: World, lake: Lake, name: string) => Promise<void>;

/** Commits that may fail by what others do: the actor looks at the table again. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const codes = [
      'lake.commit_unknown',
      'lake.commit_conflict',
      'catalog.unknown',
      'object_store.not_found',
    ];
    const isTheirs = error instanceof Failure && (codes.includes(error.code) || error.retry !== 'never');
    if (!isTheirs) throw error;
  }
}

/** Written to the store like a file of Parquet, with its rows for content. */
export async function dataFile(
  { rows, random }: World,
  lake: Lake,
  table: Table,
  { content, ...more }: { content: readonly string[] } & Partial<DataFile>,
): Promise<DataFile> {
  const day = 20_454 + Math.floor(random() * 2);
  const location = lake.newFileLocation(table, `day=${day}`);
  await lake.store.write(location, Buffer.from(content.join('\n')));
  rows.set(location, content);
  return {
    ...{ location, specId: 0, partition: [day, 'lesson'], recordCount: content.length, fileSize: 100 },
    columnSizes: new Map(),
    valueCounts: new Map(),
    nullValueCounts: new Map(),
    nanValueCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
    ...more,
  };
}

/** Takes the next records of its shard: from where the table says, never from what it remembers. */
const write: Acting = async (world, lake, name) => {
  const { random, clock } = world;
  const table = await loaded(lake, RAW_NAME);
  const from = tableState(table).positions[STREAM]?.[name] ?? '';
  const first = Number(from || 0);
  const content = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => `${name}:${first + i}`);
  const preparedAt_ms = clock.now();
  const manifests = await lake.prepare(table, [await dataFile(world, lake, table, { content })]);
  // It sleeps, and wakes days later: as a laptop that was closed.
  if (random() < 0.1 && world.faults) await world.sleep(name);
  const commitId = crypto.randomUUID();
  const rows = content.length;
  const outcome = await lake.commit(table, {
    ...{ commitId, operation: 'append', manifests, preparedAt_ms },
    stage: (base, at) =>
      advance(base, at, {
        writer: name,
        took: { [STREAM]: { [name]: [from, String(first + rows)] } },
        tally: { received: rows, written: rows },
      }),
  });
  if (outcome.kind === 'refused') world.denied.add(commitId);
};

/** Two or more files into one, of the highest data sequence number. */
const compact: Acting = async (world, lake) => {
  const preparedAt_ms = world.clock.now();
  const table = await loaded(lake, RAW_NAME);
  const { files } = await lake.files(table);
  const some = files.filter(() => world.random() < 0.5).slice(0, 4);
  if (some.length < 2) return;
  const content = some.flatMap(({ location }) => [...world.rows.get(location)!]);
  const sequenceNumber = Math.max(...some.map((file) => file.sequenceNumber!));
  const manifests = await lake.prepare(table, [
    await dataFile(world, lake, table, { content, sequenceNumber }),
  ]);
  await lake.commit(table, {
    ...{ commitId: crypto.randomUUID(), operation: 'replace', manifests, remove: some, preparedAt_ms },
    stage: (base, at) => advance(base, at, { writer: 'compactor' }),
  });
};

const mergeManifests: Acting = async (world, lake) => {
  const preparedAt_ms = world.clock.now();
  const table = await loaded(lake, RAW_NAME);
  const merge = await lake.mergeManifests(table);
  if (merge === undefined) return;
  await lake.commit(table, {
    ...{ commitId: crypto.randomUUID(), operation: 'replace', manifests: [], merge, preparedAt_ms },
    stage: (base, at) => advance(base, at, { writer: 'merger' }),
  });
};

/** Our own expiry: what the stamp names stays. */
const expire: Acting = async ({ random }, lake) => {
  const table = await loaded(lake, RAW_NAME);
  const current = table.metadata['current-snapshot-id'];
  const stamped = BigInt(/"snapshot":\s*(\d+)/.exec(table.metadata.properties['lakeward.stamp']!)![1]!);
  const expired = table.metadata.snapshots
    .map((snapshot) => snapshot['snapshot-id'])
    .filter((id) => id !== current && id !== stamped && random() < 0.5);
  if (expired.length === 0) return;
  const outcome = await lake.commit(table, {
    ...{ commitId: crypto.randomUUID(), operation: 'replace', manifests: [], expire: expired },
    stage: (base, at) => advance(base, at, { writer: 'expirer' }),
  });
  if (outcome.kind === 'committed') await lake.deleteExpired({ before: table, after: outcome.table });
};

const removeOrphans: Acting = async (_, lake) => {
  const fence = async () =>
    lake.commit(await loaded(lake, RAW_NAME), {
      ...{ commitId: crypto.randomUUID(), operation: 'replace', manifests: [] },
      stage: (base, at) => advance(base, at, { writer: 'orphans' }),
    });
  const search = { grace_ms: GRACE_MS, keepManifests: [], fence };
  for await (const orphans of lake.orphans(RAW_NAME, search)) {
    await lake.store.delete(orphans.map(({ location }) => location));
  }
};

/** Moves main to a snapshot that the table holds: back, or forward again. */
export const rollBack =
  (table: string): Acting =>
  async (world, lake) => {
    const { snapshots } = (await loaded(lake, table)).metadata;
    const to = snapshots[Math.floor(world.random() * snapshots.length)]!['snapshot-id'];
    await setMain({ lake, catalog: world.catalog }, table, to).catch(overtaken);
  };

/** The table changed meanwhile, or the snapshot was expired. */
function overtaken(error: Error): void {
  if (!/changed at the same time|^no \d+$/.test(error.message)) throw error;
}

/** As DELETE of a day and type by another program: all files of the partition leave, and none stays behind. */
const deletePartition: Acting = async (world, lake) => {
  const table = await loaded(lake, RAW_NAME);
  const { files } = await lake.files(table);
  const days = [...new Set(files.map(({ partition }) => partition[0]))].sort();
  const day = days[Math.floor(world.random() * days.length)];
  const remove = files.filter(({ partition }) => partition[0] === day);
  if (remove.length > 0) await removeRows(world, lake, { table, remove });
};

/** Everything begins anew, in a folder beside that of the old table, whose files stay. */
const dropAndCreate: Acting = async (world, lake) => {
  await loaded(lake, RAW_NAME);
  await world.catalog.drop(RAW_NAME);
  const first = { commitId: crypto.randomUUID(), stage: firstCommit('operator') };
  await world.lake.create(RAW_NAME, RAW, first);
};

async function removeRows(
  world: World,
  lake: Lake,
  { table, remove }: { table: Table; remove: readonly DataFile[] },
): Promise<void> {
  const commitId = crypto.randomUUID();
  const rows = remove.flatMap(({ location }) => [...world.rows.get(location)!]);
  world.removed.set(commitId, rows);
  await lake.commit(table, {
    ...{ commitId, operation: 'overwrite', manifests: [], remove, stage: nothingStaged },
    preparedAt_ms: world.clock.now(),
  });
}

/** Rows that another program adds or deletes, without a key of ours. */
const foreign: Acting = async (world, lake, name) => {
  const { random } = world;
  const preparedAt_ms = world.clock.now();
  const table = await loaded(lake, RAW_NAME);
  const commitId = crypto.randomUUID();
  const { files } = await lake.files(table);
  if (random() < 0.4 && files.length > 0) {
    const remove = files.filter(() => random() < 0.3);
    await removeRows(world, lake, { table, remove });
    return;
  }
  const content = [`${name}:${crypto.randomUUID()}`];
  const manifests = await lake.prepare(table, [await dataFile(world, lake, table, { content })]);
  await lake.commit(table, { commitId, operation: 'append', manifests, preparedAt_ms, stage: nothingStaged });
};

/** As another program expires: it knows nothing of our stamp. */
export const foreignExpire =
  (name: string): Acting =>
  async (world, lake) => {
    const before = await loaded(lake, name);
    const { snapshots } = ancestors(before.metadata, currentSnapshot(before.metadata)!['snapshot-id']);
    const kept = new Set(snapshots.slice(0, 2).map((snapshot) => snapshot['snapshot-id']));
    let after: Table | undefined;
    await editTable({ lake, catalog: world.catalog }, name, (metadata) => {
      if (metadata['current-snapshot-id'] !== before.metadata['current-snapshot-id']) return;
      metadata.snapshots = metadata.snapshots.filter((snapshot) => kept.has(snapshot['snapshot-id']));
    }).then((table) => {
      after = table;
    }, overtaken);
    if (after !== undefined) await lake.deleteExpired({ before, after });
  };

/** It is quick, so that it is done with all of it while one of ours sleeps. */
export const foreignRemoveOrphans =
  (name: string): Acting =>
  async ({ clock, turns, store }, lake, actor) => {
    const olderThan_ms = clock.now() - GRACE_MS;
    const table = await loaded(lake, name);
    await removeAsForeigner({ store, olderThan_ms, table, pause: () => turns.turn(actor) });
  };

const SHARDS = ['shard0', 'shard1', 'shard2', 'shard3'];

/** Of each, what it does; at random, `ROUNDS` times. */
export async function actorsOf(world: World, acting: Record<string, readonly Acting[]>) {
  const actors = new Map<string, Act>();
  for (const [name, acts] of Object.entries(acting)) {
    const lake = await world.lakeOf(name);
    actors.set(name, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const act = acts[Math.floor(world.random() * acts.length)]!;
        await attempt(() => act(world, lake, name));
      }
    });
  }
  return actors;
}

export const onRaw = ({ days }: World): Record<string, readonly Acting[]> => ({
  ...Object.fromEntries(SHARDS.map((shard) => [shard, [write]])),
  compactor: [compact, compact, mergeManifests],
  expirer: [expire],
  tidier: [removeOrphans],
  operator: [...Array<Acting>(6).fill(rollBack(RAW_NAME)), deletePartition, dropAndCreate],
  foreigner: [foreign, foreign, foreignExpire(RAW_NAME)],
  ...(days === 'all but requests' && { 'foreign tidier': [foreignRemoveOrphans(RAW_NAME)] }),
});

/** Every shard once more, when nothing goes wrong any longer: what was undone is taken again. */
export async function settle(world: World): Promise<void> {
  world.faults = false;
  for (const shard of SHARDS) await write(world, world.lake, shard);
}
