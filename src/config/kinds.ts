/**
 * The kinds of value an option can have: how each is read (from a flag, the environment or the config file), what it
 * is as a setting, and how it is printed. Durations and sizes are written with a unit; in the config file a bare
 * number is milliseconds or bytes. On a command line a bare number is no duration: `--commit-max-age 10` is as
 * likely meant to be seconds as milliseconds, so it is refused instead of guessed.
 */
import { resolve } from 'node:path';
import { nearest } from './nearest.ts';

export type Reading<Value> = { value: Value } | { wrong: string };

/** `Value` is the setting, `Input` what `defineConfig` accepts. */
export interface Kind<Value, Input> {
  name: string;
  /** Stands for the value in a usage line. */
  placeholder: string;
  /** One sentence for error messages and the reference page. */
  expects: string;
  /** The unit of the setting, for the reference page. */
  unit?: string;
  read(input: unknown, context: { folder: string }): Reading<Value>;
  /** A value as one would write it; default: `String`. */
  write?(value: Value): string;
  /** Only so that the type of the config file can be read off the kind. */
  readonly accepts?: Input;
}

export type DurationText = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;
export type BytesText = `${number}${'B' | 'kB' | 'KB' | 'MB' | 'GB' | 'TB' | 'KiB' | 'MiB' | 'GiB' | 'TiB'}`;

const DURATION_UNITS_MS: Record<string, number> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };
const BYTE_UNITS: Record<string, number> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const COUNT_UNITS: Record<string, number> = { '': 1, k: 1e3, m: 1e6 };

interface Bounds {
  min?: number;
  max?: number;
}

export const duration = (bounds: Bounds = {}): Kind<number, number | DurationText> => ({
  name: 'duration',
  placeholder: 'DURATION',
  expects: 'A duration is a number with a unit: ms, s, m, h or d.',
  unit: 'ms',
  read: (input) =>
    within(
      { write: writeDuration, ...bounds },
      typeof input === 'number' ? input : amount(input, { units: DURATION_UNITS_MS, bare: ['0'] }),
      'a duration',
      input,
    ),
  write: writeDuration,
});

export const bytes = (bounds: Bounds = {}): Kind<number, number | BytesText> => ({
  name: 'bytes',
  placeholder: 'SIZE',
  expects:
    'A size is a number of bytes, or a number with a unit: kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB.',
  unit: 'bytes',
  read: (input) =>
    within(
      { write: (value) => inUnits(value, BYTE_UNITS), ...bounds },
      typeof input === 'number' ? input : amount(input, { units: BYTE_UNITS }),
      'a size',
      input,
    ),
});

export const count = (bounds: Bounds = {}): Kind<number, number> => ({
  name: 'count',
  placeholder: 'N',
  expects: 'A count is a whole number; 100_000, 100k and 10M are understood.',
  read: (input) =>
    within(
      { write: writeCount, ...bounds },
      typeof input === 'number' ? input : amount(input, { units: COUNT_UNITS }),
      'a count',
      input,
    ),
  write: writeCount,
});

/** 10000 → 10_000 */
export const writeCount = (value: number): string =>
  value < 10_000 ? String(value) : value.toLocaleString('en').replaceAll(',', '_');

const writeDuration = (value_ms: number): string => inUnits(value_ms, DURATION_UNITS_MS);

/** In the largest unit that leaves a whole number: 90000 → 90s. */
function inUnits(value: number, units: Record<string, number>): string {
  const whole = Object.entries(units).filter(([, size]) => value >= size && value % size === 0);
  const [unit, size] = whole.reduce((largest, each) => (each[1] >= largest[1] ? each : largest), ['', 1]);
  return `${value / size}${unit}`;
}

export const text = (placeholder = 'TEXT'): Kind<string, string> => ({
  name: 'text',
  placeholder,
  expects: 'Text that is not empty.',
  read: (input) =>
    typeof input === 'string' && input !== '' ? { value: input } : { wrong: `${show(input)} is not text` },
});

/** Absolute as a setting; relative to the folder it was written for (the working folder, or the config file's). */
export const path = (placeholder = 'PATH'): Kind<string, string> => ({
  name: 'path',
  placeholder,
  expects: 'A path; a relative one counts from the working folder, in a config file from the file’s folder.',
  read: (input, { folder }) =>
    typeof input === 'string' && input !== ''
      ? { value: resolve(folder, input) }
      : { wrong: `${show(input)} is not a path` },
});

export const url = (): Kind<string, string> => ({
  name: 'url',
  placeholder: 'URL',
  expects: 'An address that begins with http:// or https://.',
  read: (input) =>
    typeof input === 'string' && /^https?:$/.test(URL.parse(input)?.protocol ?? '')
      ? { value: input }
      : { wrong: `${show(input)} is not an http address` },
});

export const flag = (): Kind<boolean, boolean> => ({
  name: 'flag',
  placeholder: '',
  expects: 'true or false.',
  read(input) {
    if (input === true || input === 'true' || input === '1') return { value: true };
    if (input === false || input === 'false' || input === '0') return { value: false };
    return { wrong: `${show(input)} is neither true nor false` };
  },
});

export const choice = <const Word extends string>(...words: readonly Word[]): Kind<Word, Word> => ({
  name: 'choice',
  placeholder: words.join('|'),
  expects: `One of: ${words.join(', ')}.`,
  read(input) {
    const word = words.find((each) => each === input);
    if (word !== undefined) return { value: word };
    const meant = nearest(String(input), words);
    return {
      wrong: `${show(input)} is none of its words${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    };
  },
});

/** A point in time as milliseconds since the Unix epoch, or one of the words. Without an offset it is UTC. */
export const instant = <const Word extends string = never>(
  ...words: readonly Word[]
): Kind<number | Word, string> => ({
  name: 'instant',
  placeholder: [...words, 'TIME'].join('|'),
  expects: `${words.map((word) => `“${word}”, or `).join('')}an ISO 8601 date or time, such as 2026-01-31 or 2026-01-31T08:00:00Z.`,
  unit: 'ms since 1970',
  read(input) {
    const word = words.find((each) => each === String(input).toLowerCase());
    if (word !== undefined) return { value: word };
    const parsed = typeof input === 'string' ? isoTime(input) : Number.NaN;
    return Number.isNaN(parsed) ? { wrong: `${show(input)} is not a point in time` } : { value: parsed };
  },
});

function isoTime(input: string): number {
  const form = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(input);
  if (!form) return Number.NaN;
  const [, day, time, offset] = form;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // Date.parse rolls 2026-02-30 over to March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return Number.NaN;
  return time === undefined ? midnight : Date.parse(`${day}T${time}${offset ?? 'Z'}`);
}

function amount(
  input: unknown,
  { units, bare = [] }: { units: Record<string, number>; bare?: string[] },
): number {
  if (typeof input !== 'string') return Number.NaN;
  if (bare.includes(input.trim())) return Number(input);
  const form = /^(\d[\d_]*(?:\.\d+)?) ?([a-z]*)$/i.exec(input.trim());
  if (!form) return Number.NaN;
  const [, number = '', name = ''] = form;
  const size = Object.entries(units).find(([unit]) => unit.toLowerCase() === name.toLowerCase())?.[1];
  return size === undefined ? Number.NaN : rounded(Number(number.replaceAll('_', '')) * size);
}

/** 1.1 GB is 1100000000.0000002 in floating point; anything that is really fractional stays so and is refused. */
function rounded(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 * Math.max(1, value / 1e6) ? nearest : value;
}

function within(
  { min = 0, max = Number.MAX_SAFE_INTEGER, write }: Bounds & { write: (value: number) => string },
  value: number,
  what: string,
  input: unknown,
): Reading<number> {
  if (!Number.isInteger(value)) return { wrong: `${show(input)} is not ${what}` };
  if (value < min) return { wrong: `${show(input)} is less than the least allowed, ${write(min)}` };
  if (value > max) return { wrong: `${show(input)} is more than the most allowed, ${write(max)}` };
  return { value };
}

function show(input: unknown): string {
  return typeof input === 'string' ? `“${input}”` : (JSON.stringify(input) ?? String(input));
}
