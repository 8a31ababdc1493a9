import { expect, test } from 'vitest';
import { FEW } from '../../tests/support/maintainer.ts';
import { commit, rawLake } from '../../tests/support/raw-commits.ts';
import { movedClock } from '../../tests/support/small-lake.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import { type Clock, Failure, type Log, silentLog } from '../base/base.ts';
import { RAW_NAME } from '../tables/tables.ts';
import { type MaintenanceOptions, runMaintenance } from './maintenance.ts';
import { type Looked, NEVER_LOOKED, whatIsDue } from './schedule.ts';

const HOUR_MS = 3_600_000;

/** Raw with so many commits of a file each, all of them at the same moment. */
async function rawWith(commits: number) {
  const { lake, table } = await rawLake();
  let now = table;
  for (let n = 0; n < commits; n++) now = await commit(lake, { rows: 1 });
  return { lake, table: now, at_ms: now.metadata['last-updated-ms'] };
}

test('the first look does everything, and the next ones nothing until enough files came', async () => {
  const { lake, table, at_ms } = await rawWith(1);
  const due = (looked: Looked, now_ms: number, of = table) => whatIsDue(of, { looked, rules: FEW, now_ms });
  expect(due(NEVER_LOOKED, at_ms)).toBe('orphans');
  const looked: Looked = {
    planned_ms: at_ms,
    plannedUpTo: table.metadata['last-sequence-number'],
    orphans_ms: at_ms,
  };
  expect(due(looked, at_ms + 1)).toBe('nothing');
  let later = table;
  for (let n = 0; n < FEW.minFiles; n++) {
    expect(due(looked, at_ms + 1, later)).toBe('nothing');
    later = await commit(lake, { rows: 1 });
  }
  expect(due(looked, at_ms + 1, later)).toBe('round');
});

test('what was not settled is planned again after an hour, once; orphans are looked for every day', async () => {
  const { table, at_ms } = await rawWith(2);
  const looked = (planned_ms: number): Looked => ({
    planned_ms,
    plannedUpTo: table.metadata['last-sequence-number'],
    orphans_ms: at_ms,
  });
  const due = (planned_ms: number, now_ms: number) =>
    whatIsDue(table, { looked: looked(planned_ms), rules: FEW, now_ms });
  expect(due(at_ms + 1, at_ms + HOUR_MS)).toBe('nothing');
  expect(due(at_ms + 1, at_ms + HOUR_MS + 1)).toBe('round');
  expect(due(at_ms + HOUR_MS + 1, at_ms + 10 * HOUR_MS)).toBe('nothing');
  expect(due(at_ms + HOUR_MS + 1, at_ms + 24 * HOUR_MS)).toBe('orphans');
});

test('more snapshots than the most are a reason, but not again before there are more', async () => {
  const { table, at_ms } = await rawWith(12);
  const rules = { ...FEW, minFiles: 100, snapshotsMost: 10 };
  const looked = { planned_ms: at_ms, plannedUpTo: 2, orphans_ms: at_ms };
  expect(whatIsDue(table, { looked, rules, now_ms: at_ms })).toBe('round');
  const upToDate = { ...looked, plannedUpTo: table.metadata['last-sequence-number'] };
  expect(whatIsDue(table, { looked: upToDate, rules, now_ms: at_ms })).toBe('nothing');
});

function options(
  lake: MaintenanceOptions['lake'],
  { clock, stop, log = silentLog }: { clock: Clock; stop: AbortController; log?: Log },
): MaintenanceOptions {
  return {
    lake,
    openEngine: () => Promise.reject(new Error('nothing is to be rewritten')),
    clock,
    log,
    random: () => 0,
    newId: () => crypto.randomUUID(),
    writer: 'maintenance',
    rules: FEW,
    bounds: { filesMost: 4_096, typesMost: 1_000 },
    signal: stop.signal,
  };
}

test('a table that fails is left alone longer each time, and nothing is thrown', async () => {
  const { lake } = await rawWith(1);
  const clock = movedClock(Date.UTC(2026, 0, 2));
  const tries: number[] = [];
  const stop = new AbortController();
  const begun_ms = clock.now_ms;
  const failing = {
    ...lake,
    load: async (name: string) => {
      if (name !== RAW_NAME) return undefined;
      tries.push(Math.round((clock.now_ms - begun_ms) / 60_000));
      if (tries.length === 4) stop.abort();
      throw new Failure('no catalog', { code: 'catalog.unreachable', fault: 'service' });
    },
  };
  const warned: string[] = [];
  const log = { ...silentLog, warn: (id: string) => void warned.push(id) };
  await runMaintenance(options(failing, { clock, stop, log }), { interval_ms: 60_000 });
  expect(warned).toEqual(['maintenance.failed', 'maintenance.failed', 'maintenance.failed']);
  const gaps = tries.slice(1).map((at, i) => at - tries[i]!);
  expect(gaps).toEqual(gaps.toSorted((a, b) => a - b));
  expect(gaps[2]).toBeGreaterThan(gaps[0]!);
});

test('a stop ends it at once, asleep or not', async () => {
  const { lake } = await rawWith(1);
  const stop = new AbortController();
  const clock = new VirtualClock();
  const running = runMaintenance(options(lake, { clock, stop }), { interval_ms: 60_000 });
  stop.abort();
  await running;
  expect(clock.sleeping).toBe(0);
});
