import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('one begins when the one before it has ended, also when that failed, and is told what became of itself', async () => {
  const turns = new Turns();
  const told: string[] = [];
  const first = Promise.withResolvers<string>();
  const all = [
    turns.take(async () => {
      told.push('first');
      return first.promise;
    }),
    turns.take(async () => {
      told.push('second');
      throw new Error('no');
    }),
    turns.take(async () => {
      told.push('third');
      return 'yes';
    }),
  ];
  const over = turns.over().then(() => told.push('over'));
  await new Promise(setImmediate);
  expect(told).toEqual(['first']);
  first.resolve('done');
  expect(await Promise.allSettled(all)).toMatchObject([
    { value: 'done' },
    { reason: { message: 'no' } },
    { value: 'yes' },
  ]);
  await over;
  expect(told).toEqual(['first', 'second', 'third', 'over']);
});
