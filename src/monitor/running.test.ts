import { expect, it } from 'vitest';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
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

it('a shard that is throttled is no fault', () => {
  const { clock, monitor, reasons } = opened();
  for (let s = 0; s < 15; s++) {
    clock.advance(1_000);
    monitor.readFailed(error('kinesis.ProvisionedThroughputExceededException'), 'B');
  }
  expect(reasons()).toEqual([]);
});
