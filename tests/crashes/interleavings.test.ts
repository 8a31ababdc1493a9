/** Four writers, a compactor, an expirer, an operator, a foreign program and lost answers, in any order. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/base/base.ts';
import { actorsOf, settle } from '../support/interleaving/actors.ts';
import { findings, type Kind, makeWorld } from '../support/interleaving/world.ts';
import { seeded } from '../support/small-lake.ts';

const RUNS = Number(process.env['LAKEWARD_INTERLEAVINGS'] ?? 300);
const FIRST = Number(process.env['LAKEWARD_FIRST_SEED'] ?? 1);

/** `asked`: the table stopped and asks a person, which is what it must do when it cannot tell. */
async function interleave(kind: Kind, seed: number): Promise<'done' | 'asked'> {
  const world = await makeWorld(kind, seeded(seed));
  let found: string[];
  try {
    await world.turns.run(await actorsOf(world));
    await settle(world);
    found = await findings(world);
  } catch (error) {
    if (error instanceof Failure && error.code === 'tables.state_undecidable') return 'asked';
    throw Object.assign(error as Error, { message: `seed ${seed}: ${(error as Error).message}` });
  }
  expect({ seed, findings: found }).toEqual({ seed, findings: [] });
  return 'done';
}

describe.each<Kind>(['memory', 'bucket'])('over the %s catalog', (kind) => {
  it(`${RUNS / 2} orders of events lose no row, double none, and miss no file`, async () => {
    const ends = { done: 0, asked: 0 };
    for (let i = 0; i < RUNS / 2; i++) ends[await interleave(kind, FIRST + i)]++;
    expect(ends.done).toBeGreaterThan(ends.asked);
  });
});
