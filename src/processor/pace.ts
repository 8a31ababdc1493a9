/**
 * Writers of one table take turns without a word: with so many of them each leaves so much time between its commits
 * that together they make no more than one in the spacing. A little more, each time another little, so that two that
 * met once do not meet every time.
 */
import type { Clock } from '../base/base.ts';

export interface PaceOptions {
  clock: Clock;
  random: () => number;
  spacing_ms: () => number;
}

export class Pace {
  readonly #options: PaceOptions;
  #last_ms = Number.NEGATIVE_INFINITY;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Resolves when it is this writer's turn, or the signal is aborted. */
  async turn(signal: AbortSignal): Promise<void> {
    const { clock, random, spacing_ms } = this.#options;
    const spaced_ms = spacing_ms() * (1 + random() / 4);
    // Never longer than that: a clock that was set back must not stop the commits until it has caught up.
    const wait_ms = Math.min(spaced_ms, this.#last_ms + spaced_ms - clock.now());
    if (wait_ms > 0) await clock.sleep(wait_ms, signal);
    this.#last_ms = clock.now();
  }
}
