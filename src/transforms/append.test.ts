import { describe, expect, test } from 'vitest';
import {
  currentId,
  expireSnapshots,
  foreignSnapshot,
  loaded,
  setMain,
} from '../../tests/support/edited-table.ts';
import { uuidOf } from '../../tests/support/events.ts';
import { faultyCatalog } from '../../tests/support/faulty-catalog.ts';
import { succeeded, transformLake } from '../../tests/support/transform-lake.ts';
import { STAGING_NAME } from '../tables/tables.ts';
import { defineTransform } from './transforms.ts';

const event = (n: number, name = 'lesson:started', day = '2026-01-10'): string =>
  JSON.stringify({
    event_uuid: uuidOf(n),
    event_name: name,
    created_at: Date.parse(`${day}T08:00:00Z`) / 1000,
    n,
  });

const flat = defineTransform({
  name: 'flat',
  from: ['lesson:started', 'payment:*'],
  mode: 'append',
  partition: 'at',
  sql: `select created_datetime as at, event_name as name, (document->>'$.n')::integer as n from events`,
});

describe('a transform of mode append', () => {
  test('passes each event through once, over runs and portions', async () => {
    const lake = await transformLake();
    await lake.fill([event(1), event(2, 'payment:order:completed', '2026-01-11')]);
    expect(succeeded(await lake.run([flat]))).toMatchObject([{ commits: 1, rows: 2 }]);
    expect(await lake.run([flat])).toMatchObject([{ commits: 0 }]);
    await lake.fill([event(3), event(4, 'lesson:completed')]);
    await lake.fill([event(5)]);
    expect(succeeded(await lake.run([flat], { maxRows: 1 }))).toMatchObject([{ commits: 2, rows: 2 }]);
    expect((await lake.rows('flat', 'n')).flat()).toEqual([1, 2, 3, 5]);
  });

  test.each([
    ['whose snapshot was expired', 'history_gone'],
    ['that another program rewrote', 'history_gone'],
    ['that was rolled back', 'history_gone'],
  ] as const)('stops and says so over a table %s, and keeps its position', async (how, code) => {
    const lake = await transformLake();
    const { worker } = lake;
    await lake.fill([event(1)]);
    const first = currentId(await loaded(worker.lake, STAGING_NAME));
    await lake.fill([event(2)]);
    await lake.run([flat]);
    const consumed = currentId(await loaded(worker.lake, STAGING_NAME));
    if (how === 'that was rolled back') await setMain(worker, STAGING_NAME, first);
    if (how === 'that another program rewrote')
      await foreignSnapshot(worker, STAGING_NAME, { operation: 'overwrite' });
    await lake.fill([event(3)]);
    if (how === 'whose snapshot was expired') {
      await expireSnapshots(worker, STAGING_NAME, [consumed]);
    }
    const [outcome] = await lake.run([flat]);
    expect(outcome!.failure).toMatchObject({
      code: `transform.${code}`,
      hint: expect.stringContaining('backfill flat'),
    });
    expect((await lake.rows('flat', 'n')).flat()).toEqual([1, 2]);
  });

  test('stops where compaction put what it had read and what it had not into one file', async () => {
    const lake = await transformLake();
    const { worker } = lake;
    await lake.fill([event(1)]);
    await lake.run([flat]);
    await lake.fill([event(2)]);
    const table = await loaded(worker.lake, STAGING_NAME);
    const { files } = await worker.lake.files(table);
    expect(files).toHaveLength(2);
    // As compaction writes it: the rows of both, with the number of the newer one.
    const merged = { ...files[1]!, location: worker.lake.newFileLocation(table), recordCount: 2 };
    const outcome = await worker.lake.commit(table, {
      commitId: crypto.randomUUID(),
      operation: 'replace',
      manifests: await worker.lake.prepare(table, [merged]),
      remove: files,
      stage: () => ({ summary: {}, properties: {} }),
    });
    expect(outcome.kind).toBe('committed');
    const [stopped] = await lake.run([flat]);
    expect(stopped!.failure).toMatchObject({
      code: 'transform.history_gone',
      why: expect.stringContaining('into one file'),
    });
  });

  test.each(['answer-lost', 'request-lost', 'late', 'sent-twice', 'turned-away'] as const)(
    'doubles and loses nothing when a commit’s answer is: %s',
    async (fault) => {
      const lake = await transformLake();
      await lake.fill([event(1)]);
      await lake.run([flat]);
      await lake.fill([event(2)]);
      let broken: ReturnType<typeof faultyCatalog> | undefined;
      const other = await transformLake({
        folder: lake.folder,
        stream: lake.stream,
        wrapCatalog: (catalog) => {
          broken = faultyCatalog(catalog);
          return broken;
        },
      });
      broken!.faults.push(fault);
      await other.run([flat]);
      expect(broken!.faults).toEqual([]);
      succeeded(await lake.run([flat]));
      expect((await lake.rows('flat', 'n')).flat()).toEqual([1, 2]);
    },
  );

  test('run by several at once doubles nothing', async () => {
    const lake = await transformLake();
    for (const n of [1, 2, 3, 4]) await lake.fill([event(n)]);
    const other = await transformLake({ folder: lake.folder, stream: lake.stream });
    await Promise.all([lake, other, lake].map((each) => each.run([flat], { maxRows: 1 })));
    succeeded(await lake.run([flat]));
    expect((await lake.rows('flat', 'n')).flat()).toEqual([1, 2, 3, 4]);
  });
});
