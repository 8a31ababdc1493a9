import type { Clock } from './clock.ts';
import { Failure } from './failure.ts';

export interface BackoffOptions {
  first_ms: number;
  most_ms: number;
  /** 0 … 1; an argument so that tests are deterministic. */
  random: () => number;
}

/** Exponential with full jitter: attempt 0 waits up to `first_ms`, each further one up to twice as long. */
export function backoff(attempt: number, { first_ms, most_ms, random }: BackoffOptions): number {
  const ceiling = Math.min(most_ms, first_ms * 2 ** Math.min(attempt, 30));
  return ceiling * (0.5 + random() / 2);
}

export interface RetryOptions extends BackoffOptions {
  attempts: number;
  /** Since the first attempt began: behind it no further one begins. */
  within_ms?: number;
  clock: Clock;
  signal?: AbortSignal;
}

/**
 * Runs `action`, which is told how many attempts were before, until it does not fail with `retry: 'backoff'`, or the
 * attempts or their time are used up.
 */
export async function retrying<T>(
  options: RetryOptions,
  action: (attempt: number) => Promise<T>,
): Promise<T> {
  const { attempts, within_ms = Number.POSITIVE_INFINITY, clock } = options;
  const until_ms = clock.now() + within_ms;
  for (let attempt = 0; ; attempt++) {
    try {
      return await action(attempt);
    } catch (error) {
      const again = error instanceof Failure && error.retry === 'backoff';
      const used = attempt + 1 >= attempts || clock.now() >= until_ms;
      if (!again || used || options.signal?.aborted) throw error;
      await options.clock.sleep(backoff(attempt, options), options.signal);
    }
  }
}
