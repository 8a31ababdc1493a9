import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damage, simulate } from '../../src/cli/cli.ts';
import { flightsCorpus } from '../support/corpora/flights.ts';
import { githubEvents } from '../support/corpora/github.ts';
import { lakeward } from '../support/program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'corpora-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function writeLines(path: string, records: Iterable<{ bytes: Uint8Array }>): Promise<void> {
  const file = createWriteStream(path);
  for (const { bytes } of records) {
    file.write(bytes);
    if (!file.write('\n')) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

/** A corpus' lines through the program as a user runs it: send, run --once, ask, verify. */
async function through(lines: string, ...more: string[]) {
  const dir = await mkdtemp(join(folder, 'lake-'));
  const sent = await lakeward(['send', '--json', '--dir', dir, lines]);
  const run = await lakeward(['run', '--once', '--json', '--dir', dir, ...more]);
  const verify = await lakeward(['verify', '--deep', '--json', '--dir', dir]);
  const ask = async (question: string) => {
    const { stdout } = await lakeward(['sql', '--dir', dir, '--format', 'json', question]);
    return (JSON.parse(stdout) as Record<string, unknown>[]).map((row) => Object.values(row));
  };
  return {
    codes: [sent.code, run.code, verify.code],
    sent: JSON.parse(sent.stdout).data.records as number,
    ledger: JSON.parse(run.stdout).data.ledger as Record<string, number>,
    findings: JSON.parse(verify.stdout).data.findings as unknown[],
    ask,
  };
}

const entries = (counts: Record<string, unknown>) =>
  Object.entries(counts)
    .filter(([, count]) => count !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));

const REASONS = 'select reason, count(*) as n from quarantine.events group by 1 order by 1';
const NAMES = 'select event_name, count(*) as n from staging.events group by 1 order by 1';

describe('the simulated product', () => {
  it('is in the lake as the simulation itself wrote it down', async () => {
    const { events, truth } = simulate({ seed: 7, events: 40_000, starts_at: 1_767_225_600 });
    const damaged = damage(events, { seed: 7 });
    const path = join(folder, 'simulation.ndjson');
    await writeLines(path, damaged.records);
    const lake = await through(path);

    expect(lake.codes).toEqual([0, 0, 0]);
    expect(lake.findings).toEqual([]);
    expect(lake.sent).toBe(damaged.truth.sent);
    expect(lake.ledger).toMatchObject({
      received: damaged.truth.sent,
      quarantined: Object.values(damaged.truth.damaged).reduce((a, b) => a + b),
    });
    expect(await lake.ask(NAMES)).toEqual(entries(truth.by_name));
    expect(await lake.ask(REASONS)).toEqual(entries(damaged.truth.damaged));
    expect(
      await lake.ask(
        `select strftime(created_datetime, '%Y-%m-%d') || ' ' || event_type, count(*)
         from staging.events group by 1 order by 1`,
      ),
    ).toEqual(
      Object.entries(truth.by_day)
        .flatMap(([day, types]) => Object.entries(types).map(([type, n]) => [`${day} ${type}`, n]))
        .sort(([a], [b]) => (a! < b! ? -1 : 1)),
    );
  });
});

describe('the real GitHub payloads', () => {
  it('keep every document byte for byte, deeply nested as they are', async () => {
    const events = githubEvents();
    const damaged = damage(events, { seed: 3, repeat_rate: 0.3, damaged_rate: 0.05 });
    const path = join(folder, 'github.ndjson');
    await writeLines(path, damaged.records);
    const lake = await through(path, '--commit-max-rows', '50');

    expect(lake.codes).toEqual([0, 0, 0]);
    expect(lake.findings).toEqual([]);
    const documents = await lake.ask('select document from staging.events order by document');
    expect(documents.map(([document]) => document)).toEqual(events.map((e) => e.document).sort());
    expect(await lake.ask(REASONS)).toEqual(entries(damaged.truth.damaged));
  });
});

describe('the real flights', () => {
  it('are in the lake as plain SQL over the original file has them', async () => {
    const { path, truth } = await flightsCorpus({ cacheFolder: folder, rows: 60_000 });
    const lake = await through(path);

    expect(lake.codes).toEqual([0, 0, 0]);
    expect(lake.findings).toEqual([]);
    expect(lake.sent).toBe(truth.sent);
    expect(await lake.ask('select count(*), count(distinct lower(event_uuid)) from staging.events')).toEqual([
      [truth.distinct, truth.distinct],
    ]);
    expect(await lake.ask(NAMES)).toEqual(entries(truth.by_name));
    expect(await lake.ask(REASONS)).toEqual(entries(truth.damaged));
  });
});
