import { expect, it } from 'vitest';
import { toldLog } from '../../tests/support/told-log.ts';
import { type Clock, Failure } from '../base/base.ts';
import { resolveSettings } from '../config/config.ts';
import { monitorOf } from './monitoring.ts';
import { whenReachable } from './when-reachable.ts';

const away = (code = 'object_store.unreachable') =>
  new Failure('the store cannot be reached', { code, fault: 'service', retry: 'backoff', why: 'an outage' });

function started() {
  let now_ms = Date.UTC(2026, 0, 1);
  const clock: Clock = {
    now: () => now_ms,
    sleep: async (ms) => {
      now_ms += ms;
    },
  };
  const log = toldLog();
  const { settings } = resolveSettings({ command: 'run', env: {}, cwd: '/' });
  const monitor = monitorOf({ clock, log, settings, env: {}, roles: ['processor'] });
  const stop = new AbortController();
  return { clock, log, monitor, stop, signal: stop.signal };
}

it('waits for an hour, says so once a minute and in its health, and goes on', async () => {
  const around = started();
  const { clock, log, monitor } = around;
  const from_ms = clock.now();
  const seen = new Set<string>();
  const opened = await whenReachable(async () => {
    seen.add(monitor.health().status);
    if (clock.now() < from_ms + 3_600_000) throw away();
    return 'lake';
  }, around);
  expect(opened).toBe('lake');
  expect(seen).toEqual(new Set(['starting', 'degraded']));
  expect(monitor.health().live).toBe(true);
  const ids = log.told.map(({ id }) => id);
  expect(ids[0]).toBe('run.waiting');
  expect(ids.filter((id) => id === 'health.degraded').length).toBeGreaterThan(50);
  expect(ids.length).toBeLessThanOrEqual(62);
});

it('ends at once where waiting would not help', async () => {
  const refused = new Failure('not allowed', { code: 'object_store.access_denied', fault: 'user' });
  await expect(whenReachable(() => Promise.reject(refused), started())).rejects.toBe(refused);
});

it('gives way when it is stopped', async () => {
  const around = started();
  const opened = await whenReachable(async () => {
    around.stop.abort();
    throw away();
  }, around);
  expect(opened).toBeUndefined();
});
