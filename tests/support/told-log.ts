import { type Fields, type Level, type Log, silentLog } from '../../src/base/base.ts';

export interface Told {
  level: Level;
  id: string;
  text: string;
  fields: Fields;
}

/** A log that keeps what it was told. */
export function toldLog(): Log & { told: Told[]; ids(level?: Level): string[] } {
  const told: Told[] = [];
  const entry =
    (level: Level) =>
    (id: string, text: string, fields: Fields = {}) => {
      told.push({ level, id, text, fields });
    };
  return {
    ...silentLog,
    told,
    ids: (level) => told.filter((each) => level === undefined || each.level === level).map(({ id }) => id),
    debug: entry('debug'),
    info: entry('info'),
    warn: entry('warn'),
    error: entry('error'),
  };
}
