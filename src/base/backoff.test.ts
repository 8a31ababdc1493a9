import { expect, test } from 'vitest';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import { retrying } from './backoff.ts';
import { Failure } from './failure.ts';

const failure = (retry: 'backoff' | 'never') =>
  new Failure('it did not work', { code: 'test.failed', fault: 'service', why: 'by the test', retry });

function failing({ takes_ms, retry = 'backoff' }: { takes_ms: number; retry?: 'backoff' | 'never' }) {
  const clock = new VirtualClock({ running: true });
  const seen: number[] = [];
  const action = async (attempt: number) => {
    seen.push(attempt);
    clock.advance(takes_ms);
    throw failure(retry);
  };
  return { seen, action, options: { clock, first_ms: 1, most_ms: 1, random: () => 0 } };
}

test('tells the action how many attempts were before, and ends with them', async () => {
  const { seen, action, options } = failing({ takes_ms: 0 });
  await expect(retrying({ ...options, attempts: 3 }, action)).rejects.toThrow('it did not work');
  expect(seen).toEqual([0, 1, 2]);
});

test('begins no attempt when their time is used up', async () => {
  const { seen, action, options } = failing({ takes_ms: 400 });
  await expect(retrying({ ...options, attempts: 8, within_ms: 1_000 }, action)).rejects.toThrow();
  expect(seen).toEqual([0, 1, 2]);
});

test('repeats nothing that a repetition does not mend', async () => {
  const { seen, action, options } = failing({ takes_ms: 0, retry: 'never' });
  await expect(retrying({ ...options, attempts: 3 }, action)).rejects.toThrow();
  expect(seen).toEqual([0]);
});
