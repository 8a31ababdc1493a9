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

export function filtersOf(plan: readonly PlanNode[]): ScanFilters[] {
  return plan.flatMap((node) => [...scan(node), ...filtersOf(node.children)]);
}

function scan({ name, extra_info }: PlanNode): ScanFilters[] {
  const table = extra_info['Table'];
  if (!name.trim().endsWith('SCAN') || typeof table !== 'string') return [];
  const texts = [extra_info['Filters'] ?? []].flat();
  // `memory.raw.events`: the catalog in front is the planning instance's own.
  return [
    { view: table.split('.').slice(-2).join('.'), filters: texts.flatMap(conjuncts).flatMap(comparison) },
  ];
}

const COLUMN = '([a-z_][a-z0-9_]*)';
const VALUE = `('(?:[^']|'')*'|-?[0-9][0-9.eE+-]*)(?:::([A-Z ]+))?`;

const COMPARISON = new RegExp(`^${COLUMN}(=|>=|<=|>|<)${VALUE}$`);
const ANY_OF = new RegExp(`^optional: ${COLUMN} IN \\((.*)\\)$`);
const EITHER = new RegExp(`^optional: ${COLUMN}=${VALUE}( OR .*)$`);
const ON_DAY = /^\(CAST\(([a-z_]+) AS DATE\) = '(\d{4}-\d\d-\d\d)'::DATE\)$/;
const ON_DAYS =
  /^\(CAST\(([a-z_]+) AS DATE\) BETWEEN '(\d{4}-\d\d-\d\d)'::DATE AND '(\d{4}-\d\d-\d\d)'::DATE\)$/;

function comparison(text: string): FileFilter[] {
  const days = ON_DAYS.exec(text);
  if (days) return [wholeDays(days[1]!, { first: days[2]!, last: days[3]! })];
  const day = ON_DAY.exec(text);
  if (day) return [wholeDays(day[1]!, { first: day[2]!, last: day[2]! })];
  const compared = COMPARISON.exec(text);
  if (compared) return range(compared as unknown as [string, string, string, string, string | undefined]);
  return anyOf(text) ?? [];
}

function range([, column, operator, literal, type]: [
  string,
  string,
  string,
  string,
  string | undefined,
]): FileFilter[] {
  const value = typedValue(literal, type);
  if (value === undefined) return [];
  if (operator === '=') return [{ column, in: [value] }];
  return [operator.startsWith('>') ? { column, min: value } : { column, max: value }];
}

function anyOf(text: string): FileFilter[] | undefined {
  const listed = ANY_OF.exec(text);
  if (listed) return values(listed[1]!, literals(listed[2]!));
  const either = EITHER.exec(text);
  if (!either) return undefined;
  const column = either[1]!;
  const parts = text.slice('optional: '.length).split(' OR ');
  const one = new RegExp(`^${column}=${VALUE}$`);
  const matches = parts.map((part) => one.exec(part));
  return matches.every((m) => m !== null)
    ? values(
        column,
        matches.map((m) => typedValue(m[1]!, m[2])),
      )
    : [];
}

function values(column: string, found: ReturnType<typeof typedValue>[] | undefined): FileFilter[] {
  if (found === undefined || found.some((v) => v === undefined)) return [];
  return [{ column, in: found as (string | number | bigint)[] }];
}

/** The members of an IN list, or undefined when one is not understood. */
function literals(text: string): ReturnType<typeof typedValue>[] | undefined {
  const found: ReturnType<typeof typedValue>[] = [];
  const next = new RegExp(`${VALUE}(?:, |$)`, 'y');
  while (next.lastIndex < text.length) {
    const match = next.exec(text);
    if (match === null) return undefined;
    found.push(typedValue(match[1]!, match[2]));
  }
  return found;
}

function typedValue(literal: string, type: string | undefined): string | number | bigint | undefined {
  if (!literal.startsWith("'")) return type === undefined ? Number(literal) : undefined;
  const text = literal.slice(1, -1).replaceAll("''", "'");
  if (type === undefined) return text;
  return type === 'TIMESTAMP WITH TIME ZONE' ? microseconds(text) : undefined;
}

/** A timestamptz column compared by its day, as microseconds. */
function wholeDays(column: string, { first, last }: { first: string; last: string }): FileFilter {
  const start = (day: string) => BigInt(Date.parse(`${day}T00:00:00Z`)) * 1000n;
  return { column, min: start(first), max: start(last) + 86_400_000_000n - 1n };
}

/** Splits at AND outside quotes and parentheses. */
function conjuncts(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const ch = text[i];
    if (ch === "'") quoted = !quoted;
    else if (!quoted && ch === '(') depth++;
    else if (!quoted && ch === ')') depth--;
    else if (!quoted && depth === 0 && text.startsWith(' AND ', i)) {
      parts.push(text.slice(from, i));
      from = i + 5;
    }
  }
  return [...parts, text.slice(from)];
}
