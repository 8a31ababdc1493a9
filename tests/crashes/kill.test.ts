import { it } from 'vitest';
import { killAndCompare } from './kill-and-compare.ts';

const ROUNDS = 25;

it(`after ${ROUNDS} times kill -9 in the middle of puts and commits, staging holds exactly what was acknowledged`, async () => {
  await killAndCompare({ rounds: ROUNDS, most_ms: 1_200 });
});
