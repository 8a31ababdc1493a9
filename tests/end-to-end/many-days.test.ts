/**
 * A backfill's worst case: nearly every event lies on a day of its own. Each open partition takes about 280 kB of the
 * engine's memory; all of them at once do not fit in its default.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lakeward } from '../support/program.ts';

const [EVENTS, DAYS, DAY_S] = [12_000, 3_400, 86_400];
const FIRST_DAY_S = Date.UTC(2015, 0, 1) / 1000;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'many-days-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

it('12,000 events on 3,400 days go through run --once with default options, one row and one place each', async () => {
  const lines = join(dir, 'events.ndjson');
  const event = (n: number) => ({
    event_uuid: `event-${n}`,
    event_name: 'lesson:started',
    // In no order of days: 1,001 and 3,400 have no common divisor.
    created_at: FIRST_DAY_S + ((n * 1_001) % DAYS) * DAY_S + (n % DAY_S),
  });
  await writeFile(lines, Array.from({ length: EVENTS }, (_, n) => JSON.stringify(event(n))).join('\n'));
  await lakeward(['send', '--dir', dir, lines]);

  const run = await lakeward(['run', '--once', '--json', '--dir', dir]);
  expect(run.code, run.stderr).toBe(0);
  expect(JSON.parse(run.stdout).data.ledger).toMatchObject({
    received: EVENTS,
    written: EVENTS,
    duplicate: 0,
    quarantined: 0,
  });
  const question = `select count(*) as events, count(distinct event_uuid) as ids,
    count(distinct created_datetime::date) as days from staging.events`;
  const [verify, asked] = await Promise.all([
    lakeward(['verify', '--json', '--dir', dir]),
    lakeward(['sql', '--dir', dir, '--format', 'json', question]),
  ]);
  expect(JSON.parse(verify.stdout).data.findings).toEqual([]);
  expect(JSON.parse(asked.stdout)).toEqual([{ events: EVENTS, ids: EVENTS, days: DAYS }]);
  expect(await readdir(join(dir, 'work'))).toEqual([]);
});
