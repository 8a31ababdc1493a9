/** Tables of transforms are looked after as the others are, and what reads them in turn takes nothing twice. */
import { expect, test } from 'vitest';
import { maintain } from '../../src/maintenance/maintenance.ts';
import { defineTransform } from '../../src/transforms/transforms.ts';
import { editTable } from '../support/edited-table.ts';
import { event } from '../support/events.ts';
import { DAY_MS, maintenanceOf, missingFiles } from '../support/maintainer.ts';
import { movedClock } from '../support/small-lake.ts';
import { succeeded, transformLake } from '../support/transform-lake.ts';

const passed = defineTransform({
  name: 'passed',
  from: ['lesson:*'],
  mode: 'append',
  partition: 'day',
  sql: 'select event_uuid, created_datetime::date as day from events',
});
const after = defineTransform({
  name: 'after',
  from: [{ mart: 'passed' }],
  mode: 'append',
  sql: 'select event_uuid from passed',
});
const days = defineTransform({
  name: 'days',
  from: ['lesson:*'],
  mode: 'partitions',
  partition: 'at',
  sql: "select date_trunc('day', created_datetime) as at, count(*) as n from events group by all",
});
const RULES = { minFiles: 4, snapshotsLeast: 1, snapshotsMost: 3, keepSnapshots_ms: 0 };

async function setup() {
  const lake = await transformLake();
  let made = 0;
  return {
    ...lake,
    /** An event, and a run of these over it, so many times. */
    async grow(times: number, transforms: readonly (typeof passed)[]) {
      for (const _ of Array.from({ length: times })) {
        await lake.fill([event(++made)]);
        succeeded(await lake.run(transforms));
      }
    },
    /** A day later: nobody reads what was current then. */
    async round(tables?: readonly string[]) {
      const { metadata } = await lake.table('passed');
      const clock = movedClock(metadata['last-updated-ms'] + DAY_MS);
      const options = { ...maintenanceOf(lake.worker, { folder: lake.folder, rules: RULES }), clock };
      return maintain(options, { dryRun: false, ...(tables && { tables }) });
    },
    filesOf: async (name: string) => (await lake.worker.lake.files(await lake.table(name))).files,
  };
}

test('small files of a mart become one, its old snapshots go, and its rows stay', async () => {
  const { grow, round, rows, filesOf, table, worker } = await setup();
  await grow(6, [passed, days]);
  const before = await rows('passed');
  const reports = await round();
  expect(reports.find((each) => each.table === 'marts.passed')?.work).toMatchObject([
    { action: 'compact', count: 6, into: 1, rows: 6, result: 'done' },
  ]);
  expect(await rows('passed')).toEqual(before);
  expect(await filesOf('passed')).toHaveLength(1);
  await grow(12, [passed, days]);
  const second = await round(['marts.passed', 'marts.days']);
  expect(
    second.map(({ table: name, work }) => [name, work.some(({ action }) => action === 'expire snapshots')]),
  ).toEqual([
    ['marts.passed', true],
    ['marts.days', true],
  ]);
  expect((await table('passed')).metadata.snapshots.length).toBeLessThan(8);
  expect(await missingFiles(worker, 'marts.passed')).toEqual([]);
  expect((await rows('passed')).length).toBe(18);
  expect((await rows('days', 'n::integer')).flat().reduce((sum: number, n) => sum + Number(n), 0)).toBe(18);
});

test('a mart to which another program added a nested column is left as it is', async () => {
  const { grow, round, filesOf, worker } = await setup();
  await grow(5, [passed]);
  await editTable(worker, 'marts.passed', ({ schemas }) => {
    const fields = [{ id: 100, name: 'name', type: 'string', required: false }];
    const place = { id: 99, name: 'place', type: { type: 'struct', fields }, required: false };
    const schema = schemas.at(-1)!;
    Object.assign(schema, { fields: [...schema.fields, place] });
  });
  expect((await round(['marts.passed']))[0]!.left).toEqual([
    'no file is compacted: another program added the column place of a nested type',
  ]);
  expect(await filesOf('passed')).toHaveLength(5);
});

test('what an append transform has not read of a mart waits, and it takes every row once', async () => {
  const { grow, round, rows, filesOf, run } = await setup();
  await grow(5, [passed, after]);
  await grow(5, [passed]);
  const report = (await round(['marts.passed']))[0]!;
  expect(report.left).toEqual(['5 files wait until their consumers have read them']);
  expect(await filesOf('passed')).toHaveLength(6);
  succeeded(await run([passed, after]));
  expect(await rows('after')).toEqual(await rows('passed', 'event_uuid'));
  await round(['marts.passed']);
  succeeded(await run([passed, after]));
  expect((await rows('after')).length).toBe(10);
});

test('a table of another program is left alone, and cannot be named', async () => {
  const { grow, round, worker, table } = await setup();
  await grow(1, [passed]);
  const { metadata } = await table('passed');
  const definition = { schema: metadata.schemas[0] as never, partition: [], sort: [], properties: {} };
  await worker.lake.create('marts.foreign', definition, {
    commitId: crypto.randomUUID(),
    stage: () => ({ summary: {}, properties: {} }),
  });
  expect((await round()).map((each) => each.table)).toContain('marts.passed');
  expect((await round()).map((each) => each.table)).not.toContain('marts.foreign');
  await expect(round(['marts.foreign'])).rejects.toMatchObject({ code: 'maintenance.not_ours' });
});
