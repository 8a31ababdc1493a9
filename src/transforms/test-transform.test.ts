import { describe, expect, test } from 'vitest';
import { succeeded, transformLake } from '../../tests/support/transform-lake.ts';
import { openQuery } from '../query/query.ts';
import { defineTransform, testTransform } from './transforms.ts';

const at = (text: string): number => Date.parse(`${text}Z`) / 1000;

const active = defineTransform({
  name: 'active',
  from: ['lesson:started'],
  mode: 'partitions',
  partition: 'day',
  sql: `select created_datetime::date as day, count(distinct document->>'$.learner') as learners from events group by day`,
});

const event = (moment: string, learner: string, over: object = {}) => ({
  event_name: 'lesson:started',
  created_at: at(moment),
  learner,
  ...over,
});

describe('the test of a transform', () => {
  test('gives its rows, as objects, in order', async () => {
    const events = [
      event('2026-01-11T00:00:00', "o'neil"),
      event('2026-01-10T08:00:00', 'ann'),
      event('2026-01-10T23:59:59', 'bob'),
      event('2026-01-10T09:00:00', 'cyd', { event_name: 'lesson:completed' }),
    ];
    expect(await testTransform(active, events)).toEqual([
      { day: '2026-01-10', learners: 2 },
      { day: '2026-01-11', learners: 1 },
    ]);
    expect(await testTransform(active, [])).toEqual([]);
  });

  test('drops repeats, and understands times as staging does', async () => {
    const id = '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70';
    const events = [
      event('2026-01-10T08:00:00', 'ann', { event_uuid: id }),
      event('2026-01-11T08:00:00', 'bob', { event_uuid: id.toUpperCase() }),
      event('2026-01-10T08:00:00', 'cyd', { created_at: '2026-01-10T09:00:00Z' }),
      event('2026-01-10T08:00:00', 'dan', { created_at: at('2026-01-10T09:00:00') * 1000 }),
    ];
    expect(await testTransform(active, events)).toEqual([{ day: '2026-01-10', learners: 3 }]);
  });

  test('fails for an event that would go to quarantine, and says why', async () => {
    const events = [event('2026-01-10T08:00:00', 'ann'), event('1999-01-01T00:00:00', 'bob')];
    await expect(testTransform(active, events)).rejects.toMatchObject({
      message: 'event 2 of the test would go to quarantine',
      why: expect.stringContaining('absurd_created_at'),
    });
  });

  test('fails for SQL that does not run, as a run does', async () => {
    const broken = defineTransform({ ...active, sql: 'select nothing from events' } as never);
    await expect(testTransform(broken, [])).rejects.toMatchObject({ code: 'transform.sql' });
  });

  test('gives what it reads of other marts, and what it reads of other days', async () => {
    const yesterday = defineTransform({
      name: 'compared',
      from: [{ mart: 'active' }],
      mode: 'partitions',
      partition: 'day',
      reads: { daysBefore: 1 },
      sql: 'select day, learners - coalesce(lag(learners) over (order by day), 0) as more from active',
    });
    const events = [
      event('2026-01-10T08:00:00', 'ann'),
      event('2026-01-11T08:00:00', 'ann'),
      event('2026-01-11T08:00:00', 'bob'),
    ];
    const rows = [
      { day: '2026-01-10', more: 1 },
      { day: '2026-01-11', more: 1 },
    ];
    expect(await testTransform(yesterday, events, { upstream: [active] })).toEqual(rows);

    const lake = await transformLake();
    await lake.fill(events.map((each, n) => JSON.stringify({ event_uuid: `event ${n}`, ...each })));
    succeeded(await lake.run([yesterday, active]));
    const held = await openQuery(lake.worker).all('from marts.compared order by all');
    expect(held.rows).toEqual(rows);
  });

  test('of mode append gives every row', async () => {
    const flat = defineTransform({
      name: 'flat',
      from: ['lesson:*'],
      mode: 'append',
      sql: `select event_subtype as what, document->>'$.learner' as learner from lesson`,
    });
    expect(await testTransform(flat, [event('2026-01-10T08:00:00', 'ann')])).toEqual([
      { what: 'started', learner: 'ann' },
    ]);
  });
});
