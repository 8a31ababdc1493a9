import { describe, expect, test } from 'vitest';
import { currentId, deleteAllRows, setMain } from '../../tests/support/edited-table.ts';
import { uuidOf } from '../../tests/support/events.ts';
import { faultyCatalog } from '../../tests/support/faulty-catalog.ts';
import { succeeded, transformLake } from '../../tests/support/transform-lake.ts';
import { STAGING_NAME, tableState } from '../tables/tables.ts';
import { rangesText } from './days.ts';
import { runsOf } from './record.ts';
import { defineTransform } from './transforms.ts';

const at = (text: string): number => Date.parse(`${text}Z`) / 1000;

const lesson = (n: number, moment: string, learner: string, name = 'lesson:started'): string =>
  JSON.stringify({ event_uuid: uuidOf(n), event_name: name, created_at: at(moment), learner });

const active = defineTransform({
  name: 'active',
  from: ['lesson:started'],
  mode: 'partitions',
  partition: 'day',
  sql: `select created_datetime::date as day, count(distinct document->>'$.learner') as learners, count(*) as events
    from events group by day`,
});

const ACTIVE = 'day::varchar, learners, events';

describe('a transform of mode partitions', () => {
  test('computes the days that hold its events, and nothing of other events', async () => {
    const lake = await transformLake();
    await lake.fill([
      lesson(1, '2026-01-10T08:00:00', 'ann'),
      lesson(2, '2026-01-10T23:59:59', 'ann'),
      lesson(3, '2026-01-11T00:00:00', 'bob'),
      lesson(4, '2026-01-11T00:00:01', 'cyd', 'lesson:completed'),
      lesson(5, '2026-01-12T00:00:01', 'dan', 'payment:order:completed'),
    ]);
    expect(succeeded(await lake.run([active]))).toMatchObject([{ name: 'active', commits: 1, rows: 2 }]);
    expect(await lake.rows('active', ACTIVE)).toEqual([
      ['2026-01-10', 1, 2],
      ['2026-01-11', 1, 1],
    ]);
  });

  test('replaces only the day of a late event, and counts what it took out', async () => {
    const lake = await transformLake();
    await lake.fill([lesson(1, '2026-01-10T08:00:00', 'ann'), lesson(2, '2026-01-12T08:00:00', 'ann')]);
    await lake.run([active]);
    await lake.fill([lesson(3, '2026-01-10T09:00:00', 'bob')]);
    const [outcome] = succeeded(await lake.run([active]));
    expect(rangesText(outcome!.days)).toBe('2026-01-10');
    expect(await lake.rows('active', ACTIVE)).toEqual([
      ['2026-01-10', 2, 2],
      ['2026-01-12', 1, 1],
    ]);
    const table = await lake.table('active');
    expect(runsOf(table)[0]!.record).toMatchObject({ kind: 'run', rows: 1, removed: 1 });
    expect(tableState(table).ledger).toMatchObject({ written: 3, removed: 1 });
    expect(table.metadata.snapshots.at(-1)!.summary).toMatchObject({ 'total-records': '2' });
  });

  test('commits nothing when nothing came, and nothing for events it did not ask for', async () => {
    const lake = await transformLake();
    await lake.fill([lesson(1, '2026-01-10T08:00:00', 'ann')]);
    await lake.run([active]);
    const before = currentId(await lake.table('active'));
    expect(await lake.run([active])).toMatchObject([{ commits: 0 }]);
    await lake.fill([lesson(2, '2026-01-10T09:00:00', 'ann', 'lesson:completed')]);
    expect(await lake.run([active])).toMatchObject([{ commits: 0 }]);
    expect(currentId(await lake.table('active'))).toBe(before);
  });

  test('moves its pointer once in a while although nothing of interest comes, so that expiry can go on', async () => {
    const lake = await transformLake();
    await lake.fill([lesson(1, '2026-01-10T08:00:00', 'ann')]);
    await lake.run([active]);
    const pointer = async () => tableState(await lake.table('active')).consumed[STAGING_NAME]!.snapshot;
    const before = await pointer();
    lake.worker.clock.advance(3_600_000);
    await lake.fill([lesson(2, '2026-01-10T09:00:00', 'ann', 'lesson:completed')]);
    await lake.run([active]);
    expect(await pointer()).toBe(before);
    lake.worker.clock.advance(7 * 3_600_000);
    await lake.fill([lesson(3, '2026-01-10T09:00:00', 'ann', 'lesson:completed')]);
    await lake.run([active]);
    expect(await pointer()).toBe(currentId((await lake.worker.lake.load(STAGING_NAME))!));
    expect(await lake.rows('active', ACTIVE)).toEqual([['2026-01-10', 1, 1]]);
  });

  test('writes a bounded number of days a commit, and moves its pointer with the last', async () => {
    const lake = await transformLake();
    await lake.fill([1, 2, 3, 4, 5].map((n) => lesson(n, `2026-01-0${n}T08:00:00`, 'ann')));
    await lake.run([active], { maxDays: 2 });
    const table = await lake.table('active');
    const runs = runsOf(table).map(({ record }) => rangesText(record.days));
    expect(runs).toEqual(['2026-01-05', '2026-01-03..2026-01-04', '2026-01-01..2026-01-02']);
    const moved = table.metadata.snapshots.map((s) => `lakeward.consumed.${STAGING_NAME}` in s.summary);
    expect(moved).toEqual([false, false, false, true]);
    expect(await lake.run([active])).toMatchObject([{ commits: 0 }]);
  });

  test('stopped between two commits of one run, computes those days again and has each once', async () => {
    const lake = await transformLake();
    await lake.fill([1, 2, 3].map((n) => lesson(n, `2026-01-0${n}T08:00:00`, 'ann')));
    const stop = new AbortController();
    const asked = { maxDays: 1, signal: stop.signal, onCommit: () => stop.abort() };
    expect(await lake.run([active], asked)).toEqual([
      { name: 'active', stopped: true, commits: 1, rows: 1, days: expect.anything() },
    ]);
    expect(await lake.rows('active', ACTIVE)).toHaveLength(1);
    succeeded(await lake.run([active]));
    expect(await lake.rows('active', ACTIVE)).toEqual([
      ['2026-01-01', 1, 1],
      ['2026-01-02', 1, 1],
      ['2026-01-03', 1, 1],
    ]);
  });

  test('takes a day away whose events are all gone, after a rollback of staging too', async () => {
    const lake = await transformLake();
    await lake.fill([lesson(1, '2026-01-10T08:00:00', 'ann')]);
    const { lake: files } = lake.worker;
    const first = currentId((await files.load(STAGING_NAME))!);
    await lake.fill([lesson(2, '2026-01-11T08:00:00', 'ann')]);
    succeeded(await lake.run([active]));
    await setMain(lake.worker, STAGING_NAME, first);
    succeeded(await lake.run([active]));
    expect(await lake.rows('active', ACTIVE)).toEqual([['2026-01-10', 1, 1]]);
    await deleteAllRows(lake.worker, STAGING_NAME);
    succeeded(await lake.run([active]));
    expect(await lake.rows('active')).toEqual([]);
  });

  test('rolled back itself computes again what that undid', async () => {
    const lake = await transformLake();
    await lake.fill([lesson(1, '2026-01-10T08:00:00', 'ann')]);
    await lake.run([active]);
    const first = currentId(await lake.table('active'));
    await lake.fill([lesson(2, '2026-01-10T09:00:00', 'bob')]);
    await lake.run([active]);
    await setMain(lake.worker, 'marts.active', first);
    expect(await lake.rows('active', ACTIVE)).toEqual([['2026-01-10', 1, 1]]);
    succeeded(await lake.run([active]));
    expect(await lake.rows('active', ACTIVE)).toEqual([['2026-01-10', 2, 2]]);
  });

  test.each(['answer-lost', 'request-lost', 'late', 'sent-twice', 'turned-away'] as const)(
    'has every day once when a commit’s answer is: %s',
    async (fault) => {
      const lake = await transformLake();
      await lake.fill([lesson(1, '2026-01-10T08:00:00', 'ann')]);
      await lake.run([active]);
      await lake.fill([lesson(2, '2026-01-10T09:00:00', 'bob')]);
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
      await other.run([active]);
      expect(broken!.faults).toEqual([]);
      succeeded(await lake.run([active]));
      expect(await lake.rows('active', ACTIVE)).toEqual([['2026-01-10', 2, 2]]);
    },
  );

  test('run by several at once has every day once', async () => {
    const lake = await transformLake();
    await lake.fill([1, 2, 3, 4].map((n) => lesson(n, `2026-01-0${n}T08:00:00`, 'ann')));
    const other = await transformLake({ folder: lake.folder, stream: lake.stream });
    const runs = await Promise.all([lake, other, lake].map((each) => each.run([active], { maxDays: 1 })));
    for (const outcomes of runs) succeeded(outcomes);
    expect(await lake.rows('active', ACTIVE)).toHaveLength(4);
    expect(await lake.rows('active', 'sum(events)')).toEqual([[4]]);
  });
});

describe('a transform that reads days around its own', () => {
  const refunds = defineTransform({
    name: 'orders',
    from: ['payment:order:completed', 'payment:order:refunded'],
    mode: 'partitions',
    partition: 'day',
    reads: { daysAfter: 7 },
    sql: `select o.created_datetime::date as day, count(*) as orders, count(r.event_uuid) as refunded
      from payment_order_completed o left join payment_order_refunded r
        on (r.document->>'$.learner') = (o.document->>'$.learner') group by day`,
  });

  test('enters a refund into the day of its order, a week before', async () => {
    const lake = await transformLake();
    await lake.fill([
      lesson(1, '2026-01-01T08:00:00', 'ann', 'payment:order:completed'),
      lesson(2, '2026-01-01T08:00:00', 'bob', 'payment:order:completed'),
      lesson(3, '2026-01-05T08:00:00', 'cyd', 'payment:order:completed'),
    ]);
    await lake.run([refunds]);
    await lake.fill([lesson(4, '2026-01-08T08:00:00', 'ann', 'payment:order:refunded')]);
    const [outcome] = succeeded(await lake.run([refunds]));
    expect(rangesText(outcome!.days)).toBe('2026-01-01..2026-01-08');
    expect(await lake.rows('orders', 'day::varchar, orders, refunded')).toEqual([
      ['2026-01-01', 2, 1],
      ['2026-01-05', 1, 0],
    ]);
  });

  test('gives the same rows whether days come together or one by one', async () => {
    const documents = Array.from({ length: 12 }, (_, n) =>
      lesson(
        n,
        `2026-01-${String(1 + n).padStart(2, '0')}T08:00:00`,
        `learner ${n % 3}`,
        n % 4 === 3 ? 'payment:order:refunded' : 'payment:order:completed',
      ),
    );
    const together = await transformLake();
    await together.fill(documents);
    succeeded(await together.run([refunds]));
    const single = await transformLake();
    for (const document of documents.toReversed()) {
      await single.fill([document]);
      succeeded(await single.run([refunds]));
    }
    const columns = 'day::varchar, orders, refunded';
    expect(await single.rows('orders', columns)).toEqual(await together.rows('orders', columns));
    expect(await single.rows('orders', 'count(*), sum(refunded) > 0')).toEqual([[9, true]]);
  });
});
