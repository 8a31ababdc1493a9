import type { JudgedReason } from '../../event/event.ts';
import type { Random } from './simulation-random.ts';

type Damage = (document: string, random: Random) => string | Uint8Array;

/** Parses the document, sets these fields and drops those that are undefined. */
const having =
  (fields: Record<string, unknown>): Damage =>
  (document) =>
    JSON.stringify({ ...(JSON.parse(document) as object), ...fields });

/**
 * For each reason the ways in which a whole event can come to deserve it; a new reason does not compile without one.
 * They are written from the reasons' meaning, not taken from the table's examples, so that the two check each other.
 * No line breaks and no empty records: both would vanish in a file of lines.
 */
export const DAMAGE: Record<JudgedReason, readonly Damage[]> = {
  not_utf8: [
    (document) => insertByte(document, 0xff),
    // "ü" in Latin-1: the start of a UTF-8 sequence that does not go on.
    (document) => insertByte(document, 0xfc),
  ],
  not_json: [
    (document, random) => cut(document, random.whole(1, document.length - 1)),
    () => 'GET /health HTTP/1.1',
    (document) => `${document} trailing`,
    (document) => document.replace(/\}\s*$/, ',}'),
    (document) => document.replace(/\}\s*$/, ',"ratio":NaN}'),
    (document) => `${document}${document}`,
  ],
  not_an_object: [
    (document) => `[${document}]`,
    () => 'null',
    (document) => JSON.stringify(document),
    () => '42',
    () => 'true',
  ],
  no_event_uuid: [
    having({ event_uuid: undefined }),
    having({ event_uuid: null }),
    having({ event_uuid: '' }),
  ],
  bad_event_uuid: [
    having({ event_uuid: 1.5 }),
    having({ event_uuid: false }),
    having({ event_uuid: ['a'] }),
    having({ event_uuid: { id: 1 } }),
  ],
  no_event_name: [
    having({ event_name: undefined }),
    having({ event_name: null }),
    having({ event_name: '' }),
  ],
  bad_event_name: [
    having({ event_name: 7 }),
    having({ event_name: ['lesson', 'started'] }),
    having({ event_name: ':started' }),
    having({ event_name: { type: 'lesson' } }),
  ],
  bad_created_at: [
    having({ created_at: undefined }),
    having({ created_at: null }),
    having({ created_at: 'yesterday' }),
    having({ created_at: '2025-02-30T10:00:00Z' }),
    having({ created_at: true }),
    having({ created_at: { seconds: 1_700_000_000 } }),
  ],
  absurd_created_at: [
    having({ created_at: -1 }),
    having({ created_at: 0 }),
    having({ created_at: 1e300 }),
    having({ created_at: '50000-01-01T00:00:00Z' }),
    having({ created_at: '1970-01-01T00:00:00Z' }),
    having({ created_at: 4_102_444_800 }),
  ],
};

export interface DamagedRecord {
  code: JudgedReason;
  /** The ways of a reason come in turn. */
  round: number;
  document: string;
  random: Random;
}

export function damagedBy({ code, round, document, random }: DamagedRecord): Uint8Array {
  const ways = DAMAGE[code];
  const made = ways[round % ways.length]!(document, random);
  return typeof made === 'string' ? new TextEncoder().encode(made) : made;
}

/** A byte that UTF-8 does not allow there, inside the first name of the object. */
function insertByte(document: string, byte: number): Uint8Array {
  const bytes = new TextEncoder().encode(document);
  const place = bytes.indexOf(0x22) + 1;
  return Buffer.concat([bytes.subarray(0, place), Uint8Array.of(byte), bytes.subarray(place)]);
}

/** Never between the halves of a surrogate pair, whose encoding would not be what was cut. */
function cut(document: string, length: number): string {
  const last = document.charCodeAt(length - 1);
  return document.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
