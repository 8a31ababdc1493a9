/** Writers, maintenance, an operator, other programs and lost answers, in any order. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/base/base.ts';
import { actorsOf, onRaw, settle } from '../support/interleaving/actors.ts';
import {
  type Disturbed,
  onQuarantine,
  quarantineFindings,
  settleQuarantine,
} from '../support/interleaving/quarantine.ts';
import { findings, type Kind, makeWorld } from '../support/interleaving/world.ts';
import { seeded } from '../support/small-lake.ts';

const RUNS = Number(process.env['LAKEWARD_INTERLEAVINGS'] ?? 300);
/** Of quarantine a fifth as many as of raw. */
const OF_QUARANTINE = Math.ceil(RUNS / 10);
const FIRST = Number(process.env['LAKEWARD_FIRST_SEED'] ?? 1);

/** The table stopped and asks a person, which is what it must do when it cannot tell. */
const ASKS = ['tables.state_undecidable'];

async function interleave(
  seed: number,
  run: () => Promise<string[]>,
  asks = ASKS,
): Promise<'done' | 'asked'> {
  let found: string[];
  try {
    found = await run();
  } catch (error) {
    if (error instanceof Failure && asks.includes(error.code)) return 'asked';
    throw Object.assign(error as Error, { message: `seed ${seed}: ${(error as Error).message}` });
  }
  expect({ seed, findings: found }).toEqual({ seed, findings: [] });
  return 'done';
}

async function raw(kind: Kind, seed: number) {
  const world = await makeWorld(kind, seeded(seed));
  return interleave(seed, async () => {
    await world.turns.run(await actorsOf(world, onRaw(world)));
    await settle(world);
    return findings(world);
  });
}

const DISTURBED: readonly Disturbed[] = ['raw rolled back', 'quarantine rolled back', 'other programs'];

async function quarantine(kind: Kind, seed: number) {
  const world = await makeWorld(kind, seeded(seed));
  const by = DISTURBED[seed % DISTURBED.length]!;
  const run = async () => {
    await world.turns.run(await actorsOf(world, await onQuarantine(world, by)));
    await settleQuarantine(world);
    return quarantineFindings(world, by);
  };
  // What waits may be gone by another program: it is said which file, and nothing is taken until somebody decides.
  return interleave(seed, run, by === 'other programs' ? [...ASKS, 'object_store.not_found'] : ASKS);
}

async function all(runs: number, interleaved: (seed: number) => Promise<'done' | 'asked'>): Promise<void> {
  const ends = { done: 0, asked: 0 };
  for (let i = 0; i < runs; i++) ends[await interleaved(FIRST + i)]++;
  expect(ends.done).toBeGreaterThan(ends.asked);
}

describe.each<Kind>(['memory', 'bucket'])('over the %s catalog', (kind) => {
  it(`${RUNS / 2} orders of events lose no row, double none, and miss no file`, () =>
    all(RUNS / 2, (seed) => raw(kind, seed)));

  it(`${OF_QUARANTINE} orders of adoption, rollback and expiry of quarantine lose no record, double none, and miss no file`, () =>
    all(OF_QUARANTINE, (seed) => quarantine(kind, seed)));
});
