/**
 * A query in DuckDB's dialect as the same query in Spark's. What is not known to mean the same is not guessed at: it
 * becomes a problem with its place, and the text is then of no use.
 */
import { identifier, literal } from '../spark/connect/statements.ts';
import { AGGREGATES, type PortableAggregate, WINDOWS } from './aggregates.ts';
import { castText, constantSql } from './casts.ts';
import {
  constantText,
  isText,
  JSON_TEXT,
  JSON_VALUE,
  type PortableFunction,
  SCALARS,
  sparkPath,
} from './functions.ts';
import type { Expression, Order } from './parse-tree.ts';

export interface Problem {
  /** Bytes before it. */
  at: number | bigint;
  what: string;
  hint: string;
}

const COMPARISONS: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_GREATERTHAN: '>',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHANOREQUALTO: '>=',
};

const BORDERS: Readonly<Record<string, string>> = {
  UNBOUNDED_PRECEDING: 'unbounded preceding',
  UNBOUNDED_FOLLOWING: 'unbounded following',
  CURRENT_ROW_RANGE: 'current row',
  CURRENT_ROW_ROWS: 'current row',
  EXPR_PRECEDING_ROWS: 'preceding',
  EXPR_FOLLOWING_ROWS: 'following',
};

const ONLY_PLAIN = 'the engines differ in it; write it with functions of docs/reference/portable-sql.md';

export abstract class ExpressionPrinter {
  readonly problems: Problem[] = [];

  protected abstract subquery(expression: Expression): string;

  protected problem(at: { query_location: number | bigint }, what: string, hint = ONLY_PLAIN): string {
    this.problems.push({ at: at.query_location, what, hint });
    return 'null';
  }

  expression(e: Expression): string {
    switch (e.class) {
      case 'COLUMN_REF':
        return this.#column(e);
      case 'CONSTANT':
        return constantSql(e) ?? this.problem(e, `a constant of type ${e.value.type.id}`);
      case 'COMPARISON':
        return this.#comparison(e);
      case 'CONJUNCTION': {
        const operator = e.type === 'CONJUNCTION_AND' ? ' and ' : ' or ';
        return `(${e.children.map((child) => this.expression(child)).join(operator)})`;
      }
      case 'BETWEEN':
        return `(${this.expression(e.input)} between ${this.expression(e.lower)} and ${this.expression(e.upper)})`;
      case 'CASE': {
        const whens = e.case_checks.map(
          (check) => `when ${this.expression(check.when_expr)} then ${this.expression(check.then_expr)}`,
        );
        return `(case ${whens.join(' ')} else ${this.expression(e.else_expr)} end)`;
      }
      case 'CAST':
        return this.#cast(e);
      case 'OPERATOR':
        return this.#operator(e);
      case 'FUNCTION':
        return this.#function(e);
      case 'WINDOW':
        return this.#window(e);
      case 'SUBQUERY':
        return this.subquery(e);
      default:
        return this.problem(e, NAMES[e.class] ?? e.class.toLowerCase());
    }
  }

  order({ type, null_order, expression }: Order): string {
    if (expression.class === 'STAR') return this.problem(expression, 'ORDER BY ALL', 'name the columns');
    const nulls = null_order === 'NULLS FIRST' ? 'nulls first' : 'nulls last';
    return `${this.expression(expression)} ${type === 'DESCENDING' ? 'desc' : 'asc'} ${nulls}`;
  }

  #column(e: Expression): string {
    const [name] = e.column_names;
    if (e.column_names.length === 1 && NOW.includes(name!.toLowerCase())) {
      const why = 'a row would depend on when it was computed; take created_datetime or arrived_at';
      return this.problem(e, name!.toUpperCase(), why);
    }
    if (e.column_names.length <= 2) return e.column_names.map(identifier).join('.');
    return this.problem(e, 'a field of a nested value', "take it out of the document: document->>'$.a.b'");
  }

  #comparison(e: Expression): string {
    const [left, right] = [this.expression(e.left), this.expression(e.right)];
    if (e.type === 'COMPARE_DISTINCT_FROM') return `(not (${left} <=> ${right}))`;
    if (e.type === 'COMPARE_NOT_DISTINCT_FROM') return `(${left} <=> ${right})`;
    const operator = COMPARISONS[e.type];
    return operator === undefined ? this.problem(e, e.type) : `(${left} ${operator} ${right})`;
  }

  #operator(e: Expression): string {
    const [first, ...rest] = e.children.map((child) => this.expression(child));
    switch (e.type) {
      case 'OPERATOR_NOT':
        return `(not ${first})`;
      case 'OPERATOR_IS_NULL':
        return `(${first} is null)`;
      case 'OPERATOR_IS_NOT_NULL':
        return `(${first} is not null)`;
      case 'OPERATOR_COALESCE':
        return `coalesce(${[first, ...rest].join(', ')})`;
      case 'COMPARE_IN':
        return `(${first} in (${rest.join(', ')}))`;
      case 'COMPARE_NOT_IN':
        return `(${first} not in (${rest.join(', ')}))`;
      default:
        return this.problem(e, NAMES[e.type] ?? e.type.toLowerCase());
    }
  }

  #cast(e: Expression): string {
    const child = e.child!;
    // A number is read from either way of writing it.
    const isJson =
      child.class === 'FUNCTION' && JSON_TEXT.includes(child.function_name) && e.cast_type.id !== 'VARCHAR';
    const value = isJson ? this.#json(child) : this.expression(child);
    const text = castText(e, { value, isText: isText(child) });
    if (text !== undefined) return text;
    const hint =
      'portable are the types boolean, integers, float, double, decimal, varchar, date, timestamp, timestamptz';
    return this.problem(e, `a cast to ${e.cast_type.type_info?.name ?? e.cast_type.id}`, hint);
  }

  #function(e: Expression): string {
    const name = e.function_name.toLowerCase();
    if (JSON_TEXT.includes(name)) return withoutExponent(this.#json(e));
    const scalar = SCALARS[name];
    if (scalar !== undefined) return this.#call(e, scalar);
    const aggregate = AGGREGATES[name];
    if (aggregate !== undefined) return this.#aggregate(e, aggregate);
    return this.problem(e, nameOf(e), HINTS[name]);
  }

  #call(e: Expression, entry: PortableFunction): string {
    const args = this.#arguments(e, entry);
    if (args === undefined) return 'null';
    return entry.spark(args, e.children) ?? this.problem(e, `${nameOf(e)} with these arguments`);
  }

  #arguments(e: Expression, { takes: [least, most] }: Pick<PortableFunction, 'takes'>): string[] | undefined {
    if (e.children.length < least || e.children.length > most) {
      this.problem(e, `${nameOf(e)} of ${e.children.length} arguments`);
      return undefined;
    }
    return e.children.map((child) => this.expression(withoutTrunc(child)));
  }

  #aggregate(e: Expression, entry: PortableAggregate): string {
    if (e.order_bys.orders.length > 0) return this.problem(e, `ORDER BY inside ${nameOf(e)}`);
    const args = this.#arguments(e, entry);
    if (args === undefined) return 'null';
    const conditions = [
      ...(e.filter ? [this.expression(e.filter)] : []),
      ...(entry.skipsNull ? [`${args[0]} is not null`] : []),
    ];
    const filter = conditions.length === 0 ? '' : ` filter (where ${conditions.join(' and ')})`;
    const of = (name: string, argument: string) =>
      `${name}(${e.distinct ? 'distinct ' : ''}${argument})${filter}`;
    return entry.spark(args, e.children, of) ?? this.problem(e, `${nameOf(e)} with these arguments`);
  }

  /** `document->'$.a'->>'$.b'` is one path; a JSON value by itself is written differently by the engines. */
  #json(e: Expression): string {
    const [base, ...paths] = jsonSteps(e);
    const printed = paths.map((path) => (path === undefined ? undefined : sparkPath(path)));
    if (base === undefined || printed.includes(undefined)) {
      return this.problem(
        e,
        'this JSON path',
        "portable is a path of names and positions: document->>'$.a.b[0]'",
      );
    }
    const path = `$${printed.map((each) => each!.slice(1)).join('')}`;
    return `get_json_object(${this.expression(base)}, "${path.replaceAll('"', '\\"')}")`;
  }

  #window(e: Expression): string {
    const entry = WINDOWS[e.type];
    const order = e.orders.map((each) => this.order(each)).join(', ');
    if (entry !== undefined && order === '') {
      return this.problem(
        e,
        `${e.function_name} without ORDER BY`,
        'without an order its answer is by chance; add one',
      );
    }
    const partition = e.partitions.map((each) => this.expression(each)).join(', ');
    const parts = [
      ...(partition === '' ? [] : [`partition by ${partition}`]),
      ...(order === '' ? [] : [`order by ${order}`]),
      ...this.#frame(e, entry === undefined || entry.framed === true),
    ];
    const over = `over (${parts.join(' ')})`;
    if (e.type === 'WINDOW_AGGREGATE') return this.#windowAggregate(e, over);
    const called = entry && this.#windowCall(e, entry);
    return called === undefined ? this.#noWindow(e) : `${called} ${over}`;
  }

  #noWindow = (e: Expression): string => this.problem(e, `the window function ${e.function_name}`);

  #windowAggregate(e: Expression, over: string): string {
    const entry = AGGREGATES[e.function_name.toLowerCase()];
    if (entry === undefined || entry.skipsNull) return this.#noWindow(e);
    if (entry.ofAll && e.orders.length > 0)
      return this.problem(e, `${e.function_name} over a window with an ORDER BY`, 'leave the ORDER BY out');
    if (e.filter_expr !== null || e.distinct || e.arg_orders.length > 0) {
      return this.problem(
        e,
        `FILTER, DISTINCT or ORDER BY of ${e.function_name} over a window`,
        'take a CASE inside it',
      );
    }
    const args = this.#arguments(e, entry);
    if (args === undefined) return 'null';
    const of = (name: string, argument: string) => `${name}(${argument}) ${over}`;
    return entry.spark(args, e.children, of) ?? this.problem(e, `${nameOf(e)} with these arguments`);
  }

  #windowCall(e: Expression, { spark, takes }: (typeof WINDOWS)[string]): string | undefined {
    if (e.children.length < takes[0] || e.children.length > takes[1] || e.arg_orders.length > 0)
      return undefined;
    if (e.offset_expr && e.offset_expr.class !== 'CONSTANT')
      return this.problem(e.offset_expr, 'an offset that is no constant');
    const args = e.children.map((each) => this.expression(each));
    if (e.offset_expr) args.push(this.expression(e.offset_expr));
    if (e.default_expr) args.push(ofOneKind(args[0]!, this.expression(e.default_expr)));
    return `${spark}(${args.join(', ')})${e.ignore_nulls ? ' ignore nulls' : ''}`;
  }

  #frame(e: Expression, mayHave: boolean): string[] {
    if (e.exclude_clause !== 'NO_OTHER') this.problem(e, 'EXCLUDE in a window');
    if (e.start === 'UNBOUNDED_PRECEDING' && e.end === 'CURRENT_ROW_RANGE') return [];
    if (!mayHave)
      return [this.problem(e, `a frame of ${e.function_name}`, 'leave it out: it changes nothing')];
    const [start, end] = [BORDERS[e.start], BORDERS[e.end]];
    const rows = [e.start, e.end].some((border) => border.endsWith('_ROWS'));
    if (start === undefined || end === undefined)
      return [this.problem(e, 'this frame of a window', 'portable are ROWS, and RANGE without a distance')];
    const border = (word: string, distance: Expression | null) =>
      distance === null || distance === undefined ? word : `${this.expression(distance)} ${word}`;
    return [
      `${rows ? 'rows' : 'range'} between ${border(start, e.start_expr)} and ${border(end, e.end_expr)}`,
    ];
  }
}

/** DuckDB rounds a default to the whole number that it stands for, Spark cuts it. */
function ofOneKind(value: string, stand_in: string): string {
  const isFraction = `(typeof(${stand_in}) in ('float', 'double') or startswith(typeof(${stand_in}), 'decimal'))`;
  const isWhole = `typeof(${value}) in ('tinyint', 'smallint', 'int', 'bigint')`;
  const why = 'a fraction stands in for a whole number; cast it';
  return `(case when ${isFraction} and ${isWhole} then raise_error(${literal(why)}) else ${stand_in} end)`;
}

const NOW = [
  'current_date',
  'current_timestamp',
  'current_time',
  'localtime',
  'localtimestamp',
  'now',
  'today',
];

/** The text that is taken apart, and the paths into it; undefined for a path that is no constant. */
function jsonSteps(e: Expression): [Expression | undefined, ...(string | undefined)[]] {
  const isArrow = e.class === 'LAMBDA';
  const isStep = e.class === 'FUNCTION' && [...JSON_TEXT, ...JSON_VALUE].includes(e.function_name);
  if (!(isArrow || isStep)) return [e];
  const { lhs, expr } = e as unknown as { lhs: Expression; expr: Expression };
  const [from, path] = isArrow ? [lhs, expr] : e.children;
  const [base, ...steps] = jsonSteps(from!);
  return [base, ...steps, constantText(path)];
}

/** `interval 1 day` is `to_days(trunc(1::double)::integer)` to DuckDB, which no text of a user's stands behind. */
function withoutTrunc(e: Expression): Expression {
  const inner = e.class === 'CAST' ? e.child : e;
  const isMade =
    inner?.class === 'FUNCTION' && inner.function_name === 'trunc' && Number(inner.query_location) > 1e15;
  return isMade ? inner.children[0]! : e;
}

/**
 * Java writes a JSON number with an exponent from 10^7 on and below 0.001, DuckDB from 10^21 on and below 0.000001, its
 * own way. A text in the document that looks like Java's is taken for a number too.
 */
function withoutExponent(text: string): string {
  const plain = "trim(trailing '0' from cast(cast(x as decimal(38, 17)) as string))";
  const number = `regexp_replace(${plain}, '[.]$', '.0')`;
  const exponent = "x rlike '^-?[0-9][.][0-9]+E(-[3-6]|[0-9]|1[0-9]|20)$'";
  const beyond = `x rlike '^-?[0-9][.][0-9]+E-?[0-9]+$' or x in ('"Infinity"', '"-Infinity"')`;
  const why = 'a JSON number beyond 10^20 or below 0.000001 is written differently by the engines; cast it';
  return `get(transform(array(${text}), x -> case when ${exponent} then ${number}
    when ${beyond} then raise_error(${literal(why)}) else x end), 0)`;
}

const nameOf = ({ function_name: name }: Expression): string => (/^\w+$/.test(name) ? `${name}()` : name);

const NAMES: Readonly<Record<string, string>> = {
  STAR: 'a star with more to it than its table',
  LAMBDA: 'a JSON value by -> (not ->>), or a lambda',
  PARAMETER: 'a parameter',
  POSITIONAL_REFERENCE: 'a column by its position',
  COLLATE: 'COLLATE',
  ARRAY_EXTRACT: 'a place in a list',
  GROUPING_FUNCTION: 'GROUPING',
};

const HINTS: Readonly<Record<string, string>> = {
  '->': "take text out of JSON with ->>: document->>'$.a.b'",
  json_extract: "take text out of JSON with ->>: document->>'$.a.b'",
  '//': 'take floor(a / b)',
  reverse: 'of letters that are made of several characters, such as flags, the engines see different ones',
  strftime: 'take date_trunc, or parts of the date: year(day), month(day)',
  first: 'which row comes first is by chance; take min, max or arg_min(value, created_datetime)',
  any_value: 'which row is taken is by chance; take min, max or arg_min(value, created_datetime)',
  last: 'which row comes last is by chance; take max or arg_max(value, created_datetime)',
  now: 'a row would depend on when it was computed; take created_datetime or arrived_at',
  regexp_matches:
    'the engines read regular expressions differently; take like, starts_with, contains or split_part',
  approx_count_distinct: 'the engines estimate differently; take count(distinct …)',
};
