import type { Random } from './simulation-random.ts';
import type { Schedule } from './simulation-schedule.ts';
import type { Meaning } from './simulation-truth.ts';

export interface PendingEvent {
  name: string;
  created_at_ms: number;
  fields: Record<string, unknown>;
  meaning: Meaning | undefined;
}

/** Something that will happen: a learner does something, or an event that is on its way reaches the stream. */
export type Pending = PendingEvent | { act: (now_ms: number) => void };

/** What one learner's device sends, and what the learner means to do later. */
export class Outbox {
  readonly #learner: string;
  readonly #random: Random;
  readonly #schedule: Schedule<Pending>;
  #offlineUntil_ms = 0;

  constructor(learner: string, random: Random, schedule: Schedule<Pending>) {
    this.#learner = learner;
    this.#random = random;
    this.#schedule = schedule;
  }

  /** Nothing that is sent from now on reaches the stream before this. */
  goOffline(until_ms: number): void {
    this.#offlineUntil_ms = Math.round(until_ms);
  }

  later(at_ms: number, act: (now_ms: number) => void): void {
    this.#schedule.add(Math.round(at_ms), { act });
  }

  /** Puts an event on its way: it arrives after a moment, or when an offline device is back. */
  emit(name: string, at_ms: number, fields: Record<string, unknown>, meaning?: Meaning): void {
    const created_at_ms = Math.round(at_ms);
    const travel_ms = this.#random.whole(50, 3000);
    const event = { name, created_at_ms, fields: { learner_id: this.#learner, ...fields }, meaning };
    this.#schedule.add(Math.max(created_at_ms, this.#offlineUntil_ms) + travel_ms, event);
  }
}
