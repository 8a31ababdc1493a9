/** Time as an argument: production passes `systemClock`, tests a clock that they move by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms`, or at once (without an error) when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Of one timer, some 25 days: one that is set for longer would fire at once. */
const TIMER_MOST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      let left_ms = ms;
      let timer: NodeJS.Timeout;
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const wait = () => {
        const part_ms = Math.min(left_ms, TIMER_MOST_MS);
        left_ms -= part_ms;
        timer = setTimeout(left_ms > 0 ? wait : done, part_ms);
      };
      signal?.addEventListener('abort', done, { once: true });
      wait();
    }),
};
