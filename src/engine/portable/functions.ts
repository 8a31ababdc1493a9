/**
 * The functions that give the same on both engines, with what Spark is asked for each. What is not here is not
 * portable. Every entry is run on both engines by tests/spark, over the samples of tests/contracts/portable-samples.ts:
 * an entry without samples fails the suite that needs no Spark.
 */
import type { Expression } from './parse-tree.ts';

export interface PortableFunction {
  /** How many arguments: least and most. */
  takes: readonly [number, number];
  /** Gives text, whatever it is given. */
  text?: boolean;
  /** Of an aggregate: rows whose first argument is null are passed over. */
  skipsNull?: boolean;
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
const like = (operator: string): PortableFunction => ({
  takes: [2, 2],
  spark: ([a, b]) => `(${a} ${operator} replace(${b}, r'\\', r'\\\\'))`,
});

/** Division is of doubles: by zero it is infinite, or not a number, and no error. */
const divided = ([a, b]: readonly string[]): string => {
  const [over, under] = [`cast(${a} as double)`, `cast(${b} as double)`];
  return `(case when ${under} = 0D then ${over} * double('Infinity') else ${over} / ${under} end)`;
};

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
    const borders = (time: string) => `floor(unix_micros(cast(${time} as timestamp)) / ${us})`;
    return us && `cast(${borders(to!)} - ${borders(from!)} as bigint)`;
  },
};

const interval = (make: (count: string) => string): PortableFunction => ({
  takes: [1, 1],
  // `interval 1 day` is to_days(trunc(1.0)::integer) to DuckDB.
  spark: ([count]) => make(`cast(${count} as int)`),
});

/** A path without wildcards and positions from the end, as Spark writes it; undefined for others. */
export function sparkPath(path: string): string | undefined {
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
  '-': { takes: [1, 2], spark: (args) => (args.length === 1 ? `(- ${args[0]})` : `(${args.join(' - ')})`) },
  '*': binary('*'),
  '/': { takes: [2, 2], spark: divided },
  '%': same('try_mod', [2, 2]),
  mod: same('try_mod', [2, 2]),
  '||': { ...binary('||'), text: true },
  '~~': like('like'),
  '!~~': like('not like'),
  '~~*': like('ilike'),
  '!~~*': like('not ilike'),
  abs: same('abs', [1, 1]),
  ceil: same('ceil', [1, 1]),
  ceiling: same('ceil', [1, 1]),
  floor: same('floor', [1, 1]),
  // With a number of digits engines round doubles differently: a cast to decimal(18, n) does not.
  round: same('round', [1, 1]),
  sign: { takes: [1, 1], spark: ([x]) => `cast(sign(${x}) as int)` },
  sqrt: same('sqrt', [1, 1]),
  greatest: same('greatest', [2, MANY]),
  least: same('least', [2, MANY]),
  nullif: same('nullif', [2, 2]),
  concat: { takes: [1, MANY], text: true, spark: (args) => `concat_ws('', ${args.join(', ')})` },
  concat_ws: same('concat_ws', [2, MANY], true),
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
  lower: same('lower', [1, 1], true),
  upper: same('upper', [1, 1], true),
  lpad: same('lpad', [3, 3], true),
  rpad: same('rpad', [3, 3], true),
  ltrim: trimmed('ltrim', 'leading'),
  rtrim: trimmed('rtrim', 'trailing'),
  trim: trimmed('trim', 'both'),
  md5: same('md5', [1, 1], true),
  sha256: { takes: [1, 1], text: true, spark: ([text]) => `sha2(${text}, 256)` },
  repeat: same('repeat', [2, 2], true),
  replace: same('replace', [3, 3], true),
  reverse: same('reverse', [1, 1], true),
  split_part: same('split_part', [3, 3], true),
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
  epoch: { takes: [1, 1], spark: ([time]) => `(unix_micros(${time}) / 1e6D)` },
  epoch_ms: same('unix_millis', [1, 1]),
  epoch_us: same('unix_micros', [1, 1]),
  last_day: same('last_day', [1, 1]),
  make_date: same('make_date', [3, 3]),
  to_timestamp: {
    takes: [1, 1],
    spark: ([seconds]) => `timestamp_micros(cast(round(cast(${seconds} as double) * 1e6D) as bigint))`,
  },
  to_seconds: interval((count) => `make_dt_interval(0, 0, 0, ${count})`),
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

export const AGGREGATES: Readonly<Record<string, PortableFunction>> = {
  count_star: { takes: [0, 0], spark: () => 'count(*)' },
  // As a window function, count(*) is a count of nothing.
  count: { takes: [0, 1], spark: ([x]) => (x === undefined ? 'count(*)' : `count(${x})`) },
  count_if: same('count_if', [1, 1]),
  countif: same('count_if', [1, 1]),
  sum: same('sum', [1, 1]),
  min: same('min', [1, 1]),
  max: same('max', [1, 1]),
  avg: { takes: [1, 1], spark: ([x]) => `avg(cast(${x} as double))` },
  mean: { takes: [1, 1], spark: ([x]) => `avg(cast(${x} as double))` },
  median: { takes: [1, 1], spark: ([x]) => `median(cast(${x} as double))` },
  quantile_cont: {
    takes: [2, 2],
    spark: ([x, at], given) =>
      given[1]?.class === 'CONSTANT' ? `percentile(cast(${x} as double), ${at})` : undefined,
  },
  arg_max: { ...same('max_by', [2, 2]), skipsNull: true },
  arg_min: { ...same('min_by', [2, 2]), skipsNull: true },
  max_by: { ...same('max_by', [2, 2]), skipsNull: true },
  min_by: { ...same('min_by', [2, 2]), skipsNull: true },
  bool_and: same('bool_and', [1, 1]),
  bool_or: same('bool_or', [1, 1]),
};

/** By DuckDB's type of the window expression; those of aggregates are the table above. */
export const WINDOWS: Readonly<Record<string, { spark: string; takes: readonly [number, number] }>> = {
  WINDOW_ROW_NUMBER: { spark: 'row_number', takes: [0, 0] },
  WINDOW_RANK: { spark: 'rank', takes: [0, 0] },
  WINDOW_RANK_DENSE: { spark: 'dense_rank', takes: [0, 0] },
  WINDOW_PERCENT_RANK: { spark: 'percent_rank', takes: [0, 0] },
  WINDOW_CUME_DIST: { spark: 'cume_dist', takes: [0, 0] },
  WINDOW_NTILE: { spark: 'ntile', takes: [1, 1] },
  WINDOW_LAG: { spark: 'lag', takes: [1, 1] },
  WINDOW_LEAD: { spark: 'lead', takes: [1, 1] },
  WINDOW_FIRST_VALUE: { spark: 'first_value', takes: [1, 1] },
  WINDOW_LAST_VALUE: { spark: 'last_value', takes: [1, 1] },
};
