import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTransform } from 'lakeward';
import dailyActive from './daily_active.ts';

const event = (event_name: string, learner_id: string, created_at: string) => ({
  event_name,
  learner_id,
  created_at,
});

test('a learner counts once a day, whatever they do and whenever it arrives', async () => {
  const rows = await testTransform(dailyActive, [
    event('account:created', 'ann', '2026-01-10T08:00:00Z'),
    event('session:started', 'ann', '2026-01-10T08:01:00Z'),
    event('lesson:completed', 'ann', '2026-01-10T08:10:00Z'),
    event('session:started', 'ann', '2026-01-10T20:00:00Z'),
    event('session:started', 'bob', '2026-01-10T23:59:59Z'),
    event('session:started', 'bob', '2026-01-11T00:00:00Z'),
  ]);
  assert.deepEqual(rows, [
    { day: '2026-01-10', learners: 2, learned: 1, new_learners: 1 },
    { day: '2026-01-11', learners: 1, learned: 0, new_learners: 0 },
  ]);
});
