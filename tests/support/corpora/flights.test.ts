import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FlightsCorpus, flightsCorpus } from './flights.ts';

const ROWS = 40_000;

interface Flight {
  event_uuid: string;
  event_name: string;
  created_at: number;
}

let cacheFolder: string;
let corpus: FlightsCorpus;
let lines: Buffer[];
beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'flights-'));
  corpus = await flightsCorpus({ cacheFolder, rows: ROWS });
  lines = split(await readFile(corpus.path));
});
afterAll(() => rm(cacheFolder, { recursive: true, force: true }));

function split(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(10, from);
    found.push(bytes.subarray(from, to));
    from = to + 1;
  }
  return found;
}

/** The line as an event, or the reason why it is none, by a plain reading of the rules. */
function judge(line: Buffer): Flight | string {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(line);
  } catch {
    return 'not_utf8';
  }
  let value: Partial<Record<keyof Flight, unknown>>;
  try {
    value = JSON.parse(line.toString()) as typeof value;
  } catch {
    return 'not_json';
  }
  if (Array.isArray(value)) return 'not_an_object';
  if (value.event_uuid === undefined) return 'no_event_uuid';
  if (typeof value.event_uuid !== 'string') return 'bad_event_uuid';
  if (value.event_name === '') return 'no_event_name';
  if (typeof value.event_name !== 'string' || value.event_name.startsWith(':')) return 'bad_event_name';
  if (typeof value.created_at !== 'number') return 'bad_created_at';
  return value.created_at < 0 ? 'absurd_created_at' : (value as Flight);
}

describe('the flights corpus', () => {
  test('has the records that its truth says, by a recount of the lines', () => {
    const { truth } = corpus;
    const firstAt = new Map<string, number>();
    const distances: number[] = [];
    const damaged: Record<string, number> = {};
    const byName: Record<string, number> = {};
    const byDay: Record<string, Record<string, number>> = {};
    lines.forEach((line, index) => {
      const verdict = judge(line);
      if (typeof verdict === 'string') {
        damaged[verdict] = (damaged[verdict] ?? 0) + 1;
        return;
      }
      const identity = verdict.event_uuid.toLowerCase();
      if (firstAt.has(identity)) {
        distances.push(index - firstAt.get(identity)!);
        return;
      }
      firstAt.set(identity, index);
      const day = new Date(verdict.created_at * 1000).toISOString().slice(0, 10);
      const type = verdict.event_name.split(':')[0]!;
      byName[verdict.event_name] = (byName[verdict.event_name] ?? 0) + 1;
      byDay[day] ??= {};
      byDay[day][type] = (byDay[day][type] ?? 0) + 1;
    });
    expect(lines).toHaveLength(truth.sent);
    expect(firstAt.size).toBe(truth.distinct);
    expect(truth.distinct).toBe(ROWS);
    expect(distances).toHaveLength(truth.repeats);
    expect(damaged).toEqual(truth.damaged);
    expect(byName).toEqual(truth.by_name);
    expect(byDay).toEqual(truth.by_day);
    expect(Math.max(...distances)).toBeGreaterThan(0.8 * ROWS);
  });

  test('has about 3% repeats and 0.1% damaged records, with every reason', () => {
    const { truth } = corpus;
    expect(truth.repeats / ROWS).toBeCloseTo(0.03, 2);
    expect(Object.keys(truth.damaged)).toHaveLength(9);
    expect(Object.values(truth.damaged).reduce((a, b) => a + b) / ROWS).toBeCloseTo(0.001, 3);
    expect(truth.repeats_in_other_case).toBeGreaterThan(0);
    expect(truth.repeats_with_other_content).toBeGreaterThan(0);
  });

  test('has five types and hundreds of names, and UUIDs that carry the row number', () => {
    const names = Object.keys(corpus.truth.by_name);
    expect(new Set(names.map((name) => name.split(':')[0])).size).toBe(5);
    expect(names.length).toBeGreaterThan(200);
    expect(names.length).toBeLessThanOrEqual(500);
    const first = judge(lines[0]!) as Flight;
    expect(first.event_uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-000000000000$/);
  });

  test('is the same, byte for byte, when it is made again, and is made only once in a folder', async () => {
    const other = await mkdtemp(join(tmpdir(), 'flights-'));
    try {
      const again = await flightsCorpus({ cacheFolder: other, rows: ROWS });
      expect((await readFile(again.path)).equals(await readFile(corpus.path))).toBe(true);
      const { mtimeMs } = await stat(again.path);
      expect(await flightsCorpus({ cacheFolder: other, rows: ROWS })).toEqual(again);
      expect((await stat(again.path)).mtimeMs).toBe(mtimeMs);
      expect(await readdir(other)).toHaveLength(2);
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });
});
