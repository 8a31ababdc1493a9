/**
 * Warnings and errors that come again and again must not fill a disk: of one message so many a minute are written, and
 * the next one after that says how many were not.
 */
import type { Clock } from './clock.ts';
import type { Fields, Log } from './log.ts';

const EACH_MINUTE = 10;
const MINUTE_MS = 60_000;

interface Written {
  since_ms: number;
  count: number;
  leftOut: number;
}

/** Ids are literals of the code, so what is remembered of them is bounded. */
export function limitedLog(log: Log, clock: Clock, written = new Map<string, Written>()): Log {
  const limited =
    (level: 'warn' | 'error') =>
    (id: string, text: string, fields: Fields = {}) => {
      const now_ms = clock.now();
      const known = written.get(id);
      const over = known === undefined || now_ms - known.since_ms >= MINUTE_MS;
      const current = over ? { since_ms: now_ms, count: 0, leftOut: 0 } : known;
      written.set(id, current);
      if (current.count++ >= EACH_MINUTE) {
        current.leftOut++;
        return;
      }
      const leftOut = over ? known?.leftOut : undefined;
      log[level](id, text, leftOut ? { ...fields, not_written: leftOut } : fields);
    };
  return {
    debug: (id, text, fields) => log.debug(id, text, fields),
    info: (id, text, fields) => log.info(id, text, fields),
    warn: limited('warn'),
    error: limited('error'),
    child: (fields) => limitedLog(log.child(fields), clock, written),
  };
}
