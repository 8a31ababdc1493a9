import { expect } from 'vitest';
import { killRounds, type Rounds } from '../support/kill-rounds.ts';

/** In the end everything is there once, and nothing else. */
export async function killAndCompare(how: Rounds): Promise<void> {
  const { acknowledged, staged, findings, codes } = await killRounds(how);
  expect({ findings, codes }).toEqual({ findings: [], codes: { last: 0, verify: 0 } });
  expect(staged.length).toBe(acknowledged.size);
  expect(new Set(staged)).toEqual(acknowledged);
  expect(staged.length).toBeGreaterThan(1_000);
}
