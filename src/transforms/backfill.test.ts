import { describe, expect, test } from 'vitest';
import { uuidOf } from '../../tests/support/events.ts';
import { succeeded, transformLake } from '../../tests/support/transform-lake.ts';
import { openQuery } from '../query/query.ts';
import { rangesText } from './days.ts';
import { backfill, defineTransform, planBackfill, type Transform, transformStatus } from './transforms.ts';

const event = (n: number, day: string): string =>
  JSON.stringify({
    event_uuid: uuidOf(n),
    event_name: 'lesson:started',
    created_at: Date.parse(`${day}T08:00:00Z`) / 1000,
  });

const counting = (n: string): Transform =>
  defineTransform({
    name: 'counting',
    from: ['lesson:*'],
    mode: 'partitions',
    partition: 'day',
    sql: `select created_datetime::date as day, ${n} as n from events group by day`,
  });
const before = counting('count(*)');
const after = counting('count(*) * 10');

const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'];
const dayOf = (text: string): number => Date.parse(text) / 86_400_000;

async function filled() {
  const lake = await transformLake();
  await lake.fill(days.map((day, n) => event(n, day)));
  succeeded(await lake.run([before]));
  return lake;
}

describe('a changed definition', () => {
  test('does not run, and says which days would be computed anew', async () => {
    const lake = await filled();
    await lake.fill([event(9, days[0]!)]);
    const [outcome] = await lake.run([after]);
    expect(outcome!.failure).toMatchObject({
      code: 'transform.definition_changed',
      why: expect.stringContaining('2026-01-01..2026-01-04'),
      hint: expect.stringContaining('lakeward transform backfill counting'),
    });
    expect(await lake.rows('counting', 'sum(n)')).toEqual([[4]]);
  });

  test('of blanks around the SQL alone is none', async () => {
    const lake = await filled();
    expect(await lake.run([defineTransform({ ...before, sql: `  ${before.sql}\n` } as never)])).toMatchObject(
      [{ commits: 0 }],
    );
  });

  test('is in force for the days that were backfilled, and the others are known to be of an older one', async () => {
    const lake = await filled();
    const project = lake.options([after]);
    const range = { from: dayOf(days[1]!), to: dayOf(days[2]!) };
    expect(await planBackfill(project, after, range)).toMatchObject({
      days: [{ first: range.from, last: range.to }],
      definitionChanged: true,
      read: { files: 2 },
    });
    succeeded([await backfill(project, after, range)]);
    expect((await lake.rows('counting', 'n')).flat()).toEqual([1, 1, 10, 10]);
    const status = await transformStatus(lake.worker.lake, after);
    expect([status.state, rangesText(status.outdated)]).toEqual(['current', '2026-01-01,2026-01-04']);

    await lake.fill([event(9, days[0]!)]);
    succeeded(await lake.run([after]));
    expect(await lake.rows('counting', 'day::varchar, n')).toEqual([
      [days[0], 20],
      [days[1], 10],
      [days[2], 10],
      [days[3], 1],
    ]);
    expect(rangesText((await transformStatus(lake.worker.lake, after)).outdated)).toBe(days[3]);
  });
});

describe('a backfill', () => {
  test('of everything takes a bounded number of days a commit', async () => {
    const lake = await filled();
    const outcome = await backfill(lake.options([after], { maxDays: 3 }), after, {});
    expect(succeeded([outcome])).toMatchObject([{ commits: 2, rows: 4 }]);
    expect((await lake.rows('counting', 'n')).flat()).toEqual([10, 10, 10, 10]);
    expect((await transformStatus(lake.worker.lake, after)).outdated).toEqual([]);
  });

  test('never overwrites what a newer run wrote: it computes those days again', async () => {
    const lake = await filled();
    const other = await transformLake({ folder: lake.folder, stream: lake.stream });
    let overtaken = 0;
    lake.worker.beforeSwap = async (table) => {
      if (table !== 'marts.counting' || overtaken++ > 0) return;
      // The backfill has computed its days, and is about to commit them.
      await other.fill([event(9, days[1]!)]);
      succeeded(await other.run([before]));
    };
    succeeded([await backfill(lake.options([before]), before, { from: dayOf(days[1]!) })]);
    expect(overtaken).toBeGreaterThan(1);
    expect((await lake.rows('counting', 'n')).flat()).toEqual([1, 2, 1, 1].toSorted());
    expect(await lake.rows('counting', 'day::varchar, n')).toContainEqual([days[1], 2]);
  });

  test('of a day that had no rows never overwrites what a newer run wrote there', async () => {
    const lake = await transformLake();
    await lake.fill([event(1, days[0]!)]);
    const other = await transformLake({ folder: lake.folder, stream: lake.stream });
    let overtaken = 0;
    lake.worker.beforeSwap = async (table, times) => {
      if (table !== 'marts.counting' || times !== 1 || overtaken++ > 0) return;
      await other.fill([event(2, days[0]!)]);
      succeeded(await other.run([before]));
    };
    succeeded([await backfill(lake.options([before]), before, {})]);
    expect(overtaken).toBe(1);
    expect(await lake.rows('counting', 'n')).toEqual([[2]]);
  });

  test('of an append transform makes its table anew, portion by portion', async () => {
    const lake = await transformLake();
    const flat = (n: string) =>
      defineTransform({
        name: 'flat',
        from: ['lesson:*'],
        mode: 'append',
        sql: `select ${n} as n from events`,
      });
    for (const [n, day] of days.entries()) await lake.fill([event(n, day)]);
    succeeded(await lake.run([flat('1')]));
    const changed = flat('2');
    const [outcome] = await lake.run([changed]);
    expect(outcome!.failure).toMatchObject({ code: 'transform.definition_changed' });
    succeeded([await backfill(lake.options([changed], { maxRows: 2 }), changed, {})]);
    expect((await lake.rows('flat', 'n')).flat()).toEqual([2, 2, 2, 2]);
    await lake.fill([event(9, days[0]!)]);
    succeeded(await lake.run([changed]));
    expect(await lake.rows('flat', 'count(*), sum(n)')).toEqual([[5, 10]]);
  });
});

describe('a definition with other columns', () => {
  const shaped = (columns: string): Transform =>
    defineTransform({
      name: 'counting',
      from: ['lesson:*'],
      mode: 'partitions',
      partition: 'day',
      sql: `select ${columns}, created_datetime::date as day from events group by day`,
    });

  test('adds what is new at its backfill; days that are not computed anew have none of it', async () => {
    const lake = await filled();
    const wider = shaped('count(*) as n, min(event_name) as first');
    const range = { from: dayOf(days[2]!) };
    expect((await lake.run([wider]))[0]!.failure).toMatchObject({ code: 'transform.definition_changed' });
    succeeded([await backfill(lake.options([wider]), wider, range)]);
    expect(await lake.rows('counting', 'n')).toHaveLength(4);
    const { rows } = await openQuery(lake.worker).all(
      'select day, n, first from marts.counting order by day',
    );
    expect(rows.map(({ first }) => first)).toEqual([null, null, 'lesson:started', 'lesson:started']);
    const [added] = (await lake.table('counting')).metadata.schemas.at(-1)!.fields.slice(-1);
    expect(added).toMatchObject({ name: 'first', id: 3 });
    await lake.fill([event(9, days[0]!)]);
    succeeded(await lake.run([wider]));
    expect((await transformStatus(lake.worker.lake, wider)).columns.map(({ name }) => name)).toEqual([
      'day',
      'n',
      'first',
    ]);
  });

  test('of a mart that is made anew is refused before it is', async () => {
    const lake = await transformLake();
    await lake.fill([event(1, days[0]!)]);
    const appending = (sql: string) =>
      defineTransform({ name: 'appending', from: ['lesson:*'], mode: 'append', sql });
    succeeded(await lake.run([appending('select event_uuid as id from events')]));
    const other = appending('select 1 as id from events');
    const refused = { code: 'transform.bad_column', why: expect.stringContaining('string') };
    await expect(planBackfill(lake.options([other]), other, {})).rejects.toMatchObject(refused);
    expect((await backfill(lake.options([other]), other, {})).failure).toMatchObject(refused);
  });

  test('widens a type, and its old files are read as the new one', async () => {
    const lake = await transformLake();
    await lake.fill(days.map((day, n) => event(n, day)));
    succeeded(await lake.run([shaped('count(*)::integer as n')]));
    const wider = shaped('count(*) as n');
    succeeded([await backfill(lake.options([wider]), wider, { to: dayOf(days[0]!) })]);
    const { rows } = await openQuery(lake.worker).all(
      'select sum(n) as n, typeof(any_value(n)) as type from marts.counting',
    );
    expect(rows).toEqual([{ n: 4, type: 'BIGINT' }]);
  });

  test.each([
    ['min(event_name) as first', 'n', 'null::long as n'],
    ['count(*)::varchar as n', 'n', "columns: { n: 'long' }"],
  ])('that the old ones do not become is refused with the way out: %s', async (columns, name, hint) => {
    const lake = await filled();
    const other = shaped(columns);
    const refused = {
      code: 'transform.bad_column',
      message: expect.stringContaining(`its column ${name}`),
      hint: expect.stringContaining(hint),
    };
    await expect(planBackfill(lake.options([other]), other, {})).rejects.toMatchObject(refused);
    const { failure } = await backfill(lake.options([other]), other, {});
    expect(failure).toMatchObject(refused);
    expect(await lake.rows('counting', 'sum(n)')).toEqual([[4]]);
    // Where neither has a day to compute, neither has a word to say about columns.
    const none = { from: dayOf('2027-01-01') };
    expect(await planBackfill(lake.options([other]), other, none)).toMatchObject({ days: [] });
    succeeded([await backfill(lake.options([other]), other, none)]);
  });
});

describe('a backfill that is told to stop', () => {
  test('says so, and keeps what it committed', async () => {
    const lake = await filled();
    const stop = new AbortController();
    const project = lake.options([after], {
      ...{ maxDays: 1, signal: stop.signal, onCommit: () => stop.abort() },
    });
    expect(await backfill(project, after, {})).toMatchObject({ stopped: true, commits: 1 });
    expect(await lake.rows('counting', 'sum(n)')).toEqual([[13]]);
  });

  test('hides no failure that came meanwhile', async () => {
    const lake = await filled();
    const stop = new AbortController();
    const broken = counting("error('no more')::bigint");
    const engine = new Proxy(lake.worker.engine, {
      get: (target, key) => {
        if (key === 'transform') stop.abort();
        return key === 'transform'
          ? (write: Parameters<typeof target.transform>[0]) =>
              target.transform({ ...write, signal: new AbortController().signal })
          : target[key as keyof typeof target];
      },
    });
    const project = lake.options([broken], { engine, signal: stop.signal });
    const outcome = await backfill(project, broken, {});
    expect(outcome).toMatchObject({ failure: { code: 'transform.sql' } });
    expect(outcome.stopped).toBeUndefined();
  });
});
