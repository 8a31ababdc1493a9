/** What every engine says of a transform that cannot run. */
import { Failure } from '../base/base.ts';
import type { SourceView, TransformQuery } from './transform-engine.ts';

export const TRANSFORM_DOCS = 'docs/reference/transforms.md';

const DAY_MS = 86_400_000;
export const dayText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

export function wrongDay(
  name: string,
  { column, found, within }: { column: string; found: unknown; within: { first: number; last: number } },
): Failure {
  const { first, last } = within;
  const range = first === last ? dayText(first) : `${dayText(first)} to ${dayText(last)}`;
  return new Failure(`transform ${name}: a row has ${String(found)} as its ${column}`, {
    code: 'transform.wrong_day',
    fault: 'user',
    why: `the events that were read are of ${range}, and ${column} must be a day among them`,
    hint: `make ${column} the day of created_datetime; where rows belong to an earlier or later day, say so with reads: { daysBefore, daysAfter }`,
    docs: TRANSFORM_DOCS,
  });
}

export function queryFailed(
  { name, views }: TransformQuery,
  { why, cause }: { why: string; cause: unknown },
): Failure {
  return new Failure(`transform ${name}: its SQL does not run`, {
    code: 'transform.sql',
    fault: 'user',
    // In a line, as the log has it; there a mark below another line would point at nothing.
    why: why
      .replace(/\n\s*\^\s*$/, '')
      .trim()
      .replace(/\s+/g, ' '),
    hint: `it can read ${views.map(readable).join(', ')}`,
    docs: TRANSFORM_DOCS,
    cause,
  });
}

/** A view and its columns; those of events are the same for all of them. */
const readable = ({ name, fields, anyOf }: SourceView): string => {
  if (anyOf !== undefined && name !== 'events') return JSON.stringify(name);
  return `${JSON.stringify(name)} (${fields.map((field) => field.name).join(', ')})`;
};

export function interrupted({ name }: TransformQuery, cause: unknown): Failure {
  return new Failure(`transform ${name} was interrupted`, {
    code: 'transform.interrupted',
    fault: 'user',
    why: 'the program was told to stop while its query ran; nothing of it was committed',
    hint: 'run it again: it goes on from where its table stands',
    docs: TRANSFORM_DOCS,
    cause,
  });
}
