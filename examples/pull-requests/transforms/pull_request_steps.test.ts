import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTransform } from 'lakeward';
import pullRequestDays from './pull_request_days.ts';
import pullRequestSteps from './pull_request_steps.ts';

const step = (event_name: string, created_at: string, state = 'open') => ({
  event_name,
  created_at,
  repository: { full_name: 'octo-org/octo-repo' },
  sender: { login: 'octocat' },
  pull_request: { number: 7, state, merged: false, created_at: '2026-01-10T08:00:00Z' },
});

const events = [
  step('pull_request:opened', '2026-01-10T08:00:00Z'),
  step('pull_request_review:submitted', '2026-01-10T09:00:00Z'),
  step('pull_request:closed', '2026-01-11T08:00:00Z', 'closed'),
];

test('each step knows how long the pull request has been open', async () => {
  const rows = await testTransform(pullRequestSteps, events);
  assert.deepEqual(
    rows.map(({ kind, action, after_opening_s }) => [kind, action, after_opening_s]),
    [
      ['pull_request', 'opened', 0],
      ['pull_request_review', 'submitted', 3600],
      ['pull_request', 'closed', 86_400],
    ],
  );
});

test('a day counts what happened on it', async () => {
  const rows = await testTransform(pullRequestDays, events, { upstream: [pullRequestSteps] });
  assert.deepEqual(
    rows.map(({ day, opened, reviews, closed }) => [day, opened, reviews, closed]),
    [
      ['2026-01-10', 1, 1, 0],
      ['2026-01-11', 0, 0, 1],
    ],
  );
});
