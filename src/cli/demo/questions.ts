/** What the demo asks its lake, and how each answer is checked against what the simulation wrote down. */
import type { Cell } from '../../engine/engine.ts';
import type { SimulationTruth } from './simulation.ts';

export interface Question {
  title: string;
  sql: string;
  /** What a correct answer is, by the simulation's own books; undefined when they do not hold it. */
  expected?: (truth: SimulationTruth) => unknown[][];
}

type Row = Record<string, Cell>;

const byKey = (a: unknown[], b: unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);

export const QUESTIONS: readonly Question[] = [
  {
    title: 'How many events of each type?',
    sql: `select event_type, count(*) as events
from staging.events
group by 1 order by 1`,
    expected: ({ by_type }) => Object.entries(by_type).sort(byKey),
  },
  {
    title: 'Which courses lose their learners? (reaches into the document)',
    sql: `select document->>'$.lesson.course' as course,
  count(*) filter (event_name = 'lesson:started') as started,
  count(*) filter (event_name = 'lesson:completed') as completed,
  count(*) filter (event_name = 'lesson:abandoned') as abandoned
from staging.events
where event_type = 'lesson'
group by 1 order by 1`,
    expected: ({ lessons }) =>
      Object.entries(lessons)
        .map(([course, { started, completed, abandoned }]) => [course, started, completed, abandoned])
        .sort(byKey),
  },
  {
    title: 'What was earned, and what was given back a week later?',
    sql: `select document->>'$.order.currency' as currency,
  count(*) filter (event_name = 'payment:order:completed') as orders,
  coalesce(sum((document->>'$.order.amount_minor')::bigint) filter (event_name = 'payment:order:completed'), 0) as revenue_minor,
  count(*) filter (event_name = 'payment:order:refunded') as refunds
from staging.events
where event_type = 'payment' and event_name in ('payment:order:completed', 'payment:order:refunded')
group by 1 order by 1`,
    expected: ({ sales }) =>
      Object.entries(sales)
        .map(([currency, plans]) => {
          const all = Object.values(plans);
          const sum = (key: 'orders' | 'revenue_minor' | 'refunds') => all.reduce((n, s) => n + s[key], 0);
          return [currency, sum('orders'), sum('revenue_minor'), sum('refunds')];
        })
        .sort(byKey),
  },
  {
    title: 'What could not be an event, and why?',
    sql: `select reason, count(*) as records
from quarantine.events
group by 1 order by 1`,
  },
];

/** Whether the rows of an answer are what the simulation says. */
export function isRight(question: Question, rows: readonly Row[], truth: SimulationTruth): boolean {
  const expected = question.expected?.(truth);
  if (expected === undefined) return true;
  return JSON.stringify(rows.map((row) => Object.values(row).map(plain))) === JSON.stringify(expected);
}

/** Sums of BIGINT come as HUGEINT; a figure that fits is a number. */
const plain = (cell: Cell): Cell =>
  typeof cell === 'string' && /^-?\d{1,15}$/.test(cell) ? Number(cell) : cell;
