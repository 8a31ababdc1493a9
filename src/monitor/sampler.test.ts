/** What the gauges say while the catalog or the stream is away, and nothing is read: not what they said before. */
import { describe, expect, it } from 'vitest';
import { events } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import { Failure } from '../base/base.ts';
import type { PointerCatalog } from '../lake/lake.ts';
import { exposition } from './exposition.ts';
import { Meter } from './meter.ts';
import { Sampler } from './sampler.ts';
import { SourceGauges } from './source-gauges.ts';

const HOUR = 3_600_000;
const LIMITS = { lag_ms: 30 * HOUR, behind_ms: 30 * HOUR };

const away = () =>
  Promise.reject(new Failure('no answer', { code: 'it.unreachable', fault: 'service', retry: 'backoff' }));

async function setup() {
  const stream = new ScriptedStream();
  const down = { catalog: false, stream: false };
  const wrapCatalog = (inner: PointerCatalog): PointerCatalog => ({
    ...inner,
    load: (name) => (down.catalog ? away() : inner.load(name)),
  });
  const { lake, clock, process, stage } = await openWorker({
    folder: await lakeFolder(),
    stream,
    wrapCatalog,
  });
  const meter = new Meter();
  const source = new SourceGauges(meter);
  const asked: number[] = [];
  const sampler = new Sampler({
    ...{ lake, clock, meter, limits: LIMITS, roles: ['processor'], keepsUncommitted: false },
    stream: new Proxy(stream, {
      get: (target, key) =>
        key === 'describe' && down.stream ? away : Reflect.get(target, key).bind(target),
    }),
    probes: { spoolBytes: async () => 0, engineMemory_bytes: async () => 0 },
    lag_ms: () => source.lag_ms(clock.now()),
    onAsked: (lag_ms) => {
      asked.push(lag_ms);
      source.asked(lag_ms, clock.now());
    },
  });
  const look = async () => (await sampler.sample()).findings.map(({ code }) => code);
  const gauges = () => {
    source.publish(clock.now());
    sampler.publish(clock.now());
    const lines = exposition(meter, 'prometheus').split('\n');
    const of = (start: string) => lines.find((line) => line.startsWith(`${start} `))?.split(' ')[1];
    return {
      left_h: Number(of('lakeward_source_retention_left_seconds')) / 3_600,
      lag_h: Number(of('lakeward_source_lag_seconds')) / 3_600,
      idle: of('lakeward_source_idle'),
      age_h: Number(of('lakeward_table_commit_age_seconds{table="raw.events"}')) / 3_600,
    };
  };
  const reads = (behindLatest_ms: number, idle: boolean) =>
    source.read({ shard: 'shard', records: 1, behindLatest_ms, idle }, clock.now());
  return { stream, clock, down, process, stage, asked, look, gauges, reads };
}

/** Its records are there for 24 hours by the stream's clock, which is not the worker's. */
async function unreadFor(stream: ScriptedStream, hours: number): Promise<void> {
  const arrived_ms = await stream.serverTime();
  stream.putAt(events(2)[0]!, { shard: 0, arrived_ms });
  stream.putAt(events(3)[0]!, { shard: 0, arrived_ms: arrived_ms + hours * HOUR - 1 });
}

describe('a look at the lake and the stream', () => {
  it('believes the answers that the processor takes, and asks nothing of the shards', async () => {
    const { stream, process, asked, look, gauges, reads } = await setup();
    stream.put(events(1));
    await process();
    reads(2 * HOUR, false);
    expect(await look()).toEqual([]);
    expect(gauges()).toMatchObject({ left_h: 22, lag_h: 2, idle: '0' });
    expect(asked).toEqual([]);
  });

  it('tells what the stream will trim also while no catalog answers and so nothing is read', async () => {
    const { stream, clock, down, process, look, gauges, reads } = await setup();
    stream.put(events(1));
    await process();
    reads(0, true);
    await look();
    expect(gauges()).toMatchObject({ left_h: Number.NaN, idle: '1' });

    down.catalog = true;
    await unreadFor(stream, 20);
    clock.advance(20 * HOUR);
    expect(await look()).toEqual(['status.retention_low']);
    expect(gauges()).toMatchObject({ left_h: 4, lag_h: 20, idle: '0' });
    expect(gauges().age_h).toBeCloseTo(20, 1);
  });

  it('lets go on, while the stream does not answer, the time that unread records have', async () => {
    const { stream, clock, down, process, look, gauges } = await setup();
    stream.put(events(1));
    await process();
    await unreadFor(stream, 10);
    expect(await look()).toEqual([]);
    expect(gauges().left_h).toBeCloseTo(14);

    down.stream = true;
    clock.advance(9 * HOUR);
    expect(await look()).toEqual(['status.retention_low']);
    expect(gauges().left_h).toBeCloseTo(5);
    clock.advance(9 * HOUR);
    expect(gauges().left_h).toBe(0);
  });
});
