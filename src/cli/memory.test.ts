import { expect, it } from 'vitest';
import { toldLog } from '../../tests/support/told-log.ts';
import { resolveSettings } from '../config/config.ts';
import { memoryShares, tellLowered } from './memory.ts';

const settingsWith = (env: Record<string, string>) =>
  resolveSettings({ command: 'run', env, cwd: '/' }).settings;

it.each(['450MB', '512MB', '2GB'])('all shares together stay under memory.limit %s', (limit) => {
  const settings = settingsWith({
    ...{
      LAKEWARD_MEMORY_LIMIT: limit,
      LAKEWARD_DEDUPE_MAX_IDS: '1000M',
      LAKEWARD_DEDUPE_FILTER_MEMORY: '100GB',
    },
    ...{ LAKEWARD_COMMIT_MAX_ROWS: '1000M', LAKEWARD_STAGING_MAX_ROWS: '1000M' },
  });
  const shares = memoryShares(settings);
  const ids = shares.windowIds * 86 + shares.indexIds * 60;
  const rows = (2 * shares.commitRows + shares.stagingRows) * 40;
  const sum = shares.answers_bytes + ids + shares.filter_bytes + rows;
  expect(sum).toBeLessThan(settings['memory.limit'] - 300e6);
  expect(sum).toBeGreaterThan(0.4 * (settings['memory.limit'] - 300e6));
});

it.each(['450MB', '512MB', '8GB'])('of defaults that %s has no room for nothing is said', (limit) => {
  const settings = settingsWith({ LAKEWARD_MEMORY_LIMIT: limit });
  const log = toldLog();
  tellLowered(settings, memoryShares(settings), log);
  expect(log.told).toEqual([]);
});

it('the window grows with memory.limit alone, up to the default of dedupe.maxIds', () => {
  const idsAt = (limit: string) => memoryShares(settingsWith({ LAKEWARD_MEMORY_LIMIT: limit })).windowIds;
  expect(idsAt('512MB')).toBeGreaterThan(550_000);
  expect(idsAt('1GB')).toBeGreaterThan(2 * idsAt('512MB'));
  expect(idsAt('4GB')).toBe(10_000_000);
});

it('an option that asks for more than its share gets its share, and the log says so', () => {
  const settings = settingsWith({ LAKEWARD_DEDUPE_MAX_IDS: '50M' });
  const shares = memoryShares(settings);
  const log = toldLog();
  tellLowered(settings, shares, log);
  expect(log.told).toMatchObject([
    {
      id: 'memory.lowered',
      level: 'warn',
      fields: { option: 'dedupe.maxIds', asked: 50_000_000, got: shares.windowIds },
    },
  ]);
  expect(shares.windowIds).toBeLessThan(2_000_000);
});
