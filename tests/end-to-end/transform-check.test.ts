import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lakeward } from '../support/program.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/daily-active');

test('transform check names the place of what Spark would not give the same, and running on Spark refuses it', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'check-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  await cp(EXAMPLE, cwd, { recursive: true });
  expect((await lakeward(['transform', 'check'], { cwd })).code).toBe(0);
  await writeFile(
    join(cwd, 'transforms/words.ts'),
    `import { defineTransform } from 'lakeward';
export default defineTransform({ name: 'words', from: ['lesson:*'], mode: 'append',
  sql: "select\\n  event_name,\\n  strftime(created_datetime, '%Y') as year from events" });\n`,
  );
  const checked = await lakeward(['transform', 'check', '--json'], { cwd });
  expect(checked.code).toBe(3);
  const words = JSON.parse(checked.stdout).data.find(({ name }: { name: string }) => name === 'words');
  expect(words.problems).toMatchObject([{ line: 3, column: 3, what: 'strftime()' }]);
  expect((await lakeward(['run', 'processor', '--once'], { cwd })).code).toBe(0);
  // No Spark is there, and none is asked.
  const env = { LAKEWARD_SPARK_URL: 'sc://127.0.0.1:1' };
  const ran = await lakeward(['transform', 'run', 'words', '--engine', 'spark'], { cwd, env });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain('line 3, column 3: strftime() is not known to give the same there');
  expect((await lakeward(['transform', 'run', 'words'], { cwd })).code).toBe(0);
});
