import { expect, it } from 'vitest';
import { events } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import { Failure, silentLog } from '../base/base.ts';
import { type Limits, openMonitor } from './monitor.ts';

const error = (code: string) =>
  new Failure('GetRecords failed', { code, fault: 'service', retry: 'backoff' });

function opened() {
  const clock = new VirtualClock();
  const given = { clock, log: silentLog, version: '0', limits: {} as Limits };
  const monitor = openMonitor({ ...given, roles: ['processor'] });
  const read = (shard: string) => monitor.read({ shard, records: 1, behindLatest_ms: 0, idle: false });
  const reasons = () => monitor.health().reasons.map(({ what }) => what);
  return { clock, monitor, read, reasons };
}

it('a shard that fails while others are read is told of in health, until it is read', () => {
  const { clock, monitor, read, reasons } = opened();
  for (let s = 0; s < 15; s++) {
    clock.advance(1_000);
    monitor.readFailed(error('kinesis.InternalFailure'), 'B');
    read('A');
  }
  expect(reasons()).toEqual(['B: GetRecords failed']);
  read('B');
  expect(reasons()).toEqual([]);
});

it('tells how far it is behind and when it last committed, which the lake cannot while nobody reaches it', async () => {
  const { clock, monitor } = opened();
  expect(monitor.health()).toMatchObject({ lag_ms: null, lastCommits_ms: {} });
  monitor.read({ shard: 'A', records: 1, behindLatest_ms: 1_500, idle: false });
  const stream = new ScriptedStream();
  stream.put(events(1));
  const { process } = await openWorker({
    ...{ folder: await lakeFolder(), stream },
    wrapLake: (lake) => monitor.observe(lake),
  });
  await process();
  const committed_ms = clock.now();
  clock.advance(1_000);
  expect(monitor.health()).toMatchObject({ lag_ms: 1_500, lastCommits_ms: { 'raw.events': committed_ms } });
});

it('a shard that is throttled is no fault', () => {
  const { clock, monitor, reasons } = opened();
  for (let s = 0; s < 15; s++) {
    clock.advance(1_000);
    monitor.readFailed(error('kinesis.ProvisionedThroughputExceededException'), 'B');
  }
  expect(reasons()).toEqual([]);
});

const monitorOf = (...roles: string[]) =>
  openMonitor({
    ...{ clock: new VirtualClock(), log: silentLog, version: '1', roles },
    limits: { lag_ms: 1, behind_ms: 1 },
  });

/** Of a counter that appears with its first count nobody sees that it grew. */
it('counts from zero, before anything happened, what its roles will count', async () => {
  const counters = async (...roles: string[]) =>
    (await monitorOf(...roles).metrics('prometheus'))
      .split('\n')
      .filter((line) => /_total(\{.*\})? 0$/.test(line));
  expect(await counters('processor')).toContain('lakeward_source_throttled_total 0');
  expect(await counters('processor')).toContain('lakeward_source_expired_ranges_total 0');
  expect(await counters('processor')).toContain('lakeward_source_damaged_aggregates_total 0');
  expect(await counters('processor')).toContain('lakeward_events_quarantined_total{table="raw.events"} 0');
  expect(await counters('staging')).toContain('lakeward_events_duplicates_total{table="staging.events"} 0');
  expect(await counters('staging')).not.toContain('lakeward_source_throttled_total 0');
});

it('counts what commits went on over: ranges that expired unread, aggregated records that are none', async () => {
  const monitor = monitorOf('processor');
  const range = { shard: 'A', from: '1', to: '3', since_ms: undefined, until_ms: undefined };
  monitor.flawed({ expired: [range, range], damaged: 3 });
  monitor.flawed({ expired: [range], damaged: 0 });
  const metrics = await monitor.metrics('prometheus');
  expect(metrics).toContain('lakeward_source_expired_ranges_total 3\n');
  expect(metrics).toContain('lakeward_source_damaged_aggregates_total 3\n');
});

it('counts a read that the stream turned away as one, and calls nothing degraded for it', async () => {
  const monitor = monitorOf('processor');
  const code = 'kinesis.ProvisionedThroughputExceededException';
  monitor.readFailed(new Failure('too many', { code, fault: 'service', retry: 'backoff' }));
  expect(await monitor.metrics('prometheus')).toContain('lakeward_source_throttled_total 1\n');
  expect(monitor.health().reasons).toEqual([]);
});
