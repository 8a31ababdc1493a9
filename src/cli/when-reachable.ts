import { backoff, type Clock, Failure, type Log } from '../base/base.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { EXIT, exitCodeOf } from './exit.ts';

export interface Waiting {
  clock: Clock;
  log: Log;
  monitor: Monitor;
  signal: AbortSignal;
}

/** In the monitor and its metrics. */
const ROLE = 'start';

/**
 * A service that begins while store, catalog or engine are away waits for them, as one that runs already does: if it
 * ended, whoever supervises it would begin it again and again. Every other failure, wrong credentials among them, is
 * thrown. Undefined when it was stopped first.
 */
export async function whenReachable<T>(
  open: () => Promise<T>,
  { clock, log, monitor, signal }: Waiting,
): Promise<T | undefined> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const opened = await open();
      if (failures > 0) monitor.progressed(ROLE);
      return opened;
    } catch (error) {
      if (!(error instanceof Failure) || exitCodeOf(error) !== EXIT.tryAgain) throw error;
      const { message, code, why, hint } = error;
      if (failures === 0) log.warn('run.waiting', `cannot begin yet: ${message}`, { code, why, fix: hint });
      monitor.failed(ROLE, error);
      await clock.sleep(backoff(failures, { first_ms: 1_000, most_ms: 30_000, random: Math.random }), signal);
    }
  }
  return undefined;
}
