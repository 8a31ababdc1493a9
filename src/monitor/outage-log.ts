/**
 * What the log says of an outage: one clear line a minute however often it is tried again, and one when it is over.
 * Driven by what happens, so it needs no timer of its own.
 */
import type { Log } from '../base/base.ts';
import type { Health } from './health.ts';

const EVERY_MS = 60_000;
/** What works again for a moment between two failures is not over. */
const CALM_MS = 10_000;

export class OutageLog {
  readonly #log: Log;
  #said_ms = Number.NEGATIVE_INFINITY;
  #since_ms: number | undefined;
  #last_ms = Number.NEGATIVE_INFINITY;

  constructor(log: Log) {
    this.#log = log;
  }

  tell({ reasons }: Health, now_ms: number): void {
    if (reasons.length > 0) this.#degraded(reasons, now_ms);
    else if (this.#since_ms !== undefined && now_ms - this.#last_ms >= CALM_MS) this.#over();
  }

  #degraded(reasons: Health['reasons'], now_ms: number): void {
    this.#last_ms = now_ms;
    const [first, ...others] = reasons;
    if (first === undefined || now_ms - this.#said_ms < EVERY_MS) return;
    this.#said_ms = now_ms;
    this.#since_ms ??= first.since_ms;
    this.#log.warn('health.degraded', `degraded: ${first.what}`, {
      code: first.code,
      why: first.why,
      fix: first.fix,
      for_s: Math.round((now_ms - first.since_ms) / 1000),
      failures: first.failures,
      ...(others.length > 0 && { others: others.map(({ code }) => code).join(' ') }),
    });
  }

  #over(): void {
    const for_s = Math.round((this.#last_ms - this.#since_ms!) / 1000);
    this.#since_ms = undefined;
    this.#log.info('health.recovered', 'all is well again', { for_s });
  }
}
