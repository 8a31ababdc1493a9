import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from './clock.ts';

const DAY_MS = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What became of a sleep by now. */
async function after(ms: number, slept: { over: boolean }): Promise<boolean> {
  await vi.advanceTimersByTimeAsync(ms);
  return slept.over;
}

function sleep(ms: number, signal?: AbortSignal): { over: boolean } {
  const slept = { over: false };
  void systemClock.sleep(ms, signal).then(() => {
    slept.over = true;
  });
  return slept;
}

test('a sleep of a month lasts a month: a timer alone would end at once, and a loop around it never rest', async () => {
  const slept = sleep(60 * DAY_MS);
  expect(await after(DAY_MS, slept)).toBe(false);
  expect(await after(59 * DAY_MS - 1, slept)).toBe(false);
  expect(await after(1, slept)).toBe(true);
});

test('an aborted sleep ends, in the first timer as in a later one, and leaves none behind', async () => {
  const [early, late] = [new AbortController(), new AbortController()];
  const slept = [sleep(60 * DAY_MS, early.signal), sleep(60 * DAY_MS, late.signal)] as const;
  early.abort();
  expect(await after(30 * DAY_MS, slept[0])).toBe(true);
  late.abort();
  expect(await after(0, slept[1])).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
