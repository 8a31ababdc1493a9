import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTransform } from 'lakeward';
import lessonFunnel from './lesson_funnel.ts';
import lessons from './lessons.ts';

const step = (event_name: string, id: string, created_at: string) => ({
  event_name,
  created_at,
  learner_id: 'ann',
  lesson: { id, course: 'es-en' },
  ...(event_name === 'lesson:started' ? { session: { id: 'ann-1' } } : {}),
});

const events = [
  step('lesson:started', 'one', '2026-01-10T23:58:00Z'),
  step('exercise:answered', 'one', '2026-01-10T23:59:00Z'),
  step('lesson:completed', 'one', '2026-01-11T00:01:00Z'),
  step('lesson:started', 'two', '2026-01-11T00:02:00Z'),
];

test('a lesson belongs to the day on which it began, also when it ends on the next', async () => {
  const rows = await testTransform(lessons, events);
  assert.deepEqual(
    rows.map(({ day, lesson_id, outcome, to_end_ms }) => ({ day, lesson_id, outcome, to_end_ms })),
    [
      { day: '2026-01-10', lesson_id: 'one', outcome: 'completed', to_end_ms: 180_000 },
      { day: '2026-01-11', lesson_id: 'two', outcome: 'lost', to_end_ms: null },
    ],
  );
});

test('the funnel counts the lessons that reach each step', async () => {
  const [first] = await testTransform(lessonFunnel, events, { upstream: [lessons] });
  assert.deepEqual(first, {
    day: '2026-01-10',
    course: 'es-en',
    sessions: 1,
    started: 1,
    answered: 1,
    completed: 1,
    abandoned: 0,
    to_first_answer_ms: 60_000,
    to_completed_ms: 180_000,
  });
});
