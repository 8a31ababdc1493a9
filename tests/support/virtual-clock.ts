import type { Clock } from '../../src/base/base.ts';

const SHORT_MS = 10_000;

interface Sleeper {
  due_ms: number;
  short: boolean;
  wake: () => void;
}

/**
 * Time that a test moves by hand. With `running` it also moves by itself, from one short sleep to the next, a step for
 * each turn of the event loop: pauses cost nothing. Long sleeps wait until the short ones have brought time that far,
 * or the test has; else time would jump there as soon as everybody waits for a socket.
 */
export class VirtualClock implements Clock {
  #now_ms: number;
  readonly #running: boolean;
  #sleepers: Sleeper[] = [];
  #awaited: { ms: number; seen: () => void }[] = [];

  constructor({
    now_ms = Date.UTC(2026, 0, 1),
    running = false,
  }: { now_ms?: number; running?: boolean } = {}) {
    this.#now_ms = now_ms;
    this.#running = running;
  }

  now(): number {
    // Whole, as the system gives it; pauses are fractions.
    return Math.floor(this.#now_ms);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      signal?.removeEventListener('abort', wake);
      this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
      resolve();
    };
    const sleeper = { due_ms: this.#now_ms + ms, short: ms <= SHORT_MS, wake };
    this.#sleepers.push(sleeper);
    signal?.addEventListener('abort', wake, { once: true });
    for (const a of this.#awaited.filter((awaited) => awaited.ms === ms)) a.seen();
    if (this.#running) setImmediate(() => this.#wakeNext());
    return promise;
  }

  /** Wakes what is due, in order. */
  advance(ms: number): void {
    const until_ms = this.#now_ms + ms;
    for (let next = this.#next(); next !== undefined && next.due_ms <= until_ms; next = this.#next()) {
      this.#now_ms = next.due_ms;
      next.wake();
    }
    this.#now_ms = until_ms;
  }

  /** Sleeps that have not ended. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Resolves as soon as somebody sleeps for exactly so long. */
  whenSleeping(ms: number): Promise<void> {
    return new Promise((seen) => this.#awaited.push({ ms, seen }));
  }

  #next(among = this.#sleepers): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of among) if (next === undefined || sleeper.due_ms < next.due_ms) next = sleeper;
    return next;
  }

  #wakeNext(): void {
    const next = this.#next(this.#sleepers.filter((s) => s.short || s.due_ms <= this.#now_ms));
    if (next === undefined) return;
    this.#now_ms = Math.max(this.#now_ms, next.due_ms);
    next.wake();
    // The turn was another sleeper's: a long one used its own up when time was not that far.
    if (!next.short) setImmediate(() => this.#wakeNext());
  }
}
