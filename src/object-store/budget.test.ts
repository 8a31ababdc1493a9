import { expect, test } from 'vitest';
import { Budget } from './budget.ts';

/** Holds until `end` is called. */
function holder(budget: Budget, amount: number, begun: number[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = budget.holding(amount, () => {
    begun.push(amount);
    return promise;
  });
  return { end: resolve, done };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('holds no more than there is, and serves those who wait in order', async () => {
  const budget = new Budget(10);
  const begun: number[] = [];
  const [six, five, one] = [6, 5, 1].map((amount) => holder(budget, amount, begun));
  await settled();
  // One would fit beside six, but a line that lets the small ones pass may starve the large one.
  expect(begun).toEqual([6]);
  six!.end();
  await settled();
  expect(begun).toEqual([6, 5, 1]);
  five!.end();
  one!.end();
  await Promise.all([six!.done, five!.done, one!.done]);
});

test('lets what is larger than all of it run alone', async () => {
  const budget = new Budget(10);
  const begun: number[] = [];
  const [large, small] = [50, 1].map((amount) => holder(budget, amount, begun));
  await settled();
  expect(begun).toEqual([50]);
  large!.end();
  await large!.done;
  await settled();
  expect(begun).toEqual([50, 1]);
  small!.end();
});

test('is given back by what failed', async () => {
  const budget = new Budget(1);
  await expect(budget.holding(1, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await budget.holding(1, async () => 'next')).toBe('next');
});
