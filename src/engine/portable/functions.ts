/**
 * The functions that give the same on both engines, with what Spark is asked for each. What is not here is not
 * portable. Every entry is run on both engines by tests/spark, over the samples of tests/contracts/portable-samples.ts:
 * an entry without samples fails the suite that needs no Spark.
 */
import { literal } from '../spark/connect/statements.ts';
import { textOf } from './casts.ts';
import type { Expression } from './parse-tree.ts';

export interface PortableFunction {
  /** How many arguments: least and most. */
  takes: readonly [number, number];
  /** Gives text, whatever it is given. */
  text?: boolean;
  /** Undefined where just these arguments are not portable. `given` are the arguments before they were printed. */
  spark(args: readonly string[], given: readonly Expression[]): string | undefined;
}

const MANY = 255;

const call =
  (name: string) =>
  (args: readonly string[]): string =>
    `${name}(${args.join(', ')})`;

const same = (name: string, takes: readonly [number, number], text = false): PortableFunction => ({
  takes,
  ...(text && { text }),
  spark: call(name),
});

const binary = (operator: string): PortableFunction => ({
  takes: [2, 2],
  spark: ([a, b]) => `(${a} ${operator} ${b})`,
});

/** Spark reads a backslash in a pattern as its escape, DuckDB as itself. */
const like = (operator: string, letters = (text: string) => text): PortableFunction => ({
  takes: [2, 2],
  spark: ([a, b]) => `(${letters(a!)} ${operator} replace(${letters(b!)}, r'\\', r'\\\\'))`,
});

const lowered = (text: string): string => inCase('lower', text);

const isDate = (e: Expression | undefined): boolean =>
  (e?.class === 'CAST' && e.cast_type.id === 'DATE') ||
  (e?.class === 'FUNCTION' && e.function_name === 'make_date');

/** Between dates it is the days, as a number; in Spark it would be an interval. Columns do not tell what they are. */
const minus: PortableFunction = {
  takes: [1, 2],
  spark: ([a, b], given) => {
    if (b === undefined) return `(- ${a})`;
    return given.every(isDate) ? `cast(datediff(${a}, ${b}) as bigint)` : `(${a} - ${b})`;
  },
};

/** Division is of doubles: by zero it is infinite, or not a number, and no error. */
const divided = ([a, b]: readonly string[]): string => {
  const [over, under] = [`cast(${a} as double)`, `cast(${b} as double)`];
  return `(case when ${under} = 0D then ${over} * double('Infinity') else ${over} / ${under} end)`;
};

/**
 * The remainder. Of doubles by zero it is not a number to DuckDB and nothing to Spark, and a number of the type that it
 * has cannot be written: it fails.
 */
const remainder: PortableFunction = {
  takes: [2, 2],
  spark: ([a, b], [, by]) => {
    const plain = `try_mod(${a}, ${b})`;
    if (by?.class === 'CONSTANT' && Number(by.value.value) !== 0) return plain;
    const doubles = `(typeof(${a}) in (${DOUBLES}) or typeof(${b}) in (${DOUBLES}))`;
    return `(case when ${doubles} and ${b} = 0 then raise_error(${literal(NO_REMAINDER)}) else ${plain} end)`;
  },
};

export const DOUBLES = "'float', 'double'";
const NO_REMAINDER =
  'the remainder of a double by zero is NaN in DuckDB and null in Spark; take nullif(divisor, 0)';

/** Spark's own make a bigint of a double: 0 of what is no number, and the largest there is of what is larger. */
const rounded = (than: '<' | '>', step: '+' | '-'): PortableFunction => ({
  takes: [1, 1],
  spark: ([x]) => `(round(${x}) ${step} (case when round(${x}) ${than} ${x} then 1 else 0 end))`,
});

/** Spark writes ß as SS and a last Σ as ς; DuckDB changes letter by letter. A text with such a letter fails. */
function inCase(name: 'lower' | 'upper', text: string): string {
  const isOdd = [
    `char_length(${name}(${text})) <> char_length(${text})`,
    ...(name === 'lower' ? [`contains(${text}, 'Σ')`] : []),
  ].join(' or ');
  const why = 'a text has a letter whose other case the engines write differently, such as ß, İ or Σ';
  return `(case when ${isOdd} then raise_error(${literal(why)}) else ${name}(${text}) end)`;
}

/** What becomes text by being put together does as by a cast. */
const texts = (args: readonly string[], given: readonly Expression[]): string[] =>
  args.map((arg, i) => (isText(given[i]!) ? arg : textOf(arg)));

export function isText(e: Expression): boolean {
  if (e.class === 'CONSTANT') return constantText(e) !== undefined;
  if (e.class === 'CAST') return e.cast_type.id === 'VARCHAR';
  if (e.class !== 'FUNCTION') return false;
  const name = e.function_name.toLowerCase();
  return JSON_TEXT.includes(name) || SCALARS[name]?.text === true;
}

export function constantText(given: Expression | undefined): string | undefined {
  const value = given?.class === 'CONSTANT' ? given.value : undefined;
  return value?.type.id === 'VARCHAR' && typeof value.value === 'string' ? value.value : undefined;
}

function isCount(given: Expression | undefined, least: number): boolean {
  const value = given?.class === 'CONSTANT' ? given.value.value : undefined;
  return typeof value === 'number' && Number.isInteger(value) && value >= least;
}

const substring: PortableFunction = {
  takes: [2, 3],
  text: true,
  spark: (args, given) =>
    isCount(given[1], 1) && (given[2] === undefined || isCount(given[2], 0))
      ? call('substring')(args)
      : undefined,
};

const side = (name: string): PortableFunction => ({
  takes: [2, 2],
  text: true,
  spark: (args, given) => (isCount(given[1], 0) ? call(name)(args) : undefined),
});

const trimmed = (name: string, where: string): PortableFunction => ({
  takes: [1, 2],
  text: true,
  spark: ([text, chars]) =>
    chars === undefined ? `${name}(${text})` : `trim(${where} ${chars} from ${text})`,
});

const TRUNCATED = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'];

const dateTrunc: PortableFunction = {
  takes: [2, 2],
  spark: ([part, time], given) =>
    TRUNCATED.includes(constantText(given[0]) ?? '') ? `date_trunc(${part}, ${time})` : undefined,
};

/** Parts as DuckDB counts them: Sunday is day 0 of the week, a second is a whole number. */
const PARTS: Readonly<Record<string, (time: string) => string>> = {
  year: (time) => `year(${time})`,
  quarter: (time) => `quarter(${time})`,
  month: (time) => `month(${time})`,
  week: (time) => `weekofyear(${time})`,
  day: (time) => `day(${time})`,
  dow: (time) => `(dayofweek(${time}) - 1)`,
  isodow: (time) => `(weekday(${time}) + 1)`,
  doy: (time) => `dayofyear(${time})`,
  hour: (time) => `hour(${time})`,
  minute: (time) => `minute(${time})`,
  second: (time) => `second(${time})`,
};

const part = (name: string): PortableFunction => ({
  takes: [1, 1],
  spark: ([time]) => `cast(${PARTS[name]!(time!)} as bigint)`,
});

const datePart: PortableFunction = {
  takes: [2, 2],
  spark: ([, time], given) => {
    const text = PARTS[constantText(given[0])?.toLowerCase() ?? ''];
    return text && `cast(${text(time!)} as bigint)`;
  },
};

const UNIT_US: Readonly<Record<string, string>> = {
  day: '86400000000L',
  hour: '3600000000L',
  minute: '60000000L',
  second: '1000000L',
  millisecond: '1000L',
};

/** How many borders of the unit lie between two moments. */
const dateDiff: PortableFunction = {
  takes: [3, 3],
  spark: ([, from, to], given) => {
    const unit = constantText(given[0])?.toLowerCase() ?? '';
    const years = `(year(${to}) - year(${from}))`;
    if (unit === 'year') return `cast(${years} as bigint)`;
    if (unit === 'month') return `cast(${years} * 12 + month(${to}) - month(${from}) as bigint)`;
    const us = UNIT_US[unit];
    const borders = (time: string) => {
      const since = `unix_micros(cast(${time} as timestamp))`;
      return `(${since} - pmod(${since}, ${us})) div ${us}`;
    };
    return us && `cast(${borders(to!)} - ${borders(from!)} as bigint)`;
  },
};

/** Of a number they would make a moment. */
const microseconds = (time: string): string =>
  `unix_micros(case when startswith(typeof(${time}), 'timestamp') or typeof(${time}) = 'date' then cast(${time} as timestamp)
    else raise_error('portable is the epoch of a date or a time; of a number take to_timestamp') end)`;

const epoch: PortableFunction = {
  takes: [1, 1],
  spark: ([time]) => {
    const us = microseconds(time!);
    const why = 'the engines write other digits for a fraction of a second before 1970; take epoch_us';
    return `(case when ${us} < 0 and ${us} % 1000000 <> 0 then raise_error(${literal(why)}) else ${us} / 1e6D end)`;
  },
};

const interval = (make: (count: string) => string): PortableFunction => ({
  takes: [1, 1],
  // `interval 1 day` is to_days(trunc(1.0)::integer) to DuckDB.
  spark: ([count]) => make(`cast(${count} as int)`),
});

/** A path without wildcards and positions from the end, as Spark writes it; undefined for others, and for pointers. */
export function sparkPath(path: string): string | undefined {
  if (path.startsWith('/')) return undefined;
  const steps = path.startsWith('$') ? path.slice(1) : `."${path}"`;
  const STEP = /\.(?:"([^"'\\]+)"|([A-Za-z0-9_-]+))|\[(\d+)\]/y;
  let printed = '$';
  for (let at = 0; at < steps.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const [whole, quoted, name, index] = STEP.exec(steps) ?? [];
    if (whole === undefined) return undefined;
    printed += index === undefined ? `['${quoted ?? name}']` : `[${index}]`;
  }
  return printed === '$' ? undefined : printed;
}

export const SCALARS: Readonly<Record<string, PortableFunction>> = {
  '+': { takes: [1, 2], spark: (args) => (args.length === 1 ? args[0] : `(${args.join(' + ')})`) },
  '-': minus,
  '*': binary('*'),
  '/': { takes: [2, 2], spark: divided },
  '%': remainder,
  mod: remainder,
  '||': { takes: [2, 2], text: true, spark: (args, given) => `(${texts(args, given).join(' || ')})` },
  '~~': like('like'),
  '!~~': like('not like'),
  '~~*': like('like', lowered),
  '!~~*': like('not like', lowered),
  abs: same('abs', [1, 1]),
  ceil: rounded('<', '+'),
  ceiling: rounded('<', '+'),
  floor: rounded('>', '-'),
  // With a number of digits engines round doubles differently: a cast to decimal(18, n) does not.
  round: same('round', [1, 1]),
  sign: { takes: [1, 1], spark: ([x]) => `cast(nanvl(cast(sign(${x}) as double), 0D) as int)` },
  sqrt: {
    takes: [1, 1],
    spark: ([x]) =>
      `(case when ${x} < 0 then raise_error('a negative number has no square root') else sqrt(${x}) end)`,
  },
  greatest: same('greatest', [2, MANY]),
  least: same('least', [2, MANY]),
  nullif: same('nullif', [2, 2]),
  concat: {
    takes: [1, MANY],
    text: true,
    spark: (args, given) => `concat_ws('', ${texts(args, given).join(', ')})`,
  },
  concat_ws: { takes: [2, MANY], text: true, spark: (args, given) => call('concat_ws')(texts(args, given)) },
  contains: same('contains', [2, 2]),
  ends_with: same('endswith', [2, 2]),
  suffix: same('endswith', [2, 2]),
  starts_with: same('startswith', [2, 2]),
  prefix: same('startswith', [2, 2]),
  instr: same('instr', [2, 2]),
  strpos: same('instr', [2, 2]),
  position: same('instr', [2, 2]),
  left: side('left'),
  right: side('right'),
  length: same('char_length', [1, 1]),
  lower: { takes: [1, 1], text: true, spark: ([text]) => inCase('lower', text!) },
  upper: { takes: [1, 1], text: true, spark: ([text]) => inCase('upper', text!) },
  lpad: same('lpad', [3, 3], true),
  rpad: same('rpad', [3, 3], true),
  ltrim: trimmed('ltrim', 'leading'),
  rtrim: trimmed('rtrim', 'trailing'),
  trim: trimmed('trim', 'both'),
  md5: same('md5', [1, 1], true),
  sha256: { takes: [1, 1], text: true, spark: ([text]) => `sha2(${text}, 256)` },
  repeat: same('repeat', [2, 2], true),
  replace: same('replace', [3, 3], true),
  split_part: {
    takes: [3, 3],
    text: true,
    // Between no characters DuckDB parts a text into its letters, Spark not at all.
    spark: (args, given) => (constantText(given[1]) ? call('split_part')(args) : undefined),
  },
  substr: substring,
  substring,
  date_trunc: dateTrunc,
  datetrunc: dateTrunc,
  date_part: datePart,
  datepart: datePart,
  year: part('year'),
  quarter: part('quarter'),
  month: part('month'),
  week: part('week'),
  weekofyear: part('week'),
  day: part('day'),
  dayofmonth: part('day'),
  dayofweek: part('dow'),
  isodow: part('isodow'),
  dayofyear: part('doy'),
  hour: part('hour'),
  minute: part('minute'),
  second: part('second'),
  date_diff: dateDiff,
  datediff: dateDiff,
  epoch,
  // A moment before 1970 is cut to the millisecond after it.
  epoch_ms: { takes: [1, 1], spark: ([time]) => `(${microseconds(time!)} div 1000)` },
  epoch_us: { takes: [1, 1], spark: ([time]) => microseconds(time!) },
  last_day: same('last_day', [1, 1]),
  make_date: same('make_date', [3, 3]),
  to_timestamp: {
    takes: [1, 1],
    spark: ([seconds]) => `timestamp_micros(cast(rint(cast(${seconds} as double) * 1e6D) as bigint))`,
  },
  to_seconds: {
    takes: [1, 1],
    spark: ([seconds]) => `make_dt_interval(0, 0, 0, cast(${seconds} as decimal(18, 6)))`,
  },
  to_minutes: interval((count) => `make_dt_interval(0, 0, ${count})`),
  to_hours: interval((count) => `make_dt_interval(0, ${count})`),
  to_days: interval((count) => `make_dt_interval(${count})`),
  to_weeks: interval((count) => `make_dt_interval(7 * ${count})`),
  to_months: interval((count) => `make_ym_interval(0, ${count})`),
  to_years: interval((count) => `make_ym_interval(${count})`),
};

/** Both `document->>'$.path'` and its name as a function; chains of `->` become one path before they come here. */
export const JSON_TEXT = ['->>', 'json_extract_string'];
export const JSON_VALUE = ['->', 'json_extract'];
