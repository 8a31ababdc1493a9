/**
 * What the log says of an outage: one clear line a minute however often it is tried again, and one when it is over.
 * Driven by what happens, so it needs no timer of its own.
 */
import type { Log } from '../base/base.ts';
import type { Health } from './health.ts';

const EVERY_MS = 60_000;

export class OutageLog {
  readonly #log: Log;
  #said_ms = Number.NEGATIVE_INFINITY;
  #since_ms: number | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  tell({ reasons }: Health, now_ms: number): void {
    if (reasons.length > 0) this.#degraded(reasons, now_ms);
    else if (this.#since_ms !== undefined) this.#over(now_ms);
  }

  #degraded(reasons: Health['reasons'], now_ms: number): void {
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

  #over(now_ms: number): void {
    const for_s = Math.round((now_ms - this.#since_ms!) / 1000);
    this.#since_ms = undefined;
    this.#log.info('health.recovered', 'all is well again', { for_s });
  }
}
