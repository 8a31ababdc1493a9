import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { uuidOf } from '../../tests/support/events.ts';
import { succeeded, transformLake } from '../../tests/support/transform-lake.ts';
import { watched } from '../../tests/support/watched-engine.ts';
import { lakeFolder } from '../../tests/support/worker.ts';
import { systemClock } from '../base/base.ts';
import { openEngine, remoteFiles } from '../engine/engine.ts';
import { type ObjectStore, openMemoryStore } from '../object-store/object-store.ts';
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
    let read: number | undefined;
    // As in a bucket, every byte comes through the port.
    const memory = openMemoryStore({ clock: systemClock });
    const counting: ObjectStore = {
      ...memory,
      async read(location, range) {
        const bytes = await memory.read(location, range);
        if (read !== undefined) read += bytes.length;
        return bytes;
      },
    };
    const folder = await lakeFolder();
    const engine = watched(
      await openEngine({
        ...{ workFolder: join(folder, 'engine'), memory_bytes: 200e6, threads: 1 },
        files: remoteFiles({
          ...{ folder: join(folder, 'copies'), most_bytes: 100e6 },
          read: (location, range) => counting.read(location, range),
        }),
      }),
    );
    onTestFinished(() => engine.close());
    const lake = await transformLake({ folder, engine, wrapStore: () => counting });
    const types = Array.from({ length: 60 }, (_, n) => `kind${n}`);
    // Hashes, which no compression makes small: of each type as much.
    const payload = (n: number) =>
      Array.from({ length: 120 }, (_, i) => createHash('sha256').update(`${n} ${i}`).digest('hex')).join('');
    const made = (type: string, n: number) =>
      JSON.stringify({ ...JSON.parse(event(n, `${type}:made`)), payload: payload(n) });
    await lake.fill(types.flatMap((type, t) => Array.from({ length: 5 }, (_, n) => made(type, 5 * t + n))));
    const { files } = await lake.worker.lake.files((await lake.worker.lake.load('staging.events'))!);
    const total = files.reduce((sum, { fileSize }) => sum + fileSize, 0);
    expect(files).toHaveLength(60);

    read = 0;
    const one = daily(
      'one',
      ['kind7:made'],
      "select created_datetime::date as day, max(document->>'$.payload') as most from events group by day",
    );
    expect(succeeded(await lake.run([one]))).toMatchObject([{ rows: 1 }]);
    const share = read / total;
    // Of the document of every event of the type, a sixtieth of all; and of metadata.
    console.log('SHARE', share, total);
    expect(share).toBeGreaterThan(1 / 61);
    expect(share).toBeLessThan(0.05);
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
