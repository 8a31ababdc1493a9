/**
 * Records with the values on which readers of tables tend to break: in partition values, in bounds, in times at the
 * edge of a day, in documents. Beside each stands what it is, worked out here and not by the code under test.
 */
import { REASONS } from '../../src/event/event.ts';
import { seededRandom } from '../support/seeded-random.ts';

export interface Record {
  body: string | Uint8Array;
  /** Undefined for what is no event. */
  event?: Event;
  reason?: string;
}

export interface Event {
  uuid: string;
  name: string;
  type: string;
  subtype: string | null;
  created_us: bigint;
  document: string;
}

const LESSONS = [
  'lesson:started',
  'lesson:completed',
  'account:created',
  'payment:order:completed',
  'payment:refunded',
];

/** One event each, at the least; every type has partitions of its own. */
const NAMES = [
  'no-subtype',
  'empty-subtype:',
  'empty-middle::third',
  'quo"te\'s:a"b',
  '100%:%20%',
  'with space: leading and trailing ',
  'ünïcode-日本-🎈:ß',
  '🎈🎈🎈🎈🎈🎈🎈🎈🎈🎈🎈🎈🎈🎈🎈🎈🎈🎈:beyond sixteen code points',
  `long-${'x'.repeat(400)}:${'y'.repeat(400)}`,
  `${'é'.repeat(300)}:more than 256 bytes, not ASCII`,
  'a/b/../c:slash',
  '..:dots',
  'back\\slash:new\nline',
  'a=b&c=d#e?f:query',
  '__HIVE_DEFAULT_PARTITION__:x',
  'null:null',
  '\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}:no upper bound',
  'nul\u0000character:nul\u0000character',
] as const;

const DAY_S = 86_400;

/** Seconds as sent → microseconds, by arithmetic on the digits. */
const TIMES: readonly [sent: string, us: bigint][] = [
  ['946684800', 946_684_800_000_000n],
  ['946684800.000001', 946_684_800_000_001n],
  ['978220800', 978_220_800_000_000n],
  ['1767225599.999999', 1_767_225_599_999_999n],
  ['1767225600', 1_767_225_600_000_000n],
  ['1768435200.123456', 1_768_435_200_123_456n],
  // The double nearest to it is a quarter of a microsecond before midnight: rounded, the next day.
  ['1768521599.9999998', 1_768_521_600_000_000n],
  ['"2026-01-12T23:59:59.999999Z"', 1_768_262_399_999_999n],
  ['"2026-01-13T01:30:00+02:00"', 1_768_260_600_000_000n],
];

const NOTES = ['\u0000', 'a\u0000b', '\\u0000', 'it\'s "quoted"', '日本語 🎈', '\u2028\u2029'];

export interface Corpus {
  count: number;
  seed: number;
  /** Arrival of the first record, and how much later each further one comes. */
  firstArrival_ms: number;
  step_ms: number;
}

/** Events, every 40th record damaged, every 15th a repeat of an earlier one at any distance. */
export function difficultRecords({ count, seed, firstArrival_ms, step_ms }: Corpus): Record[] {
  const random = seededRandom(seed);
  const damaged = REASONS.flatMap(({ code, examples }) => examples.map((body) => ({ body, reason: code })));
  const records: Record[] = [];
  const events: Record[] = [];
  for (let i = 0; i < count; i++) {
    if (i % 40 === 7) records.push(damaged[Math.floor(i / 40) % damaged.length]!);
    else if (i % 15 === 14) records.push(events[Math.floor(random() * events.length)]!);
    else {
      const record = {
        ...eventRecord(i, { random, arrived_s: Math.floor((firstArrival_ms + i * step_ms) / 1000) }),
      };
      events.push(record);
      records.push(record);
    }
  }
  return records;
}

function eventRecord(i: number, { random, arrived_s }: { random: () => number; arrived_s: number }): Record {
  const name =
    i % 8 === 3 ? NAMES[Math.floor(i / 8) % NAMES.length]! : LESSONS[Math.floor(random() * LESSONS.length)]!;
  const edge = i % 50 === 3 ? TIMES[Math.floor(i / 50) % TIMES.length]! : undefined;
  const [sent, created_us] =
    edge && edge[1] < BigInt(arrived_s + DAY_S) * 1_000_000n ? edge : recent(arrived_s, random);
  const uuid = uuidOf(i, random);
  const note = i % 700 === 5 ? 'x'.repeat(300_000) : NOTES[i % NOTES.length];
  const document = `{"event_uuid":${JSON.stringify(uuid)},"event_name":${JSON.stringify(name)},"created_at":${sent},"n":${i},"note":${JSON.stringify(note)}}`;
  const [type, subtype] = name.split(':');
  return {
    body: document,
    event: { uuid, name, type: type!, subtype: subtype || null, created_us, document },
  };
}

/** Within a day before its arrival, a few a week late; whole seconds, milliseconds or microseconds. */
function recent(arrived_s: number, random: () => number): [string, bigint] {
  const seconds = arrived_s - Math.floor(random() * (random() < 0.02 ? 7 : 1) * DAY_S);
  const digits = [0, 3, 6][Math.floor(random() * 3)]!;
  const fraction = String(Math.floor(random() * 10 ** digits)).padStart(digits, '0');
  const us = BigInt(seconds) * 1_000_000n + (digits === 0 ? 0n : BigInt(fraction.padEnd(6, '0')));
  return [digits === 0 ? String(seconds) : `${seconds}.${fraction}`, us];
}

/** Most are UUIDs, some are any text. */
function uuidOf(i: number, random: () => number): string {
  if (i % 97 === 0) return `order ${i} "ü" 🎈`;
  const hex = Array.from({ length: 8 }, () =>
    Math.floor(random() * 0x1_0000)
      .toString(16)
      .padStart(4, '0'),
  );
  return `${hex[0]}${hex[1]}-${hex[2]}-${hex[3]}-${hex[4]}-${hex[5]}${hex[6]}${hex[7]}`;
}
