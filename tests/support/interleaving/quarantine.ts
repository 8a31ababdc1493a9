/**
 * Raw's writers reject records, quarantine adopts them, and both tables are rolled back, expired and tidied. Whatever the
 * order, no file is missing that a snapshot of quarantine names, no record is there twice, and what waits is adopted.
 */
import { Failure, silentLog } from '../../../src/base/base.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Lake } from '../../../src/lake/lake.ts';
import { maintain } from '../../../src/maintenance/maintenance.ts';
import { type AdoptOptions, adoptRejected } from '../../../src/quarantine/quarantine.ts';
import {
  advance,
  firstCommit,
  QUARANTINE,
  QUARANTINE_NAME,
  RAW_NAME,
  tableState,
} from '../../../src/tables/tables.ts';
import { loaded } from '../edited-table.ts';
import { type Acting, dataFile, foreignExpire, foreignRemoveOrphans, rollBack } from './actors.ts';
import { doubled, liveRows, STREAM, unreadable, type World } from './world.ts';

const SHARDS = ['shard0', 'shard1'];
const BOUNDS = { filesMost: 100, typesMost: 100 };
const DAY = 20_454;
const DAY_US = BigInt(DAY) * 86_400_000_000n;

/** In the table of quarantine: number n of a shard arrived n microseconds into the day. */
function rejectedFile(world: World, lake: Lake, content: readonly string[]) {
  const times = content.map((row) => DAY_US + BigInt(row.split(':')[1]!));
  const bounds = { lowerBounds: new Map([[4, times[0]!]]), upperBounds: new Map([[4, times.at(-1)!]]) };
  return async (table = loaded(lake, QUARANTINE_NAME)) =>
    dataFile(world, lake, await table, { content, partition: [DAY], ...bounds });
}

/** Rows that are text, in files that hold nothing else. */
function engineOf(world: World, lake: Lake): AdoptOptions['engine'] {
  const rowsOf = async (files: readonly { location: string }[]) => {
    for (const { location } of files) await lake.store.read(location);
    return files.flatMap(({ location }) => [...world.rows.get(location)!]);
  };
  return {
    async readRejected(files, heldFiles) {
      const rows = await rowsOf(files);
      const held = new Set(await rowsOf(heldFiles));
      const fresh = rows.filter((row) => !held.has(row));
      return {
        ...{ rows: rows.length, fresh: fresh.length },
        [Symbol.asyncDispose]: async () => {},
        writeFresh: async () =>
          fresh.length === 0 ? [] : [{ file: await rejectedFile(world, lake, fresh)() }],
      };
    },
  };
}

const adopt = (world: World, lake: Lake) =>
  adoptRejected({
    ...{ lake, engine: engineOf(world, lake), clock: world.clock, log: silentLog, bounds: BOUNDS },
    ...{ writer: 'quarantine', newId: () => crypto.randomUUID() },
  });

/** As a processor that has just started: it adopts what waits, takes, and may die before it adopts what it rejected. */
const take: Acting = async (world, lake, shard) => {
  const { clock, random } = world;
  const { upTo } = await adopt(world, lake);
  const table = await loaded(lake, RAW_NAME);
  const from = tableState(table).positions[STREAM]?.[shard] ?? '';
  const first = Number(from || 0);
  const content = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => `${shard}:${first + i}`);
  const bad = content.filter(isBad);
  const preparedAt_ms = clock.now();
  const good = content.filter((row) => !isBad(row));
  const manifests =
    good.length === 0
      ? []
      : await lake.prepare(table, [await dataFile(world, lake, table, { content: good })]);
  const quarantine = await loaded(lake, QUARANTINE_NAME);
  const rejected =
    bad.length === 0 ? [] : await lake.prepare(quarantine, [await rejectedFile(world, lake, bad)()]);
  const tally = { received: content.length, written: good.length, quarantined: bad.length };
  await lake.commit(table, {
    ...{ commitId: crypto.randomUUID(), operation: 'append', manifests, preparedAt_ms },
    stage: (base, at) =>
      advance(base, at, {
        ...{ writer: shard, tally },
        // What is let go of nobody adopts again, so that the more waits, the more can go wrong.
        ...(random() < 0.3 && { adoptedUpTo: upTo }),
        took: { [STREAM]: { [shard]: [from, String(first + content.length)] } },
        ...(bad.length > 0 && {
          rejected: {
            ...{ locations: rejected.map(({ location }) => location), rows: bad.length },
            committedAt_ms: clock.now(),
          },
        }),
      }),
  });
  if (random() < 0.5) await adopt(world, lake);
};

const isBad = (row: string) => Number(row.split(':')[1]) % 3 !== 0;

const NOTHING_IS_REWRITTEN = {
  rewrite: async () => {
    throw new Failure('no engine', { code: 'engine.none', fault: 'ourselves' });
  },
  close: async () => {},
} as unknown as Engine;

const keep =
  (table: string): Acting =>
  async (world, lake, writer) => {
    await maintain(
      {
        ...{
          lake,
          openEngine: async () => NOTHING_IS_REWRITTEN,
          clock: world.clock,
          log: silentLog,
          bounds: BOUNDS,
        },
        ...{ random: world.random, newId: () => crypto.randomUUID(), writer },
        signal: new AbortController().signal,
        rules: {
          ...{ targetFileSize_bytes: 1e6, minFiles: 1_000, roundMost_bytes: 1e9, rawRetention_ms: undefined },
          ...{ keepSnapshots_ms: 0, snapshotsLeast: 1, snapshotsMost: 1, consumerLagMost_ms: 0 },
        },
      },
      { tables: [table], dryRun: false },
    );
  };

/** An operator who sets quarantine back, and tidies up at once. */
const rollBackAndKeep: Acting = async (world, lake, name) => {
  await rollBack(QUARANTINE_NAME)(world, lake, name);
  await keep(QUARANTINE_NAME)(world, lake, name);
};

/** The same with another program, after a commit of ours: without one, quarantine cannot tell how far it is. */
const rollBackAndExpire: Acting = async (world, lake, name) => {
  await rollBack(QUARANTINE_NAME)(world, lake, name);
  await goOn(1)(world, lake, name);
  await foreignExpire(QUARANTINE_NAME)(world, lake, name);
};

/** Snapshots for the expiry, which waits for ten of them. */
const goOn =
  (commits: number): Acting =>
  async (_, lake, writer) => {
    const table = await loaded(lake, QUARANTINE_NAME);
    const empty = { operation: 'replace', manifests: [] } as const;
    const stage = (base: typeof table, at: { snapshotId: bigint; sequenceNumber: number }) =>
      advance(base, at, { writer });
    for (let i = 0; i < commits; i++)
      await lake.commit(table, { ...empty, commitId: crypto.randomUUID(), stage });
  };

/**
 * Who disturbs it, each beside those before it. Where an operator rolls back raw alone, all that was rejected is there at
 * the end; where quarantine too, what raw had let go of by then is gone, as it was told; and another program may delete
 * what only a snapshot that was rolled back named, so that it waits for ever.
 */
export type Disturbed = 'raw rolled back' | 'quarantine rolled back' | 'other programs';

export async function onQuarantine(world: World, by: Disturbed): Promise<Record<string, readonly Acting[]>> {
  const first = { commitId: crypto.randomUUID(), stage: firstCommit('test') };
  await world.lake.create(QUARANTINE_NAME, QUARANTINE, first);
  const others = {
    foreigner: [foreignExpire(QUARANTINE_NAME), rollBackAndExpire],
    ...(world.days === 'all but requests' && { 'foreign tidier': [foreignRemoveOrphans(QUARANTINE_NAME)] }),
  };
  return {
    ...Object.fromEntries(SHARDS.map((shard) => [shard, [take]])),
    maintenance: [keep(QUARANTINE_NAME), keep(RAW_NAME)],
    busy: [goOn(8)],
    operator: by === 'raw rolled back' ? [rollBack(RAW_NAME)] : [rollBackAndKeep],
    ...(by === 'other programs' && others),
  };
}

/** Whatever was undone is taken again, and what waits is adopted; where that is gone, it is not what a snapshot names. */
export async function settleQuarantine(world: World): Promise<void> {
  world.faults = false;
  try {
    for (const shard of SHARDS) await take(world, world.lake, shard);
    await adopt(world, world.lake);
  } catch (error) {
    const found = await unreadable(world, await loaded(world.lake, QUARANTINE_NAME));
    throw found.length > 0 ? new Error(found.join()) : error;
  }
}

export async function quarantineFindings(world: World, by: Disturbed): Promise<string[]> {
  const table = await loaded(world.lake, QUARANTINE_NAME);
  const found = await unreadable(world, table);
  if (found.length > 0) return found;
  const live = await liveRows(world, table);
  const raw = tableState(await loaded(world.lake, RAW_NAME));
  const expected: string[] = [];
  for (const { locations } of raw.rejected)
    for (const location of locations)
      for (const file of (await world.lake.readManifest(table, location)).files)
        expected.push(...world.rows.get(file.location)!);
  if (by === 'raw rolled back')
    for (const [shard, to] of Object.entries(raw.positions[STREAM] ?? {}))
      for (let n = 0; n < Number(to); n++) expected.push(`${shard}:${n}`);
  const there = new Set(live);
  const lost = expected.filter((row) => isBad(row) && !there.has(row)).map((row) => `${row} is lost`);
  return [...doubled(live), ...lost];
}
