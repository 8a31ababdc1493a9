import type { Clock } from '../base/base.ts';

/** So much a second; what is not used within one second is lost. What is larger than a second's worth leaves a debt. */
export class TokenBucket {
  readonly #a_second: number;
  readonly #clock: Clock;
  #tokens: number;
  #filled_ms: number;

  constructor(a_second: number, clock: Clock) {
    this.#a_second = a_second;
    this.#clock = clock;
    this.#tokens = a_second;
    this.#filled_ms = clock.now();
  }

  /** Whether there is so much; of more than a second's worth, whether it is full. */
  has(tokens: number): boolean {
    this.#fill();
    return this.#tokens >= Math.min(tokens, this.#a_second);
  }

  take(tokens: number): void {
    this.#tokens -= tokens;
  }

  /** Until there is anything again. */
  get debt_ms(): number {
    this.#fill();
    return Math.max(0, Math.ceil((-this.#tokens / this.#a_second) * 1000));
  }

  #fill(): void {
    const now_ms = this.#clock.now();
    // A clock that went back fills nothing.
    const passed_ms = Math.max(0, now_ms - this.#filled_ms);
    this.#filled_ms = now_ms;
    this.#tokens = Math.min(this.#a_second, this.#tokens + (passed_ms / 1000) * this.#a_second);
  }
}
