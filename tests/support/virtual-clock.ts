import type { Clock } from '../../src/base/base.ts';

interface Sleeper {
  due_ms: number;
  wake: () => void;
}

/**
 * Time that a test moves by hand. With `running` it moves by itself instead, from one due sleep to the next, a step
 * for each turn of the event loop: waits cost nothing, and their order is that of real time.
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
    return this.#now_ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      signal?.removeEventListener('abort', wake);
      this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
      resolve();
    };
    const sleeper = { due_ms: this.#now_ms + ms, wake };
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

  #next(): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of this.#sleepers)
      if (next === undefined || sleeper.due_ms < next.due_ms) next = sleeper;
    return next;
  }

  #wakeNext(): void {
    const next = this.#next();
    if (next === undefined) return;
    this.#now_ms = Math.max(this.#now_ms, next.due_ms);
    next.wake();
  }
}
