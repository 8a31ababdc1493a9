/**
 * Reads from a query plan what each scan filters by. Only forms that are understood in full become filters; everything
 * else is ignored, which costs pruning but never a row.
 */
import type { FileFilter } from '../../lake/lake.ts';
import type { ScanFilters } from '../engine.ts';
import { microseconds } from './write.ts';

export interface PlanNode {
  name: string;
  children: PlanNode[];
  extra_info: Record<string, string | string[]>;
}

export interface Shapes {
  /** SQL type of a view's column; undefined where there is none. */
  type(view: string, column: string): string | undefined;
  columns(view: string): readonly string[];
}

export function filtersOf(plan: readonly PlanNode[], shapes: Shapes): ScanFilters[] {
  return plan.flatMap((node) => [...scan(node, shapes), ...filtersOf(node.children, shapes)]);
}

function scan({ name, extra_info }: PlanNode, shapes: Shapes): ScanFilters[] {
  const table = whole(extra_info['Table']);
  if (!name.trim().endsWith('SCAN') || table === '') return [];
  const view = viewNamed(table);
  const text = whole(extra_info['Filters']);
  const filters = conjuncts(text).flatMap((part) => comparison(part, (column) => shapes.type(view, column)));
  return [{ view, filters, ...columnsRead(extra_info, { filters: text, names: shapes.columns(view) }) }];
}

/**
 * Columns whose name occurs in what the scan says it reads or filters by (those of filters are not among the
 * projections). One that only looks as if it did costs little; one too few would be a column that is not there.
 */
function columnsRead(
  { Projections: projections }: PlanNode['extra_info'],
  { filters, names }: { filters: string; names: readonly string[] },
) {
  if (projections === undefined) return {};
  const said = `${[projections].flat().join('\n')}\n${filters}`;
  return { columns: names.filter((name) => said.includes(name)) };
}

/** DuckDB cuts its text at every line break, also at one inside a value. */
const whole = (text: string | string[] | undefined): string => [text ?? []].flat().join('\n');

/** `memory.raw.events`, `memory."my-lake".events`: the catalog in front is the planning instance's own. */
function viewNamed(table: string): string {
  const parts = table.match(/"(?:[^"]|"")*"|[^."]+/g) ?? [];
  const names = parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part));
  return names.slice(1).join('.');
}

const COLUMN = '([a-z_][a-z0-9_]*)';
const VALUE = `('(?:[^']|'')*'|-?[0-9][0-9.eE+-]*)(?:::([A-Z ]+))?`;

const COMPARISON = new RegExp(`^${COLUMN}(=|>=|<=|>|<)${VALUE}$`);
const ANY_OF = new RegExp(`^optional: ${COLUMN} IN \\(([^]*)\\)$`);
const EITHER = new RegExp(`^optional: ${COLUMN}=${VALUE}( OR [^]*)$`);
const DATE = `'(\\d{4}-\\d\\d-\\d\\d)'::DATE`;
const ON_DAY = new RegExp(`^\\(CAST\\(${COLUMN} AS DATE\\) (=|>=|<=|>|<) ${DATE}\\)$`);
const ON_DAYS = new RegExp(`^\\(CAST\\(${COLUMN} AS DATE\\) BETWEEN ${DATE} AND ${DATE}\\)$`);

type Value = string | number | bigint;
type TypeOf = (column: string) => string | undefined;

function comparison(text: string, typeOf: TypeOf): FileFilter[] {
  const days = ON_DAYS.exec(text);
  if (days) return wholeDays(days[1]!, { first: days[2]!, last: days[3]! }, typeOf);
  const day = ON_DAY.exec(text);
  if (day) return fromOrToDay(day[1]!, { operator: day[2]!, day: day[3]! }, typeOf);
  const compared = COMPARISON.exec(text);
  if (compared) return range(compared, typeOf);
  return anyOf(text, typeOf);
}

function range([, column, operator, written, cast]: RegExpExecArray, typeOf: TypeOf): FileFilter[] {
  const value = typedValue(typeOf(column!), written!, cast);
  if (value === undefined) return [];
  if (operator === '=') return [{ column: column!, in: [value] }];
  // Bounds are inclusive. Of moments the next one is known, so that `< next day` does not open the next day's files.
  const step = typeof value === 'bigint' && !operator!.endsWith('=') ? 1n : 0n;
  if (operator!.startsWith('>')) return [{ column: column!, min: stepped(value, step) }];
  return [{ column: column!, max: stepped(value, -step) }];
}

const stepped = (value: Value, step: bigint): Value => (typeof value === 'bigint' ? value + step : value);

function anyOf(text: string, typeOf: TypeOf): FileFilter[] {
  const listed = ANY_OF.exec(text);
  if (listed) return oneOf(listed[1]!, literals(listed[2]!), typeOf);
  const column = EITHER.exec(text)?.[1];
  if (column === undefined) return [];
  const one = new RegExp(`^${column}=${VALUE}$`);
  const matches = text
    .slice('optional: '.length)
    .split(' OR ')
    .map((part) => one.exec(part));
  if (!matches.every((match) => match !== null)) return [];
  return oneOf(
    column,
    matches.map((match) => [match[1]!, match[2]] as const),
    typeOf,
  );
}

type Written = readonly [literal: string, cast: string | undefined];

function oneOf(column: string, written: readonly Written[] | undefined, typeOf: TypeOf): FileFilter[] {
  const values = written?.map(([text, cast]) => typedValue(typeOf(column), text, cast));
  if (values === undefined || values.some((value) => value === undefined)) return [];
  return [{ column, in: values as Value[] }];
}

/** The members of an IN list, or undefined when one is not understood. */
function literals(text: string): Written[] | undefined {
  const found: Written[] = [];
  const next = new RegExp(`${VALUE}(?:, |$)`, 'y');
  while (next.lastIndex < text.length) {
    const match = next.exec(text);
    if (match === null) return undefined;
    found.push([match[1]!, match[2]]);
  }
  return found;
}

/**
 * The value as bounds of a column of this type have it. A decimal's bounds are unscaled and a float's are rounded to
 * 32 bits: compared with what is written here they would leave out files that hold the row.
 */
function typedValue(type: string | undefined, written: string, cast: string | undefined): Value | undefined {
  const quoted = written.startsWith("'");
  const text = quoted ? written.slice(1, -1).replaceAll("''", "'") : written;
  if (type === 'TIMESTAMPTZ') {
    return quoted && cast === 'TIMESTAMP WITH TIME ZONE' ? microseconds(text) : undefined;
  }
  if (cast !== undefined) return undefined;
  if (type === 'VARCHAR') return quoted ? text : undefined;
  if (quoted) return undefined;
  if (type === 'INTEGER' || type === 'DOUBLE') return Number.isNaN(Number(text)) ? undefined : Number(text);
  return type === 'BIGINT' && /^-?\d+$/.test(text) ? BigInt(text) : undefined;
}

const DAY_US = 86_400_000_000n;
const startOf = (day: string): bigint => BigInt(Date.parse(`${day}T00:00:00Z`)) * 1000n;

/** A timestamptz column compared by its days, as microseconds. */
function wholeDays(
  column: string,
  { first, last }: { first: string; last: string },
  typeOf: TypeOf,
): FileFilter[] {
  if (typeOf(column) !== 'TIMESTAMPTZ') return [];
  return [{ column, min: startOf(first), max: startOf(last) + DAY_US - 1n }];
}

function fromOrToDay(
  column: string,
  { operator, day }: { operator: string; day: string },
  typeOf: TypeOf,
): FileFilter[] {
  if (operator === '=') return wholeDays(column, { first: day, last: day }, typeOf);
  if (typeOf(column) !== 'TIMESTAMPTZ') return [];
  const [start, end] = [startOf(day), startOf(day) + DAY_US];
  if (operator === '>=') return [{ column, min: start }];
  if (operator === '>') return [{ column, min: end }];
  return [{ column, max: operator === '<' ? start - 1n : end - 1n }];
}

/**
 * Splits at line breaks and AND outside quotes and parentheses. A line with an OR outside them is `optional: a OR b`
 * or several such joined by AND; any other part of it may belong to one arm of the OR only, and is left out.
 */
function conjuncts(text: string): string[] {
  const parts: string[] = [];
  for (const line of cut(text, '\n')) {
    const joined = cut(line, ' AND ');
    const sure = joined.length === 1 || cut(line, ' OR ').length === 1;
    if (sure || joined.every((part) => part.startsWith('optional: '))) parts.push(...joined);
  }
  return parts;
}

function cut(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const ch = text[i];
    if (ch === "'") quoted = !quoted;
    else if (quoted) continue;
    else if (ch === '(') depth++;
    else if (ch === ')') depth--;
    else if (depth === 0 && text.startsWith(separator, i)) {
      parts.push(text.slice(from, i));
      from = i + separator.length;
      i = from - 1;
    }
  }
  return [...parts, text.slice(from)];
}
