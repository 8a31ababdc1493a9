/** More partitions than a commit may touch, and more event types than a table may have. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentLog } from '../../src/base/base.ts';
import type { DataFile } from '../../src/lake/lake.ts';
import { maintain, type TableReport } from '../../src/maintenance/maintenance.ts';
import { type PartitionBounds, RAW_NAME, STAGING_NAME, tableState } from '../../src/tables/tables.ts';
import { verifyLake } from '../../src/verify/verify.ts';
import { audit, rows, WHOLE } from '../support/audit.ts';
import { editTable, loaded } from '../support/edited-table.ts';
import { event } from '../support/events.ts';
import { DAY_MS, maintenanceOf } from '../support/maintainer.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../support/worker.ts';

const LONG = { timeout: 120_000 };
const FIRST_DAY_S = Date.UTC(2020, 0, 1) / 1000;
const on = (n: number, { day, type }: { day: number; type: string }): string =>
  event(n, { created_at: FIRST_DAY_S + day * 86_400 + (n % 86_400) }).replace('lesson:', `${type}:`);

async function opened(bounds: PartitionBounds) {
  const folder = await lakeFolder();
  const stream = new ScriptedStream();
  const worker = await openWorker({ folder, stream, bounds });
  const take = async (records: readonly string[]) => {
    stream.put(records);
    stream.script.push({ rows: records.length });
    await worker.process();
  };
  return { folder, stream, worker, take };
}

async function split(worker: Worker, table: string) {
  const { files } = await worker.lake.files(await loaded(worker.lake, table));
  const { own = [], over = [] } = Object.groupBy(files, (file) => (file.specId === 0 ? 'own' : 'over'));
  return { files, own, over };
}

const rowsOf = (files: readonly DataFile[]) => files.reduce((sum, { recordCount }) => sum + recordCount, 0);

async function maintained(
  { worker, folder, bounds }: { worker: Worker; folder: string; bounds: PartitionBounds },
  dryRun = false,
): Promise<TableReport[]> {
  // An hour later nothing is on its way any more.
  worker.clock.advance(2 * 3_600_000);
  return maintain(maintenanceOf(worker, { folder, bounds }), { tables: [RAW_NAME, STAGING_NAME], dryRun });
}

async function verified(worker: Worker, folder: string) {
  const spoolFolder = join(folder, 'verify-spools');
  await mkdir(spoolFolder, { recursive: true });
  const { lake, engine, clock, stream } = worker;
  return verifyLake({
    ...{
      lake,
      engine,
      log: silentLog,
      clock,
      stream,
      limits: worker.options().limits,
      deep: true,
      spoolFolder,
    },
    ...{ maxRows: 1_000, maxBytes: 1e9, signal: new AbortController().signal },
  });
}

describe('a batch of more partitions than a commit may touch', () => {
  const BOUNDS = { filesMost: 20, typesMost: 100 };
  /** 40 days of two types; day n has n % 5 + 1 events of each. */
  const batch = (from: number) => {
    const records: string[] = [];
    for (let day = 0; day < 40; day++)
      for (const type of ['lesson', 'payment'])
        for (let i = 0; i <= day % 5; i++) records.push(on(from + records.length, { day, type }));
    return records;
  };

  test(
    'stays within the bound in raw and staging, whole, and the largest keep their places',
    LONG,
    async () => {
      const { worker, stream, take, folder } = await opened(BOUNDS);
      const records = batch(0);
      await take(records);
      await worker.stage();
      for (const table of [RAW_NAME, STAGING_NAME]) {
        const { files, own, over } = await split(worker, table);
        expect(files.length).toBeLessThanOrEqual(20);
        expect(over.length).toBeGreaterThan(0);
        expect(rowsOf(files)).toBe(records.length);
        // Nineteen places; sixteen partitions have five rows.
        expect(own.map(({ recordCount }) => recordCount).sort()).toEqual([
          ...Array(3).fill(4),
          ...Array(16).fill(5),
        ]);
      }
      expect(await audit(worker, stream)).toEqual(WHOLE);
      expect(await verified(worker, folder)).toMatchObject({ findings: [] });
    },
  );

  test('is pruned by the bounds of its columns, and an answer is the same', LONG, async () => {
    const { worker, take } = await opened(BOUNDS);
    await take(batch(0));
    const table = await loaded(worker.lake, RAW_NAME);
    const { files } = await worker.lake.files(table, { where: [{ column: 'event_type', in: ['lesson'] }] });
    const asked = await worker.lake.files(table, { where: [{ column: 'event_type', in: ['quiz'] }] });
    expect(rowsOf(files)).toBeGreaterThanOrEqual(100);
    expect(asked.files).toEqual([]);
  });

  test('is moved home by maintenance where all of it fits, and read by nobody again', LONG, async () => {
    const { worker, stream, take, folder } = await opened(BOUNDS);
    await take(batch(0));
    await worker.stage();
    const large = { filesMost: 100, typesMost: 100 };
    const planned = await maintained({ worker, folder, bounds: large }, true);
    expect(planned.map(({ work }) => work[0])).toMatchObject([
      { action: 'compact', result: 'planned', why: 'overflow: all 61 partitions fit into one commit' },
      { action: 'compact', result: 'planned', why: 'overflow: all 61 partitions fit into one commit' },
    ]);
    const done = await maintained({ worker, folder, bounds: large });
    expect(done.map(({ work }) => work[0])).toMatchObject([
      { rows: 148, into: 61, result: 'done' },
      { rows: 148, into: 61, result: 'done' },
    ]);
    for (const table of [RAW_NAME, STAGING_NAME]) {
      const { own, over } = await split(worker, table);
      expect([own.length, over.length, rowsOf(own)]).toEqual([80, 0, 240]);
    }
    expect(await worker.stage()).toMatchObject({ received: 0, commits: 0 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
    expect(await verified(worker, folder)).toMatchObject({ findings: [] });
  });

  test(
    'stays together where it does not fit, but for partitions that have gathered rows enough',
    LONG,
    async () => {
      const { worker, stream, take, folder } = await opened({ filesMost: 9, typesMost: 100 });
      const small = (from: number) =>
        Array.from({ length: 60 }, (_, i) => on(from + i, { day: i, type: 'lesson' }));
      await take(small(0));
      await worker.stage();
      const few = await maintained({ worker, folder, bounds: BOUNDS });
      expect(few[1]!.work.filter(({ action }) => action === 'compact')).toEqual([]);
      expect(few[1]!.left).toEqual([
        expect.stringContaining('52 rows of 52 partitions stay in 1 overflow files'),
      ]);

      // One of them is the largest of its batch no more.
      const much = Array.from({ length: 9 }, (_, t) =>
        Array.from({ length: 1_200 + (t === 8 ? 0 : 100) }, (_, i) =>
          on(1_000 + t * 2_000 + i, { day: 100 + t, type: 'lesson' }),
        ),
      ).flat();
      await take([...much, ...small(50_000)]);
      await worker.stage();
      const again = await maintained({ worker, folder, bounds: BOUNDS });
      expect(again[1]!.work[0]).toMatchObject({
        why: expect.stringMatching(/^overflow: \d+ of \d+ partitions have rows enough$/),
      });
      const { own, over } = await split(worker, STAGING_NAME);
      expect(own.filter(({ recordCount }) => recordCount >= 1_000)).toHaveLength(9);
      expect(over.length).toBeGreaterThan(0);
      expect(await worker.stage()).toMatchObject({ received: 0, commits: 0 });
      expect(await audit(worker, stream)).toEqual(WHOLE);
    },
  );

  test('finds its spec in a table that was created without one', LONG, async () => {
    const { worker, stream, take } = await opened(BOUNDS);
    await take([on(900, { day: 0, type: 'lesson' })]);
    await editTable(worker, RAW_NAME, (metadata) => {
      metadata['partition-specs'] = metadata['partition-specs'].slice(0, 1);
      delete (metadata.properties as Record<string, string>)['lakeward.types'];
    });
    await take(batch(0));
    const { metadata } = await loaded(worker.lake, RAW_NAME);
    expect(metadata['partition-specs'][1]).toEqual({ 'spec-id': 1, fields: [] });
    expect(metadata['default-spec-id']).toBe(0);
    expect((await split(worker, RAW_NAME)).over.length).toBeGreaterThan(0);
    await worker.stage();
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });
});

describe('late events of many days', () => {
  const BOUNDS = { filesMost: 4_096, typesMost: 100, smallMost: 5 };
  const lately = (from: number, days: number) => [
    ...Array.from({ length: 1_000 }, (_, i) => on(from + i, { day: 100, type: 'lesson' })),
    ...Array.from({ length: days }, (_, day) => on(from + 1_000 + day, { day, type: 'lesson' })),
  ];
  const raw = async ({ worker, folder }: Awaited<ReturnType<typeof opened>>) => {
    const options = maintenanceOf(worker, { folder, bounds: { filesMost: 4_096, typesMost: 100 } });
    return (await maintain(options, { tables: [RAW_NAME], dryRun: false }))[0]!;
  };
  const counts = async (worker: Worker, table: string) => {
    const { own, over } = await split(worker, table);
    return { own: own.length, over: over.length };
  };

  test('lie together in raw and by day in staging, and go home when some have gathered', LONG, async () => {
    const lake = await opened(BOUNDS);
    const { worker, stream, take, folder } = lake;
    for (const n of [0, 1, 2]) await take(lately(n * 2_000, 20));
    expect(await counts(worker, RAW_NAME)).toEqual({ own: 3, over: 3 });
    await worker.stage();
    expect(await counts(worker, STAGING_NAME)).toEqual({ own: 21, over: 0 });
    const early = await raw(lake);
    expect(early.work.filter(({ action }) => action === 'compact')).toEqual([]);
    expect(early.left).toEqual([
      expect.stringContaining('60 rows of 20 partitions wait in 3 overflow files until 4 have gathered'),
    ]);

    await take(lately(3 * 2_000, 20));
    await worker.stage();
    const { work } = await raw(lake);
    expect(work).toContainEqual(
      expect.objectContaining({ why: 'overflow: all 20 partitions fit into one commit', into: 20 }),
    );
    expect(await counts(worker, RAW_NAME)).toEqual({ own: 21, over: 0 });
    expect(await worker.stage()).toMatchObject({ received: 0, commits: 0 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
    expect(await verified(worker, folder)).toMatchObject({ findings: [] });
  });

  test('go home however few they are once none came for an hour', LONG, async () => {
    const lake = await opened(BOUNDS);
    await lake.take(lately(0, 20));
    await lake.worker.stage();
    lake.worker.clock.advance(2 * 3_600_000);
    await raw(lake);
    expect(await counts(lake.worker, RAW_NAME)).toEqual({ own: 21, over: 0 });
  });

  test('have files of their own while their days are few', LONG, async () => {
    const { worker, take } = await opened(BOUNDS);
    await take(lately(0, 5));
    expect(await counts(worker, RAW_NAME)).toEqual({ own: 6, over: 0 });
  });
});

describe('more event types than a table may have', () => {
  const BOUNDS = { filesMost: 1_000, typesMost: 3 };
  const typed = (from: number, types: readonly string[]) =>
    types.map((type, i) => on(from + i, { day: 1, type }));

  test('have no partitions; those that came first keep theirs', LONG, async () => {
    const { worker, stream, take } = await opened(BOUNDS);
    await take(typed(0, ['a', 'b']));
    await take(typed(10, ['c', 'c', 'd', 'a']));
    await take(typed(20, ['d', 'd', 'e', 'b']));
    await worker.stage();
    for (const table of [RAW_NAME, STAGING_NAME]) {
      expect(tableState(await loaded(worker.lake, table)).types).toEqual([
        'a',
        'b',
        table === RAW_NAME ? 'c' : 'd',
      ]);
      const { own } = await split(worker, table);
      expect(new Set(own.map(({ partition }) => partition[1])).size).toBe(3);
    }
    expect(await rows(worker, STAGING_NAME, 'count(*), count(distinct event_type)')).toEqual([[10, 5]]);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('move home when more are allowed', LONG, async () => {
    const { worker, stream, take, folder } = await opened(BOUNDS);
    await take(typed(0, ['a', 'b', 'c', 'd', 'e']));
    await worker.stage();
    const kept = await maintained({ worker, folder, bounds: BOUNDS });
    expect(kept[1]!.left).toEqual([expect.stringContaining('of types beyond types.max')]);
    await maintained({ worker, folder, bounds: { ...BOUNDS, typesMost: 4 } });
    expect((await split(worker, STAGING_NAME)).over).toMatchObject([{ recordCount: 1 }]);
    await maintained({ worker, folder, bounds: { ...BOUNDS, typesMost: 5 } });
    expect((await split(worker, STAGING_NAME)).over).toEqual([]);
    expect(tableState(await loaded(worker.lake, STAGING_NAME)).types).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('of two writers at once stay within the bound', LONG, async () => {
    const { worker, stream, take, folder } = await opened(BOUNDS);
    await take(typed(0, ['a', 'b']));
    stream.put(typed(10, ['c', 'd']));
    const other = await openWorker({ folder, stream, bounds: BOUNDS, engine: worker.engine });
    await Promise.all([worker.process(), other.process()]);
    await worker.stage();
    expect(tableState(await loaded(worker.lake, RAW_NAME)).types).toHaveLength(3);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });
});

test(
  'days of raw that are dropped are missed by nobody, also where staging holds them in overflow files',
  LONG,
  async () => {
    const bounds = { filesMost: 10, typesMost: 100 };
    const { worker, take, folder } = await opened(bounds);
    await take(Array.from({ length: 40 }, (_, i) => on(i, { day: i, type: 'lesson' })));
    await worker.stage();
    const options = maintenanceOf(worker, { folder, bounds, rules: { rawRetention_ms: 100 * DAY_MS } });
    const [raw] = await maintain(options, { tables: [RAW_NAME], dryRun: false });
    expect(raw!.work[0]).toMatchObject({ action: 'drop days', rows: 40, result: 'done' });
    expect(await verified(worker, folder)).toMatchObject({ findings: [] });
  },
);
