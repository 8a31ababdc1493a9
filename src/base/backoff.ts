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
  clock: Clock;
  signal?: AbortSignal;
}

/** Runs `action` until it does not fail with `retry: 'backoff'`, or the attempts are used up. */
export async function retrying<T>(options: RetryOptions, action: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      const again = error instanceof Failure && error.retry === 'backoff';
      if (!again || attempt + 1 >= options.attempts || options.signal?.aborted) throw error;
      await options.clock.sleep(backoff(attempt, options), options.signal);
    }
  }
}
