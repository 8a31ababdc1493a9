import { expect, it } from 'vitest';
import { uuidOf } from '../../tests/support/events.ts';
import { succeeded, transformLake } from '../../tests/support/transform-lake.ts';
import { type Log, silentLog } from '../base/base.ts';
import { resolveSettings } from '../config/config.ts';
import { inPlace } from '../engine/engine.ts';
import { defineTransform } from '../transforms/transforms.ts';
import { type RolesOptions, runRoles } from './roles.ts';
import { transformer, transformObservers } from './transform-role.ts';

const event = (n: number, note = '1') =>
  JSON.stringify({
    event_uuid: uuidOf(n),
    event_name: 'lesson:started',
    created_at: 1_768_500_000 + n,
    note,
  });

const counting = defineTransform({
  name: 'counting',
  from: ['lesson:*'],
  mode: 'partitions',
  partition: 'day',
  sql: 'select created_datetime::date as day, count(*) as n from events group by day',
});
const failing = defineTransform({
  name: 'a_failing',
  from: ['lesson:*'],
  mode: 'partitions',
  partition: 'day',
  sql: `select created_datetime::date as day, sum((document->>'$.note')::integer) as n from events group by day`,
});

async function setup(over: Partial<RolesOptions> = {}) {
  const lake = await transformLake();
  const { worker, stream, folder } = lake;
  const { settings } = resolveSettings({ command: 'run', env: {}, cwd: folder });
  const options: RolesOptions = {
    settings,
    clock: worker.clock,
    log: silentLog,
    env: {},
    lake: { ...worker.lake, localFiles: inPlace() },
    engine: worker.engine,
    stream,
    roles: ['processor', 'quarantine', 'staging', 'transforms'],
    transforms: [failing, counting],
    spoolFolder: worker.options().spoolFolder,
    ...over,
  };
  return { lake, options };
}

it('a run to the end of the stream brings the marts up too, and names the transform that failed', async () => {
  const failed = new Set<string>();
  const told: string[] = [];
  const log: Log = { ...silentLog, error: (_id, _text, fields) => told.push(String(fields?.['why'])) };
  const { lake, options } = await setup(transformObservers({ log }, failed));
  lake.stream.put([event(1), event(2, 'secret')]);
  await runRoles(options, { signal: new AbortController().signal, until_ms: Number.MAX_SAFE_INTEGER });
  expect(await lake.rows('counting', 'n')).toEqual([[2]]);
  expect([...failed]).toEqual(['a_failing']);
  expect(told).toEqual([expect.stringContaining('Conversion Error')]);
  expect(told.join()).not.toContain('secret');
});

it('a run to the end of the stream runs each transform once, when all is staged', async () => {
  const ran: string[] = [];
  const { lake, options } = await setup({ onTransformRan: (name) => ran.push(name) });
  lake.stream.put([event(1)]);
  await runRoles(options, { signal: new AbortController().signal, until_ms: Number.MAX_SAFE_INTEGER });
  expect(ran).toEqual(['a_failing', 'counting']);
});

it('a transform that failed is tried again later and later, while the others go on', async () => {
  const stop = new AbortController();
  const ran: string[] = [];
  const { lake, options } = await setup({
    onTransformRan: (name, failure) => {
      ran.push(`${name}${failure === undefined ? '' : ' failed'}`);
      if (ran.filter((each) => each === 'counting').length === 4) stop.abort();
    },
  });
  await lake.fill([event(1, 'no number')]);
  let now_ms = Date.UTC(2026, 0, 16);
  const jumping = {
    now: () => now_ms,
    // A tenth of a second a round: the first retry is due after one or more of them.
    sleep: async () => {
      now_ms += 100;
    },
  };
  await transformer({ ...options, clock: jumping }).repeat(stop.signal, new AbortController().signal);
  expect(ran.filter((each) => each === 'counting')).toHaveLength(4);
  expect(ran.filter((each) => each === 'a_failing failed').length).toBeLessThan(4);
  expect(succeeded(await lake.run([counting]))).toMatchObject([{ commits: 0 }]);
});

it('a project without transforms has a role with nothing to do', async () => {
  const { options } = await setup({ transforms: [] });
  const { signal } = new AbortController();
  await transformer(options).repeat(signal, signal);
  await transformer(options).run(new AbortController().signal);
});
