/** The files of a new project: what `lakeward init` writes. They run as they are. */
export interface ProjectFile {
  path: string;
  text: string;
}

/** `lakeward`: where the package is, as the dependency of the project names it. */
export function projectFiles({ name, lakeward }: { name: string; lakeward: string }): ProjectFile[] {
  return [
    { path: 'lakeward.config.ts', text: CONFIG },
    { path: 'transforms/daily-active.ts', text: TRANSFORM },
    { path: 'transforms/daily-active.test.ts', text: TEST },
    { path: 'package.json', text: `${JSON.stringify(packageOf(name, lakeward), null, 2)}\n` },
    { path: '.gitignore', text: '.lakeward/\nnode_modules/\n' },
  ];
}

const packageOf = (name: string, lakeward: string) => ({
  name:
    name
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[._-]+/, '') || 'lake',
  private: true,
  type: 'module',
  scripts: { test: 'node --test' },
  dependencies: { lakeward },
  engines: { node: '>=24' },
});

const CONFIG = `import { defineConfig } from 'lakeward';

export default defineConfig({
  // Every option: docs/reference/configuration.md
  dir: './.lakeward',
});
`;

const TRANSFORM = `import { defineTransform } from 'lakeward';

/** How many learners were active on each day. Becomes the table marts.daily_active. */
export default defineTransform({
  name: 'daily_active',
  from: ['lesson:started', 'lesson:completed'],
  mode: 'partitions',
  partition: 'day',
  sql: \`
    select
      created_datetime::date as day,
      count(distinct document->>'$.learner_id') as learners,
      count(*) filter (event_name = 'lesson:completed') as lessons
    from events
    group by day
  \`,
});
`;

const TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTransform } from 'lakeward';
import dailyActive from './daily-active.ts';

test('a learner counts once a day', async () => {
  const lesson = (event_name: string, learner_id: string, created_at: string) => ({
    event_name,
    learner_id,
    created_at,
  });
  const rows = await testTransform(dailyActive, [
    lesson('lesson:started', 'ann', '2026-01-10T08:00:00Z'),
    lesson('lesson:completed', 'ann', '2026-01-10T08:10:00Z'),
    lesson('lesson:started', 'bob', '2026-01-11T08:00:00Z'),
  ]);
  assert.deepEqual(rows, [
    { day: '2026-01-10', learners: 1, lessons: 1 },
    { day: '2026-01-11', learners: 1, lessons: 0 },
  ]);
});
`;
