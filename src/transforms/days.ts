/** Whole days of UTC, as numbers since 1970-01-01. */
const DAY_MS = 86_400_000;
const DAY_US = 86_400_000_000n;

/** Both inclusive. */
export interface DayRange {
  first: number;
  last: number;
}

export const dayText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** Undefined for what is no day, 2026-02-30 too. */
export function dayOfText(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const day = Date.parse(`${text}T00:00:00Z`) / DAY_MS;
  return Number.isInteger(day) && dayText(day) === text ? day : undefined;
}

/** Microseconds at which the first day begins, and the last moment of the last one. */
export const momentsOf = ({ first, last }: DayRange): { min: bigint; max: bigint } => ({
  min: BigInt(first) * DAY_US,
  max: BigInt(last + 1) * DAY_US - 1n,
});

export const dayOfMoment = (us: bigint): number =>
  Number((us - (((us % DAY_US) + DAY_US) % DAY_US)) / DAY_US);

/** Neighbours become one range, so that years of days are a few words. */
export function rangesOf(days: Iterable<number>): DayRange[] {
  const ranges: DayRange[] = [];
  for (const day of [...new Set(days)].sort((a, b) => a - b)) {
    const before = ranges.at(-1);
    if (before !== undefined && before.last === day - 1) before.last = day;
    else ranges.push({ first: day, last: day });
  }
  return ranges;
}

export const daysIn = (ranges: readonly DayRange[]): number[] =>
  ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

/** `2026-01-01..2026-01-03,2026-01-09` */
export const rangesText = (ranges: readonly DayRange[]): string =>
  ranges
    .map(({ first, last }) => (first === last ? dayText(first) : `${dayText(first)}..${dayText(last)}`))
    .join(',');

export function rangesFrom(text: string): DayRange[] {
  return text.split(',').flatMap((part) => {
    const [first, last] = part.split('..').map(dayOfText);
    return first === undefined ? [] : [{ first, last: last ?? first }];
  });
}
