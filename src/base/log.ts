export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Record<string, string | number | bigint | boolean | undefined>;

/** Structured log: `id` is stable per message, `text` is for people. Event payloads never go into it. */
export interface Log {
  debug(id: string, text: string, fields?: Fields): void;
  info(id: string, text: string, fields?: Fields): void;
  warn(id: string, text: string, fields?: Fields): void;
  error(id: string, text: string, fields?: Fields): void;
  child(fields: Fields): Log;
}

const LEVELS: Level[] = ['debug', 'info', 'warn', 'error'];

export interface LogOptions {
  level: Level;
  /** `pretty` for a terminal, `json` (a line an entry) for everything else. */
  format: 'pretty' | 'json';
  write: (line: string) => void;
  now: () => number;
}

export function createLog(options: LogOptions, bound: Fields = {}): Log {
  const entry =
    (level: Level) =>
    (id: string, text: string, fields: Fields = {}) => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level)) return;
      const time = new Date(options.now()).toISOString();
      const all = { ...bound, ...fields };
      options.write(
        options.format === 'json'
          ? `${JSON.stringify({ time, level, id, text, ...all }, (_key, v) => (typeof v === 'bigint' ? String(v) : v))}\n`
          : `${time.slice(11, 19)} ${level.padEnd(5)} ${text}${pretty(all)}\n`,
      );
    };
  return {
    debug: entry('debug'),
    info: entry('info'),
    warn: entry('warn'),
    error: entry('error'),
    child: (fields) => createLog(options, { ...bound, ...fields }),
  };
}

function pretty(fields: Fields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `  ${key}=${value}`)
    .join('');
}

const nothing = () => {};
export const silentLog: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLog,
};
