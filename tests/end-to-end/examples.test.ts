/** Every example, as a project of its own, with expectations made from the simulation's events, not by our SQL. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damage, simulate } from '../../src/cli/cli.ts';
import { githubEvents } from '../support/corpora/github.ts';
import { exampleProject, type Row } from '../support/example-project.ts';

const ROOT = join(import.meta.dirname, '../..');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'examples-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Document {
  event_name: string;
  created_at: number;
  learner_id: string;
  lesson?: { id: string; course: string };
  session?: { id: string };
  order?: { id: string; currency: string; plan: string; amount_minor: number };
}

/** The simulated product with its repeats and damage: what is sent, and the events that it is made of. */
function simulated({ events: count, seed }: { events: number; seed: number }) {
  const documents: Document[] = [];
  const { events, truth } = simulate({ seed, events: count, starts_at: Date.UTC(2026, 0, 1) / 1000 });
  const remembered = function* () {
    for (const event of events) {
      documents.push(JSON.parse(event.document) as Document);
      yield event;
    }
  };
  const records = [...damage(remembered(), { seed }).records].map(({ bytes }) => bytes);
  return { records, documents, truth };
}

const product = simulated({ seed: 2, events: 20_000 });
const dayOf = ({ created_at }: { created_at: number }): string =>
  new Date(created_at * 1000).toISOString().slice(0, 10);
const project = async (name: string) => exampleProject(name, await mkdtemp(join(folder, `${name}-`)));
const groups = <Item>(items: readonly Item[], key: (item: Item) => string) =>
  [...Map.groupBy(items, key)].sort(([a], [b]) => (a < b ? -1 : 1));
const distinct = <Item>(items: readonly Item[], of: (item: Item) => unknown) => new Set(items.map(of)).size;
const named = (documents: readonly Document[], ...names: string[]) =>
  documents.filter(({ event_name }) => names.includes(event_name));

describe('the examples', () => {
  it('pass their own tests, as a user runs them', () => {
    const files = globSync('examples/*/transforms/*.test.ts', { cwd: ROOT });
    expect(files.length).toBeGreaterThanOrEqual(4);
    const { status, stdout } = spawnSync(process.execPath, ['--test', ...files], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^# fail 0|ℹ fail 0/m);
    expect(status).toBe(0);
  });

  it('daily active learners: those that the simulation let be active', async () => {
    const { send, run, rows } = await project('daily-active');
    const half = Math.floor(product.records.length / 2);
    await send(product.records.slice(0, half));
    expect((await run('run', '--once')).code).toBe(0);
    await send(product.records.slice(half));
    expect((await run('run', '--once')).code).toBe(0);

    const seen = named(product.documents, 'session:started', 'lesson:completed', 'account:created');
    const expected = groups(seen, dayOf).map(([day, events]) => ({
      day,
      learners: distinct(named(events, 'session:started', 'lesson:completed'), (e) => e.learner_id),
      learned: distinct(named(events, 'lesson:completed'), (e) => e.learner_id),
      new_learners: named(events, 'account:created').length,
    }));
    expect(await rows('from marts.daily_active order by day')).toEqual(expected);
    expect(expected.reduce((sum, { new_learners }) => sum + new_learners, 0)).toBe(product.truth.learners);
    expect((await run('verify', '--deep')).code).toBe(0);
  });

  it('the lesson funnel: every lesson on the day on which it began, and the time of each step', async () => {
    const { send, run, rows } = await project('lesson-funnel');
    await send(product.records);
    expect((await run('run', '--once')).code).toBe(0);
    const lessons = lessonsOf(product.documents);
    expect(await rows(LESSONS)).toEqual(lessons.map(({ to_end_ms: _, ended: __, ...lesson }) => lesson));
    const funnel = groups(lessons, ({ day, course }) => `${day} ${course}`).map(([key, some]) => ({
      key,
      sessions: distinct(some, (lesson) => lesson.session_id),
      started: some.length,
      answered: some.filter((lesson) => lesson.to_first_answer_ms !== null).length,
      completed: some.filter((lesson) => lesson.outcome === 'completed').length,
      abandoned: some.filter((lesson) => lesson.outcome === 'abandoned').length,
      to_completed_ms: median(some.filter((l) => l.outcome === 'completed').map((l) => l.to_end_ms!)),
    }));
    expect(await rows(FUNNEL)).toEqual(funnel);
    const { lessons: truth } = product.truth;
    const started = Object.values(truth).reduce((sum, course) => sum + course.started, 0);
    expect(lessons).toHaveLength(started);
    expect(lessons.some(({ day, ended }) => ended !== undefined && ended !== day)).toBe(true);
  });

  it('payments: a refund that comes a week late is on the day of its order', async () => {
    const { send, run, rows } = await project('payments');
    const late = product.records.length * 0.6;
    await send(product.records.slice(0, late));
    expect((await run('run', '--once')).code).toBe(0);
    const before = await rows('select sum(refunds) as refunds from marts.sales');
    await send(product.records.slice(late));
    expect((await run('run', '--once')).code).toBe(0);
    const sales = await rows(
      'select * replace (day::varchar as day) from marts.sales order by day, currency, plan',
    );
    expect(sales).toEqual(salesOf(product.documents));
    expect(Number(before[0]!['refunds'])).toBeLessThan(
      sales.reduce((sum, row) => sum + Number(row['refunds']), 0),
    );
    for (const [currency, plans] of Object.entries(product.truth.sales)) {
      const sum = (column: string) =>
        sales
          .filter((row) => row['currency'] === currency)
          .reduce((all, row) => all + Number(row[column]), 0);
      const all = Object.values(plans);
      const books = (column: keyof (typeof all)[number]) =>
        all.reduce((total, plan) => total + plan[column], 0);
      expect([sum('orders'), sum('revenue_minor')]).toEqual([books('orders'), books('revenue_minor')]);
      expect([sum('refunds'), sum('refunded_minor')]).toEqual([books('refunds'), books('refunded_minor')]);
    }
  });

  it('pull requests: what GitHub’s own payloads say happened to them', async () => {
    const { send, run, rows } = await project('pull-requests');
    const events = githubEvents();
    await send(events.map(({ document }) => document));
    expect((await run('run', '--once')).code).toBe(0);
    const steps = events.filter(({ event_name }) => /^pull_request(_review)?(:|$)/.test(event_name));
    expect(await rows('select count(*) as n from marts.pull_request_steps')).toEqual([{ n: steps.length }]);
    expect(await rows('from marts.pull_request_days order by day, repository')).toEqual(
      pullRequestDays(steps),
    );
  });
});

const LESSONS = `select day::varchar as day, learner_id, lesson_id, course, session_id, answers, outcome, to_first_answer_ms
  from marts.lessons order by learner_id, lesson_id`;
const FUNNEL = `select day::varchar || ' ' || course as key, sessions, started, answered, completed, abandoned, to_completed_ms
  from marts.lesson_funnel order by key`;

function lessonsOf(documents: readonly Document[]) {
  const of = documents.filter(({ lesson }) => lesson !== undefined);
  return groups(of, ({ learner_id, lesson }) => `${learner_id} ${lesson!.id}`).flatMap(([, events]) => {
    const started = named(events, 'lesson:started')[0];
    if (started === undefined) return [];
    const answers = named(events, 'exercise:answered');
    const end = named(events, 'lesson:completed', 'lesson:abandoned')[0];
    const start_ms = Math.round(started.created_at * 1000);
    const since = (event: Document | undefined) =>
      event ? Math.round(event.created_at * 1000) - start_ms : null;
    const first = answers.toSorted((a, b) => a.created_at - b.created_at)[0];
    return [
      {
        day: dayOf(started),
        learner_id: started.learner_id,
        lesson_id: started.lesson!.id,
        course: started.lesson!.course,
        session_id: started.session!.id,
        answers: answers.length,
        outcome: end?.event_name.split(':')[1] ?? 'lost',
        to_first_answer_ms: since(first),
        to_end_ms: since(end),
        ...(end === undefined ? {} : { ended: dayOf(end) }),
      },
    ];
  });
}

/** Of an even number of values the mean of the two in the middle. */
function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function salesOf(documents: readonly Document[]): Row[] {
  const refunded = new Map(
    named(documents, 'payment:order:refunded').map((event) => [event.order!.id, event]),
  );
  const orders = named(documents, 'payment:order:completed');
  return groups(orders, (event) => [dayOf(event), event.order!.currency, event.order!.plan].join(' ')).map(
    ([key, some]) => {
      const [day, currency, plan] = key.split(' ');
      const back = some.filter(({ order }) => refunded.has(order!.id));
      const sum = (events: readonly Document[]) =>
        events.reduce((all, { order }) => all + order!.amount_minor, 0);
      return {
        day,
        currency,
        plan,
        orders: some.length,
        revenue_minor: sum(some),
        refunds: back.length,
        refunded_minor: sum(back),
      };
    },
  );
}

interface Step {
  event_name: string;
  document: string;
  created_at_s: number;
}

function pullRequestDays(steps: readonly Step[]): Row[] {
  const parsed = steps.map(({ event_name, document, created_at_s }) => {
    const payload = JSON.parse(document) as {
      repository: { full_name: string };
      pull_request: { number: number; created_at: string };
    };
    return { name: event_name, at: created_at_s, ...payload };
  });
  return groups(parsed, (step) => `${dayOf({ created_at: step.at })} ${step.repository.full_name}`).map(
    ([key, some]) => {
      const [day, repository] = key.split(' ');
      const closed = some.filter(({ name }) => name === 'pull_request:closed');
      const to_closing = closed.map(
        ({ at, pull_request }) => at - Date.parse(pull_request.created_at) / 1000,
      );
      return {
        day,
        repository,
        pull_requests: distinct(some, (step) => step.pull_request.number),
        opened: some.filter(({ name }) => name === 'pull_request:opened').length,
        reviews: some.filter(({ name }) => name === 'pull_request_review:submitted').length,
        closed: closed.length,
        to_closing_s: closed.length === 0 ? null : Math.max(...to_closing),
      };
    },
  );
}
