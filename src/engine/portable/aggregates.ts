/** Aggregates and window functions that give the same on both engines; beside functions.ts, and proved as it is. */
import { literal } from '../spark/connect/statements.ts';
import { DOUBLES } from './functions.ts';
import type { Expression } from './parse-tree.ts';

export interface PortableAggregate {
  takes: readonly [number, number];
  /** Rows whose first argument is null are passed over. */
  skipsNull?: boolean;
  /** As a window function it takes all rows of its partition. */
  ofAll?: boolean;
  /** `of` is one aggregate function of Spark's over the rows that are asked for. Undefined: not portable so. */
  spark(
    args: readonly string[],
    given: readonly Expression[],
    of: (name: string, argument: string) => string,
  ): string | undefined;
}

const aggregate = (name: string): PortableAggregate => ({
  takes: [1, 1],
  spark: ([x], _, of) => of(name, x!),
});

const ofTwo = (name: string): PortableAggregate => ({
  takes: [2, 2],
  skipsNull: true,
  spark: (args, _, of) => of(name, args.join(', ')),
});

/** Of no rows it is null, as a sum is. */
const countIf: PortableAggregate = {
  takes: [1, 1],
  spark: ([condition], _, of) => of('sum', `case when ${condition} then 1 else 0 end`),
};

const OF_TIMES = 'portable are the average and the median of numbers; of times take those of epoch_us';

const numberOf = (x: string): string =>
  `cast(case when startswith(typeof(${x}), 'timestamp') then raise_error(${literal(OF_TIMES)}) else ${x} end as double)`;

/** A double: of whole numbers and decimals one division of their exact sum, without the point. */
const average: PortableAggregate = {
  takes: [1, 1],
  spark: ([x], _, of) => {
    // Of the rows' own value Spark would ask for a GROUP BY; the least has the same type.
    const type = `typeof(${of('min', x!)})`;
    const digits = `cast(replace(cast(${of('sum', x!)} as string), '.', '') as double)`;
    const scale = `cast(regexp_extract(${type}, ',([0-9]+)', 1) as int)`;
    const whole = `cast(${of('sum', `cast(${x} as decimal(38, 0))`)} as double) / ${of('count', x!)}`;
    return `(case when startswith(${type}, 'timestamp') then raise_error(${literal(OF_TIMES)})
      when ${type} in (${DOUBLES}) then ${of('avg', `cast(${x} as double)`)}
      when startswith(${type}, 'decimal') then ${digits} / (${of('count', x!)} * power(10D, ${scale}))
      else ${whole} end)`;
  },
};

export const AGGREGATES: Readonly<Record<string, PortableAggregate>> = {
  count_star: { takes: [0, 0], spark: (_, __, of) => of('count', '*') },
  // As a window function, count(*) is a count of nothing.
  count: { takes: [0, 1], spark: ([x], _, of) => of('count', x ?? '*') },
  count_if: countIf,
  countif: countIf,
  sum: aggregate('sum'),
  min: aggregate('min'),
  max: aggregate('max'),
  avg: average,
  mean: average,
  median: { takes: [1, 1], ofAll: true, spark: ([x], _, of) => of('median', numberOf(x!)) },
  quantile_cont: {
    takes: [2, 2],
    ofAll: true,
    spark: ([x, at], given, of) =>
      given[1]?.class === 'CONSTANT' ? of('percentile', `${numberOf(x!)}, ${at}`) : undefined,
  },
  arg_max: ofTwo('max_by'),
  arg_min: ofTwo('min_by'),
  max_by: ofTwo('max_by'),
  min_by: ofTwo('min_by'),
  bool_and: aggregate('bool_and'),
  bool_or: aggregate('bool_or'),
};

/** By DuckDB's type of the window expression; those of aggregates are the table above. `framed`: may have a frame. */
export const WINDOWS: Readonly<
  Record<string, { spark: string; takes: readonly [number, number]; framed?: true }>
> = {
  WINDOW_ROW_NUMBER: { spark: 'row_number', takes: [0, 0] },
  WINDOW_RANK: { spark: 'rank', takes: [0, 0] },
  WINDOW_RANK_DENSE: { spark: 'dense_rank', takes: [0, 0] },
  WINDOW_PERCENT_RANK: { spark: 'percent_rank', takes: [0, 0] },
  WINDOW_CUME_DIST: { spark: 'cume_dist', takes: [0, 0] },
  WINDOW_NTILE: { spark: 'ntile', takes: [1, 1] },
  WINDOW_LAG: { spark: 'lag', takes: [1, 1] },
  WINDOW_LEAD: { spark: 'lead', takes: [1, 1] },
  WINDOW_FIRST_VALUE: { spark: 'first_value', takes: [1, 1], framed: true },
  WINDOW_LAST_VALUE: { spark: 'last_value', takes: [1, 1], framed: true },
};
