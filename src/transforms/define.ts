/**
 * What a transform is: which events it reads, the SQL over them, and how its table keeps up. A definition is checked
 * where it is written, before anything runs; the columns come from the SQL itself.
 */
import { Failure } from '../base/base.ts';
import type { Type } from '../lake/lake.ts';

/** `'lesson:started'`: events of this name. `'lesson:*'`: every event of the type. `{ mart: 'x' }`: rows of marts.x. */
export type Source = string | { readonly mart: string };

interface Common {
  /** The table is `marts.<name>`. */
  name: string;
  from: readonly Source[];
  /**
   * One query. It reads `events` (everything asked for), a view for each name (`lesson_started`) or type (`lesson`),
   * and the marts by their names.
   */
  sql: string;
  /** Types of columns that are to differ from what the query gives. */
  columns?: Readonly<Record<string, Type>>;
}

/** Days are computed anew, whole, whenever an event of theirs arrives: late events and corrections are simply right. */
export interface PartitionsDefinition extends Common {
  mode: 'partitions';
  /** The output column that says which day a row belongs to: a date or a timestamp. */
  partition: string;
  /** Days around a row's own day whose events it is computed from. Default: none. */
  reads?: { daysBefore?: number; daysAfter?: number };
}

/** Each event goes through the query once, with whatever else came with it; rows are only ever added. */
export interface AppendDefinition extends Common {
  mode: 'append';
  /** An output column by whose day the table is partitioned. */
  partition?: string;
}

export type TransformDefinition = PartitionsDefinition | AppendDefinition;

const BRAND = Symbol.for('lakeward.transform');

export type Transform = TransformDefinition & { readonly [BRAND]: true };

export const isTransform = (value: unknown): value is Transform =>
  typeof value === 'object' && value !== null && BRAND in value;

export function defineTransform(definition: TransformDefinition): Transform {
  const problem = problemOf(definition as unknown as Readonly<Record<string, unknown>>);
  if (problem !== undefined) throw bad(definition, problem);
  return Object.freeze({ ...definition, [BRAND]: true as const });
}

interface Problem {
  what: string;
  why: string;
  hint: string;
}

const KEYS = ['name', 'from', 'mode', 'partition', 'reads', 'columns', 'sql'];
const NAME = /^[a-z][a-z0-9_]{0,59}$/;
const SOURCES_MAX = 64;
const DAYS_MAX = 366;

function problemOf(definition: Readonly<Record<string, unknown>>): Problem | undefined {
  if (typeof definition !== 'object' || definition === null) return NO_OBJECT;
  const unknown = Object.keys(definition).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    return {
      what: `${unknown} is no part of a transform`,
      why: 'a key that nothing reads would be a setting that does nothing',
      hint: `a transform has ${KEYS.join(', ')}`,
    };
  }
  return (
    nameProblem(definition['name']) ??
    sqlProblem(definition['sql']) ??
    sourcesProblem(definition['from']) ??
    modeProblem(definition) ??
    columnsProblem(definition['columns'])
  );
}

const NO_OBJECT: Problem = {
  what: 'there is no definition',
  why: 'defineTransform takes an object',
  hint: "defineTransform({ name: 'daily_active', from: ['lesson:started'], … })",
};

function nameProblem(name: unknown): Problem | undefined {
  if (typeof name === 'string' && NAME.test(name) && name !== 'events') return undefined;
  return {
    what: `${JSON.stringify(name) ?? 'nothing'} is no name of a transform`,
    why: 'the name is also that of its table and of a view: lower case letters, digits and _, a letter first, at most 60; not events',
    hint: "name: 'daily_active'",
  };
}

function sqlProblem(sql: unknown): Problem | undefined {
  if (typeof sql === 'string' && sql.trim() !== '') return undefined;
  return {
    what: 'it has no SQL',
    why: 'sql is the one query whose answer becomes the table',
    hint: "sql: 'select … from events'",
  };
}

function sourcesProblem(from: unknown): Problem | undefined {
  if (!Array.isArray(from) || from.length === 0 || from.length > SOURCES_MAX) {
    return {
      what: 'from does not say what it reads',
      why: `from is a list of 1 to ${SOURCES_MAX} event names, types and marts`,
      hint: "from: ['lesson:started', 'payment:*', { mart: 'sessions' }]",
    };
  }
  const wrong = (from as unknown[]).find((source) => !isSource(source));
  if (wrong !== undefined || from.includes(undefined)) {
    return {
      what: `from holds ${JSON.stringify(wrong) ?? 'nothing'}`,
      why: 'a source is the whole name of an event, a type followed by :*, or { mart }',
      hint: "from: ['lesson:started', 'payment:*', { mart: 'sessions' }]",
    };
  }
  const views = ['events', ...(from as Source[]).map(viewOf)];
  const twice = views.find((view, i) => views.indexOf(view) !== i);
  if (twice === undefined) return undefined;
  return {
    what: `two of its sources would be the view ${twice}`,
    why: 'the view of a source has its name in lower case, with _ for what is neither letter nor digit',
    hint: 'leave one out: the view events holds the rows of all names and types asked for',
  };
}

function isSource(source: unknown): source is Source {
  if (typeof source === 'string') return /^[^\s*]+(:\*)?$/.test(source) && !source.startsWith(':');
  if (typeof source !== 'object' || source === null) return false;
  const { mart } = source as { mart?: unknown };
  return Object.keys(source).length === 1 && typeof mart === 'string' && NAME.test(mart);
}

/** The name by which the SQL reads a source: `lesson:started` → lesson_started, `lesson:*` → lesson. */
export function viewOf(source: Source): string {
  if (typeof source !== 'string') return source.mart;
  const name = source
    .replace(/:\*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_');
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

function modeProblem({
  mode,
  partition,
  reads,
  from,
}: Readonly<Record<string, unknown>>): Problem | undefined {
  if (mode !== 'append' && mode !== 'partitions') {
    return {
      what: `${JSON.stringify(mode) ?? 'nothing'} is no mode`,
      why: 'partitions computes changed days anew; append passes each new event through once',
      hint: "mode: 'partitions', partition: 'day'",
    };
  }
  if (mode === 'partitions' ? !isText(partition) : partition !== undefined && !isText(partition)) {
    return {
      what: 'partition names no column',
      why: 'it is the output column that says which day a row belongs to',
      hint: "select created_datetime::date as day, … and partition: 'day'",
    };
  }
  if (mode === 'append') return appendProblem({ reads, from });
  const { daysBefore = 0, daysAfter = 0, ...rest } = (reads ?? {}) as Record<string, unknown>;
  if (isDays(daysBefore) && isDays(daysAfter) && Object.keys(rest).length === 0) return undefined;
  return {
    what: 'reads is not understood',
    why: `daysBefore and daysAfter are whole numbers from 0 to ${DAYS_MAX}`,
    hint: 'reads: { daysAfter: 7 } for refunds that come within a week',
  };
}

function appendProblem({ reads, from }: { reads: unknown; from: unknown }): Problem | undefined {
  if (reads !== undefined) {
    return {
      what: 'reads is for the mode partitions',
      why: 'append sees what is new, of whatever day',
      hint: "leave reads out, or take mode: 'partitions'",
    };
  }
  const sources = from as readonly Source[];
  if (sources.every((source) => typeof source === 'string') || sources.length === 1) return undefined;
  return {
    what: 'append reads a mart beside something else',
    why: 'of two tables only what is new of each would meet',
    hint: "read the mart alone, or take mode: 'partitions'",
  };
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isDays = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= DAYS_MAX;

const TYPE =
  /^(boolean|int|long|float|double|date|timestamp|timestamptz|string|binary|decimal\(\d{1,2}, ?\d{1,2}\))$/;

function columnsProblem(columns: unknown): Problem | undefined {
  if (columns === undefined) return undefined;
  const entries =
    typeof columns === 'object' && columns !== null ? Object.entries(columns) : [['', undefined]];
  const wrong = entries.find(([, type]) => typeof type !== 'string' || !TYPE.test(type));
  if (wrong === undefined) return undefined;
  return {
    what: `columns gives ${wrong[0] || 'nothing'} the type ${JSON.stringify(wrong[1]) ?? 'nothing'}`,
    why: 'types are boolean, int, long, float, double, date, timestamp, timestamptz, string, binary, decimal(p, s)',
    hint: "columns: { amount: 'decimal(18, 2)' }",
  };
}

function bad(definition: unknown, { what, why, hint }: Problem): Failure {
  const name = (definition as { name?: unknown } | null | undefined)?.name;
  return new Failure(`transform ${typeof name === 'string' ? name : 'without a name'}: ${what}`, {
    code: 'transform.bad_definition',
    fault: 'user',
    why,
    hint,
    docs: 'docs/reference/transforms.md',
  });
}
