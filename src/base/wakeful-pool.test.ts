import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepPoolAwake } from './wakeful-pool.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('hands a task to the pool every second, and keeps no process alive', () => {
  let tasks = 0;
  const timer = keepPoolAwake(() => tasks++);
  vi.advanceTimersByTime(5_000);
  expect(tasks).toBe(5);
  expect(timer.hasRef()).toBe(false);
  clearInterval(timer);
});
