import { describe, expect, test } from 'vitest';
import { uuidOf } from '../../tests/support/events.ts';
import { succeeded, transformLake } from '../../tests/support/transform-lake.ts';
import { inOrder } from './order.ts';
import { defineTransform, type Transform, type TransformDefinition } from './transforms.ts';

const event = (n: number, name: string, day = '2026-01-10', learner = 'ann'): string =>
  JSON.stringify({
    event_uuid: uuidOf(n),
    event_name: name,
    created_at: Date.parse(`${day}T08:00:00Z`) / 1000,
    learner,
  });

const daily = (name: string, from: Transform['from'], sql: string): Transform =>
  defineTransform({ name, from, mode: 'partitions', partition: 'day', sql });

const perLearner = daily(
  'per_learner',
  ['lesson:*'],
  `select created_datetime::date as day, document->>'$.learner' as learner, count(*) as n from events group by all`,
);
const perDay = daily(
  'a_day',
  [{ mart: 'per_learner' }],
  'select day, sum(n) as n from per_learner group by day',
);

describe('transforms that read marts', () => {
  test('run after those that make them, and follow the days that were replaced', async () => {
    const lake = await transformLake();
    const both = [perDay, perLearner];
    await lake.fill([event(1, 'lesson:started'), event(2, 'lesson:started', '2026-01-11')]);
    expect(succeeded(await lake.run(both)).map(({ name }) => name)).toEqual(['per_learner', 'a_day']);
    await lake.fill([event(3, 'lesson:completed', '2026-01-10', 'bob')]);
    const [, second] = succeeded(await lake.run(both));
    expect(second!.days).toHaveLength(1);
    expect(await lake.rows('a_day', 'day::varchar, n')).toEqual([
      ['2026-01-10', 2],
      ['2026-01-11', 1],
    ]);
    expect(await lake.run(both)).toMatchObject([{ commits: 0 }, { commits: 0 }]);
  });

  test('in a circle, of a mart that nobody makes, or of the wrong mode are refused', () => {
    const append = (over: Partial<TransformDefinition>): Transform =>
      defineTransform({
        name: 'appended',
        from: ['a:b'],
        mode: 'append',
        sql: 'select 1 as n',
        ...over,
      } as never);
    const message = (...transforms: Transform[]): string => {
      try {
        inOrder(transforms);
        return 'nothing';
      } catch (error) {
        expect(error).toMatchObject({ code: 'transform.bad_definition', why: expect.any(String) });
        return (error as Error).message;
      }
    };
    const [x, y, z] = ['x', 'y', 'z'].map((name, i, all) =>
      daily(name, [{ mart: all[(i + 1) % 3]! }], 'select 1'),
    ) as [Transform, Transform, Transform];
    expect(message(z, y, x)).toContain('in a circle: x → y → z → x');
    expect(message(perDay)).toContain('reads the mart per_learner, which no transform makes');
    expect(message(perLearner, perLearner)).toContain('two transforms are named per_learner');
    expect(message(perLearner, append({ from: [{ mart: 'per_learner' }] }))).toContain(
      'whose days are replaced',
    );
    expect(message(append({}), daily('w', [{ mart: 'appended' }], 'select 1'))).toContain('which has none');
    expect(message(perLearner, perDay)).toBe('nothing');
  });
});

test('one that fails stops alone and keeps its position; mended, it goes on from there', async () => {
  const lake = await transformLake();
  const broken = (sql: string) => daily('broken', ['lesson:*'], sql);
  const count = 'select created_datetime::date as day, count(*) as n from events group by day';
  await lake.fill([event(1, 'lesson:started')]);
  succeeded(await lake.run([broken(count), perLearner]));
  await lake.fill([event(2, 'lesson:started', '2026-01-11')]);
  // The catalog gives no answer for one table.
  lake.worker.beforeSwap = (table) => {
    if (table === 'marts.broken') throw new Error('no space');
  };
  const outcomes = await lake.run([broken(count), perLearner]);
  expect(outcomes.map(({ name, failure }) => [name, failure !== undefined])).toEqual([
    ['broken', true],
    ['per_learner', false],
  ]);
  lake.worker.beforeSwap = undefined;
  expect(await lake.rows('broken', 'count(*)')).toEqual([[1]]);
  expect(succeeded(await lake.run([broken(count)]))).toMatchObject([{ commits: 1 }]);
  expect(await lake.rows('broken', 'n')).toEqual([[1], [1]]);
});

describe('only what was asked for is opened:', () => {
  test('of 60 types of one size, one type reads less than a twentieth of the bytes', async () => {
    const lake = await transformLake();
    const types = Array.from({ length: 60 }, (_, n) => `kind${n}`);
    await lake.fill(types.flatMap((type, t) => [0, 1, 2].map((n) => event(3 * t + n, `${type}:made`))));
    const { files } = await lake.worker.lake.files((await lake.worker.lake.load('staging.events'))!);
    const total = files.reduce((sum, { fileSize }) => sum + fileSize, 0);
    const sizes = new Map(files.map((file) => [file.location, file.fileSize]));

    const opened = new Set<string>();
    const { engine } = lake.worker;
    const watched: typeof engine = Object.create(engine, {
      transform: {
        value: (write: Parameters<typeof engine.transform>[0]) => {
          for (const view of write.views) for (const { location } of view.files) opened.add(location);
          return engine.transform(write);
        },
      },
      outputColumns: {
        value: (query: Parameters<typeof engine.outputColumns>[0]) => engine.outputColumns(query),
      },
    });
    const one = daily(
      'one',
      ['kind7:made'],
      'select created_datetime::date as day, count(*) as n from events group by day',
    );
    succeeded(await lake.run([one], { engine: watched }));
    expect(await lake.rows('one', 'n')).toEqual([[3]]);
    const read = [...opened].reduce((sum, path) => sum + sizes.get(path)!, 0);
    expect(read).toBeGreaterThan(0);
    expect(read / total).toBeLessThan(0.05);
  });

  test('a name of a type opens only the files that can hold it, and sees its rows alone', async () => {
    const lake = await transformLake();
    await lake.fill([event(1, 'lesson:started', '2026-01-10'), event(2, 'lesson:zoomed', '2026-01-11')]);
    await lake.fill([event(3, 'lesson:abandoned', '2026-01-10')]);
    const one = daily(
      'one',
      ['lesson:started'],
      'select created_datetime::date as day, event_name as name from events',
    );
    succeeded(await lake.run([one]));
    expect(await lake.rows('one', 'name')).toEqual([['lesson:started']]);
    const [run] = (await lake.table('one')).metadata.snapshots.slice(-1);
    expect(JSON.parse(run!.summary['lakeward.transform']!)).toMatchObject({ read: { files: 1 } });
  });
});
