import { expect, test } from 'vitest';
import { Gate } from './gate.ts';

test('no more than the places there are pass at once, in the order in which they came', async () => {
  const gate = new Gate(2);
  const begun: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const all = ends.map(({ promise }, i) =>
    gate.pass(async () => {
      begun.push(i);
      await promise;
    }),
  );
  expect(begun).toEqual([0, 1]);
  ends[1]!.resolve();
  await all[1];
  expect(begun).toEqual([0, 1, 2]);
  for (const { resolve } of ends) resolve();
  await Promise.all(all);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('a failure gives its place back', async () => {
  const gate = new Gate(1);
  await expect(gate.pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await gate.pass(async () => 'yes')).toBe('yes');
});
