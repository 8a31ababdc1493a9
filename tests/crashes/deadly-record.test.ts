/** A record that takes the whole program down, as a fault in the engine's native code would. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { event } from '../support/events.ts';
import { lakeward } from '../support/program.ts';

const DEADLY = pathToFileURL(join(import.meta.dirname, '../support/deadly-engine.ts')).href;
const RECORDS = 300;

it('is cornered by the fourth life, and everything else goes through', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'deadly-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const lines = Array.from({ length: RECORDS }, (_, n) => event(n, n === 123 ? { note: 'deadly' } : {}));
  await writeFile(join(dir, 'events.jsonl'), lines.join('\n'));
  const sent = await lakeward(['send', join(dir, 'events.jsonl'), '--dir', dir]);
  expect(sent.code).toBe(0);

  const env = { NODE_OPTIONS: `--import=${DEADLY}` };
  const run = () => lakeward(['run', '--once', '--dir', dir], { env, cwd: dir });
  const lives = [await run(), await run(), await run()];
  expect(lives.map(({ code }) => code)).toEqual([null, null, null]);
  expect(await readdir(join(dir, 'lake/.judging'))).toHaveLength(3);

  const fourth = await run();
  expect(fourth.stderr).toContain('processor.died_in_batch');
  expect(fourth.code).toBe(0);
  const question = 'select count(*) as n from staging.events';
  const { stdout } = await lakeward(['sql', question, '--dir', dir, '--format', 'csv']);
  expect(stdout).toBe(`n\n${RECORDS - 1}\n`);
  const listed = await lakeward(['quarantine', 'list', '--dir', dir, '--json']);
  expect(JSON.parse(listed.stdout).data).toMatchObject({
    reasons: [{ reason: 'crashed_engine', records: 1 }],
  });

  // What the dead left goes with the next batch, which begins behind it.
  await writeFile(join(dir, 'more.jsonl'), event(RECORDS));
  expect((await lakeward(['send', join(dir, 'more.jsonl'), '--dir', dir])).code).toBe(0);
  expect((await run()).code).toBe(0);
  expect(await readdir(join(dir, 'lake/.judging'))).toEqual([]);
});
