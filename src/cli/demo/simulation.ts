import { Learner } from './simulation-learner.ts';
import type { Pending } from './simulation-outbox.ts';
import { Random } from './simulation-random.ts';
import { Schedule } from './simulation-schedule.ts';
import { emptyTruth, enter, type SimulationTruth } from './simulation-truth.ts';

export type { LessonCounts, Sales, SimulationTruth } from './simulation-truth.ts';

export interface SimulationOptions {
  seed: number;
  /** Exactly so many are sent. */
  events: number;
  /** Unix seconds. The simulated time that passes is about two weeks, whatever the number of events. */
  starts_at: number;
}

export interface SimulatedEvent {
  event_uuid: string;
  event_name: string;
  /** The whole event as JSON text, these two and created_at included. */
  document: string;
  /** When it reaches the stream, Unix milliseconds: what the events are ordered by; created_at is a little earlier. */
  arrived_at_ms: number;
}

export interface Simulation {
  /** Can be walked once. */
  events: Iterable<SimulatedEvent>;
  /** Grows with every event taken; whole once all are. */
  truth: SimulationTruth;
}

const EVENTS_PER_LEARNER = 120;
const LEARNERS_MIN = 10;
const LEARNERS_MAX = 50_000;
const SIGN_UP_DAYS = 10;

/**
 * Two weeks in the life of a language-learning product. Deterministic from its options. Memory holds the learners
 * (one for 120 events, at most 50,000) and what is under way, never the events that were sent.
 */
export function simulate({ seed, events, starts_at }: SimulationOptions): Simulation {
  const truth = emptyTruth();
  return { truth, events: run({ random: new Random(seed), events, starts_at_ms: starts_at * 1000, truth }) };
}

interface Run {
  random: Random;
  events: number;
  starts_at_ms: number;
  truth: SimulationTruth;
}

function* run({ random, events, starts_at_ms, truth }: Run): Generator<SimulatedEvent> {
  const schedule = new Schedule<Pending>();
  const learners = Math.min(LEARNERS_MAX, Math.max(LEARNERS_MIN, Math.ceil(events / EVENTS_PER_LEARNER)));
  const signUp = (number: number, at_ms: number) => {
    const learner = new Learner(number, random, schedule);
    schedule.add(at_ms, { act: (now_ms) => learner.signUp(now_ms) });
  };
  for (let number = 1; number <= learners; number++)
    signUp(
      number,
      starts_at_ms + Math.floor(random.between(0, SIGN_UP_DAYS * 86_400_000) * random.fraction()),
    );

  for (let newcomers = learners; truth.events < events; ) {
    const due = schedule.next();
    if (!due) {
      // Everybody has left before enough was sent: another learner comes.
      signUp(++newcomers, truth.events === 0 ? starts_at_ms : truth.last_created_at * 1000 + 60_000);
      continue;
    }
    if ('act' in due.item) {
      due.item.act(due.at_ms);
      continue;
    }
    const { name, created_at_ms, fields, meaning } = due.item;
    const event_uuid = random.uuid(truth.events);
    enter(truth, { name, created_at_ms, meaning });
    const document = JSON.stringify({
      event_uuid,
      event_name: name,
      created_at: created_at_ms / 1000,
      ...fields,
    });
    yield { event_uuid, event_name: name, document, arrived_at_ms: due.at_ms };
  }
}
