import type { Plan } from './simulation-catalogue.ts';

export interface LessonCounts {
  started: number;
  completed: number;
  abandoned: number;
}

export interface Sales {
  orders: number;
  revenue_minor: number;
  refunds: number;
  refunded_minor: number;
}

/**
 * What a correct lake must say about the simulated events. Kept by the simulation itself from what it decided, at the
 * moment an event leaves it; never read back from the documents.
 */
export interface SimulationTruth {
  /** Events sent; each has a uuid of its own, so it is also the number of distinct ones. */
  events: number;
  by_name: Record<string, number>;
  by_type: Record<string, number>;
  /** UTC day → event type → events. */
  by_day: Record<string, Record<string, number>>;
  /** Course → what became of its lessons. */
  lessons: Record<string, LessonCounts>;
  /** Currency → plan → sales, in the currency's minor unit. */
  sales: Record<string, Partial<Record<Plan, Sales>>>;
  /** Learners of whom at least the account:created was sent. */
  learners: number;
  first_created_at: number;
  last_created_at: number;
}

/** What an event means for the books beside its name and time. */
export type Meaning =
  | { lesson: keyof LessonCounts; course: string }
  | { sale: 'order' | 'refund'; currency: string; plan: Plan; amount_minor: number };

export const emptyTruth = (): SimulationTruth => ({
  events: 0,
  by_name: {},
  by_type: {},
  by_day: {},
  lessons: {},
  sales: {},
  learners: 0,
  first_created_at: Number.POSITIVE_INFINITY,
  last_created_at: Number.NEGATIVE_INFINITY,
});

export function enter(
  truth: SimulationTruth,
  { name, created_at_ms, meaning }: { name: string; created_at_ms: number; meaning: Meaning | undefined },
): void {
  const type = name.slice(0, name.indexOf(':'));
  const day = new Date(created_at_ms).toISOString().slice(0, 10);
  truth.events++;
  count(truth.by_name, name);
  count(truth.by_type, type);
  truth.by_day[day] ??= {};
  count(truth.by_day[day], type);
  if (name === 'account:created') truth.learners++;
  truth.first_created_at = Math.min(truth.first_created_at, created_at_ms / 1000);
  truth.last_created_at = Math.max(truth.last_created_at, created_at_ms / 1000);
  if (meaning) enterMeaning(truth, meaning);
}

function enterMeaning(truth: SimulationTruth, meaning: Meaning): void {
  if ('lesson' in meaning) {
    truth.lessons[meaning.course] ??= { started: 0, completed: 0, abandoned: 0 };
    truth.lessons[meaning.course]![meaning.lesson]++;
    return;
  }
  const { currency, plan, amount_minor } = meaning;
  truth.sales[currency] ??= {};
  truth.sales[currency][plan] ??= { orders: 0, revenue_minor: 0, refunds: 0, refunded_minor: 0 };
  const sales = truth.sales[currency][plan];
  sales[meaning.sale === 'order' ? 'orders' : 'refunds']++;
  sales[meaning.sale === 'order' ? 'revenue_minor' : 'refunded_minor'] += amount_minor;
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
