import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type SimulatedEvent, type SimulationOptions, simulate } from './simulation.ts';

const STARTS_AT = Date.UTC(2026, 0, 1) / 1000;
const options = (over: Partial<SimulationOptions> = {}) => ({
  seed: 7,
  events: 30_000,
  starts_at: STARTS_AT,
  ...over,
});

interface Document {
  event_uuid: string;
  event_name: string;
  created_at: number;
  learner_id: string;
  lesson?: { course: string };
  order?: { currency: string; plan: string; amount_minor: number };
  refund?: { amount_minor: number; days_after: number };
}

function all(over: Partial<SimulationOptions> = {}) {
  const { events, truth } = simulate(options(over));
  const list: SimulatedEvent[] = [...events];
  return { list, truth, documents: list.map(({ document }) => JSON.parse(document) as Document) };
}

const digest = (list: SimulatedEvent[]) =>
  createHash('sha256')
    .update(list.map(({ document, arrived_at_ms }) => `${arrived_at_ms} ${document}\n`).join(''))
    .digest('hex');

const counted = (keys: string[]) => {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
};

const run = all();

describe('the simulation', () => {
  test('says the same, byte for byte, from the same seed, and something else from another', () => {
    const once = digest(all({ events: 5_000 }).list);
    expect(digest(all({ events: 5_000 }).list)).toBe(once);
    expect(digest(all({ events: 5_000, seed: 8 }).list)).not.toBe(once);
  });

  test('sends exactly as many events as asked for, even when that takes few or many', () => {
    for (const events of [0, 1, 17, 2_000]) expect(all({ events }).list).toHaveLength(events);
  });

  test('is lazy: what was not asked for is neither made nor counted', () => {
    const { events, truth } = simulate(options({ events: 1_000_000 }));
    let taken = 0;
    for (const _ of events) if (++taken === 10) break;
    expect(truth.events).toBe(10);
  });

  test('gives every event a UUID of its own and names them as the product does', () => {
    expect(new Set(run.list.map(({ event_uuid }) => event_uuid)).size).toBe(30_000);
    for (const { event_uuid } of run.list.slice(0, 1000))
      expect(event_uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const names = Object.keys(run.truth.by_name);
    expect(names.length).toBeGreaterThanOrEqual(12);
    expect(Object.keys(run.truth.by_type).length).toBeGreaterThanOrEqual(5);
    expect(names).toEqual(
      expect.arrayContaining(['account:created', 'lesson:started', 'payment:order:refunded']),
    );
  });

  test('sends in order of arrival, while created_at is slightly out of order and now and then hours behind', () => {
    const arrivals = run.list.map(({ arrived_at_ms }) => arrived_at_ms);
    expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
    const created = run.documents.map(({ created_at }) => created_at);
    const outOfOrder = created.filter((at, index) => index > 0 && at < created[index - 1]!);
    expect(outOfOrder.length).toBeGreaterThan(100);
    const delays_s = run.list.map(({ arrived_at_ms }, index) => arrived_at_ms / 1000 - created[index]!);
    expect(Math.min(...delays_s)).toBeGreaterThan(0);
    expect(delays_s.some((delay) => delay > 3600)).toBe(true);
    expect(delays_s.filter((delay) => delay < 5).length).toBeGreaterThan(0.9 * delays_s.length);
  });

  test('takes about two weeks', () => {
    const days = (run.truth.last_created_at - run.truth.first_created_at) / 86_400;
    expect(days).toBeGreaterThan(8);
    expect(days).toBeLessThan(20);
    expect(run.truth.first_created_at).toBeGreaterThanOrEqual(STARTS_AT);
  });
});

describe('the truth that the simulation keeps', () => {
  test('has the counts that a recount of the documents gives', () => {
    const { documents, truth } = run;
    expect(truth.events).toBe(documents.length);
    expect(truth.by_name).toEqual(counted(documents.map(({ event_name }) => event_name)));
    expect(truth.by_type).toEqual(counted(documents.map(({ event_name }) => event_name.split(':')[0]!)));
    const day = ({ created_at, event_name }: Document) =>
      `${new Date(created_at * 1000).toISOString().slice(0, 10)} ${event_name.split(':')[0]}`;
    const byDay = Object.entries(truth.by_day).flatMap(([at, types]) =>
      Object.entries(types).map(([type, count]) => [`${at} ${type}`, count] as const),
    );
    expect(Object.fromEntries(byDay)).toEqual(counted(documents.map(day)));
    expect(truth.first_created_at).toBe(Math.min(...documents.map(({ created_at }) => created_at)));
    expect(truth.last_created_at).toBe(Math.max(...documents.map(({ created_at }) => created_at)));
    expect(truth.learners).toBe(truth.by_name['account:created']);
  });

  test('has what became of the lessons of every course', () => {
    const of = (course: string, event_name: string) =>
      run.documents.filter(
        (document) => document.event_name === event_name && document.lesson?.course === course,
      ).length;
    for (const [course, lessons] of Object.entries(run.truth.lessons)) {
      expect(lessons.started).toBe(of(course, 'lesson:started'));
      expect(lessons.completed).toBe(of(course, 'lesson:completed'));
      expect(lessons.abandoned).toBe(of(course, 'lesson:abandoned'));
      expect(lessons.completed + lessons.abandoned).toBeLessThanOrEqual(lessons.started);
    }
    expect(Object.keys(run.truth.lessons)).toHaveLength(7);
  });

  test('has revenue and refunds by currency and plan', () => {
    const sum: Record<string, Record<string, Record<string, number>>> = {};
    for (const { event_name, order, refund } of run.documents) {
      if (!order || !['payment:order:completed', 'payment:order:refunded'].includes(event_name)) continue;
      sum[order.currency] ??= {};
      sum[order.currency]![order.plan] ??= { orders: 0, revenue_minor: 0, refunds: 0, refunded_minor: 0 };
      const sales = sum[order.currency]![order.plan]!;
      sales[refund ? 'refunds' : 'orders']! += 1;
      sales[refund ? 'refunded_minor' : 'revenue_minor']! += refund
        ? refund.amount_minor
        : order.amount_minor;
    }
    expect(run.truth.sales).toEqual(sum);
    const refunds = run.documents.filter(({ refund }) => refund);
    expect(refunds.length).toBeGreaterThan(3);
    expect(refunds.every(({ refund }) => refund!.days_after >= 6)).toBe(true);
  });
});
