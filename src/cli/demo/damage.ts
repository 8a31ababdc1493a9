import type { JudgedReason } from '../../event/event.ts';
import { DAMAGE, damagedBy } from './damage-records.ts';
import { Random } from './simulation-random.ts';

export interface DamageOptions {
  seed: number;
  /** Share of the events that are sent again. */
  repeat_rate?: number;
  /** Damaged records beside the events, as a share of them. */
  damaged_rate?: number;
}

/** What the damage needs to know of a corpus' event. */
export interface IntactEvent {
  event_uuid: string;
  document: string;
}

export interface SentRecord {
  /** One line: never has a line break in it. */
  bytes: Uint8Array;
  kind: 'event' | 'repeat' | 'damaged';
}

export interface DamageTruth {
  /** Records in all: distinct + repeats + damaged. */
  sent: number;
  /** Events of the corpus; each is sent once as it is, before any repeat of it. */
  distinct: number;
  repeats: number;
  /** Of the repeats: the event_uuid is written in upper case (the same identity by RFC 9562). */
  repeats_in_other_case: number;
  /** Of the repeats: another document under the same event_uuid. */
  repeats_with_other_content: number;
  damaged: Record<JudgedReason, number>;
}

const REPEAT_RATE = 0.03;
const DAMAGED_RATE = 0.001;
const RECENT_MAX = 1_000;
const RESERVOIR_MAX = 10_000;

/**
 * Makes a corpus as bad as real streams are: repeats and damaged records between its events, none of which is
 * changed or left out. Deterministic from seed and corpus. Half of the repeats are a producer's retry (of the last
 * 1,000 events), half come from anywhere before: a uniform sample of 10,000 earlier events is kept, so memory does not
 * grow with the corpus. Reasons come in turn, and those that a small corpus did not reach come at its end: all occur.
 */
export function damage(
  events: Iterable<IntactEvent>,
  { seed, repeat_rate = REPEAT_RATE, damaged_rate = DAMAGED_RATE }: DamageOptions,
): { records: Iterable<SentRecord>; truth: DamageTruth } {
  const truth: DamageTruth = {
    sent: 0,
    distinct: 0,
    repeats: 0,
    repeats_in_other_case: 0,
    repeats_with_other_content: 0,
    damaged: Object.fromEntries(REASON_CODES.map((code) => [code, 0])) as Record<JudgedReason, number>,
  };
  return { truth, records: run(events, { random: new Random(seed), repeat_rate, damaged_rate, truth }) };
}

const REASON_CODES = Object.keys(DAMAGE) as JudgedReason[];

interface Run {
  random: Random;
  repeat_rate: number;
  damaged_rate: number;
  truth: DamageTruth;
}

function* run(
  events: Iterable<IntactEvent>,
  { random, repeat_rate, damaged_rate, truth }: Run,
): Generator<SentRecord> {
  const earlier = new EarlierEvents(random);
  let turns = 0;
  const damaged = (document: string): SentRecord => {
    const code = REASON_CODES[turns % REASON_CODES.length]!;
    const round = Math.floor(turns++ / REASON_CODES.length);
    truth.damaged[code]++;
    truth.sent++;
    return { kind: 'damaged', bytes: damagedBy({ code, round, document, random }) };
  };

  for (const event of events) {
    earlier.add(event);
    truth.distinct++;
    truth.sent++;
    yield { kind: 'event', bytes: encode(event.document) };
    if (random.chance(repeat_rate)) yield repeat(earlier.pick(), random, truth);
    if (damaged_rate > 0 && random.chance(damaged_rate)) yield damaged(earlier.pick().document);
  }
  if (damaged_rate > 0 && truth.distinct > 0)
    while (turns < REASON_CODES.length) yield damaged(earlier.pick().document);
}

/** Of ten repeats eight are the same bytes, one has its event_uuid in upper case, one has another content. */
function repeat({ event_uuid, document }: IntactEvent, random: Random, truth: DamageTruth): SentRecord {
  truth.sent++;
  truth.repeats++;
  const way = random.whole(1, 10);
  const upper = document.replace(`"${event_uuid}"`, `"${event_uuid.toUpperCase()}"`);
  if (way === 9 && upper !== document) {
    truth.repeats_in_other_case++;
    return { kind: 'repeat', bytes: encode(upper) };
  }
  if (way === 10) {
    truth.repeats_with_other_content++;
    return { kind: 'repeat', bytes: encode(document.replace(/\}\s*$/, `,"attempt":${random.whole(2, 9)}}`)) };
  }
  return { kind: 'repeat', bytes: encode(document) };
}

class EarlierEvents {
  readonly #random: Random;
  readonly #recent: IntactEvent[] = [];
  readonly #reservoir: IntactEvent[] = [];
  #seen = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  add(event: IntactEvent): void {
    this.#recent[this.#seen % RECENT_MAX] = event;
    this.#seen++;
    if (this.#reservoir.length < RESERVOIR_MAX) {
      this.#reservoir.push(event);
      return;
    }
    const place = this.#random.whole(0, this.#seen - 1);
    if (place < RESERVOIR_MAX) this.#reservoir[place] = event;
  }

  pick(): IntactEvent {
    return this.#random.pick(this.#random.chance(0.5) ? this.#recent : this.#reservoir);
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
