/** Schedules of faults over virtual time; seeds come from the commit, so every commit tries others. */
import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import { ramFolder } from '../support/ram-folder.ts';
import { KINDS, schedules } from '../support/schedules/schedule.ts';
import { runSchedule } from '../support/schedules/world.ts';

const RUNS = Number(process.env['LAKEWARD_SCHEDULES'] ?? 100);
const SEED = Number(process.env['LAKEWARD_SCHEDULES_SEED'] ?? seedOfCommit());
const PATH = process.env['LAKEWARD_SCHEDULES_PATH'];

function seedOfCommit(): number {
  try {
    const hash = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' });
    return Number.parseInt(hash.slice(0, 7), 16);
  } catch {
    // A copy of the sources without their history.
    return 1;
  }
}

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = await ramFolder('schedules-');
  engine = await openEngine({ workFolder: join(folder, 'engine'), memory_bytes: 500e6, threads: 1 });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

it(`${RUNS} schedules of deaths, lost answers, reshards, takeovers and rollbacks lose no event and double none`, async () => {
  const happened = new Set<string>();
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const { injected, findings, acknowledged, staged } = await runSchedule(schedule, engine);
      for (const kind of Object.keys(injected)) happened.add(kind);
      expect({ findings, staged }).toEqual({ findings: [], staged: acknowledged });
    }),
    {
      ...{ numRuns: RUNS, seed: SEED, ...(PATH !== undefined && { path: PATH }) },
      // Making a failing schedule smaller takes time, and the test's must not run out first.
      interruptAfterTimeLimit: 800_000,
      markInterruptAsFailure: true,
    },
  );
  // The rarest happens a dozen times in a hundred schedules.
  if (RUNS >= 100) expect([...happened].sort()).toEqual([...KINDS].sort());
});
