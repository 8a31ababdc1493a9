import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { identityOf, REASONS } from '../../event/event.ts';
import { damage, type SentRecord } from './damage.ts';
import { simulate } from './simulation.ts';

const EVENTS = 40_000;
const corpus = (events: number) =>
  simulate({ seed: 3, events, starts_at: Date.UTC(2026, 0, 1) / 1000 }).events;

function run(events: number, seed = 5) {
  const { records, truth } = damage(corpus(events), { seed });
  return { list: [...records], truth };
}

const textOf = ({ bytes }: SentRecord) => new TextDecoder().decode(bytes);
const uuidOf = (record: SentRecord) =>
  identityOf((JSON.parse(textOf(record)) as { event_uuid: string }).event_uuid);
const large = run(EVENTS);

describe('damage to a corpus', () => {
  test('is the same, byte for byte, from the same seed', () => {
    const bytes = (seed: number) => Buffer.concat(run(3_000, seed).list.map(({ bytes }) => bytes));
    expect(bytes(5).equals(bytes(5))).toBe(true);
    expect(bytes(5).equals(bytes(6))).toBe(false);
  });

  test('changes no event, leaves none out, and keeps their order', () => {
    const events = large.list.filter(({ kind }) => kind === 'event').map(textOf);
    expect(events).toEqual([...corpus(EVENTS)].map(({ document }) => document));
  });

  test('counts what it did as a recount does', () => {
    const of = (kind: SentRecord['kind']) => large.list.filter((record) => record.kind === kind);
    const { truth } = large;
    expect(truth.sent).toBe(large.list.length);
    expect(truth.distinct).toBe(new Set(of('event').map(uuidOf)).size);
    expect(truth.repeats).toBe(of('repeat').length);
    expect(Object.values(truth.damaged).reduce((a, b) => a + b)).toBe(of('damaged').length);
    expect(truth.repeats / EVENTS).toBeCloseTo(0.03, 2);
    expect(of('damaged').length / EVENTS).toBeCloseTo(0.001, 3);
  });

  test('repeats events that were sent before, some from just before and some from far back', () => {
    const firstAt = new Map<string, number>();
    const originals = new Map<string, string>();
    const distances: number[] = [];
    let exact = 0;
    let otherCase = 0;
    large.list.forEach((record, index) => {
      if (record.kind === 'damaged') return;
      const uuid = uuidOf(record);
      if (record.kind === 'event') {
        firstAt.set(uuid, index);
        originals.set(uuid, textOf(record));
        return;
      }
      distances.push(index - firstAt.get(uuid)!);
      const original = originals.get(uuid)!;
      if (textOf(record) === original) exact++;
      else if (textOf(record).toLowerCase() === original.toLowerCase()) otherCase++;
    });
    const { repeats, repeats_in_other_case, repeats_with_other_content } = large.truth;
    expect(distances.every((distance) => distance > 0)).toBe(true);
    expect(Math.max(...distances)).toBeGreaterThan(0.75 * large.list.length);
    expect(distances.filter((distance) => distance <= 1_100).length).toBeGreaterThan(repeats / 3);
    expect(otherCase).toBe(repeats_in_other_case);
    expect(otherCase).toBeGreaterThan(0);
    expect(repeats_with_other_content).toBeGreaterThan(0);
    expect(exact).toBe(repeats - repeats_in_other_case - repeats_with_other_content);
  });

  test('gives a record for every reason, also to a corpus of one event', () => {
    for (const { truth } of [run(1), run(300), large])
      expect(REASONS.filter(({ code }) => truth.damaged[code] === 0)).toEqual([]);
  });

  test('has records that are what their reason says, judged by a plain reading of the rules', () => {
    const counts: Record<string, number> = {};
    for (const record of [...large.list, ...run(20_000, 9).list]) {
      const verdict = judge(record.bytes);
      expect(verdict === 'event').toBe(record.kind !== 'damaged');
      counts[verdict] = (counts[verdict] ?? 0) + 1;
    }
    const expected = run(20_000, 9).truth.damaged;
    for (const { code } of REASONS) expect(counts[code]).toBe(large.truth.damaged[code] + expected[code]);
  });

  test('fits on lines: no record is empty or has a line break', () => {
    expect(
      large.list.every(({ bytes }) => bytes.length > 0 && !bytes.includes(10) && !bytes.includes(13)),
    ).toBe(true);
  });

  test('keeps its books for any corpus and rates', () => {
    const rate = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.nat(60), rate, rate, fc.integer(), (events, repeat_rate, damaged_rate, seed) => {
        const { records, truth } = damage(corpus(events), { seed, repeat_rate, damaged_rate });
        const list = [...records];
        const damaged = Object.values(truth.damaged).reduce((a, b) => a + b);
        expect(truth.distinct).toBe(events);
        expect(list).toHaveLength(truth.distinct + truth.repeats + damaged);
        expect(truth.sent).toBe(list.length);
      }),
      { numRuns: 50 },
    );
  });
});

/** The table of verdicts, read plainly and without any of the product's code. */
function judge(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return 'not_utf8';
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not_json';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not_an_object';
  const { event_uuid: uuid, event_name: name, created_at: at } = value as Record<string, unknown>;
  if (uuid === undefined || uuid === null || uuid === '') return 'no_event_uuid';
  if (typeof uuid !== 'string' && !Number.isInteger(uuid)) return 'bad_event_uuid';
  if (name === undefined || name === null || name === '') return 'no_event_name';
  if (typeof name !== 'string' || name.startsWith(':')) return 'bad_event_name';
  const seconds = typeof at === 'string' ? secondsOf(at) : at;
  if (typeof seconds !== 'number' || Number.isNaN(seconds)) return 'bad_created_at';
  return seconds < 946_684_800 || seconds > 1_800_000_000 ? 'absurd_created_at' : 'event';
}

function secondsOf(text: string): number {
  const parts = /^(\d{4,5})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/.exec(text)?.slice(1).map(Number);
  if (!parts) return Number.NaN;
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  return date.getUTCDate() === day ? date.getTime() / 1000 : Number.NaN;
}
