/** A folder of the user's cache, for what can be made again: working copies, providers, Python environments. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export const PROJECT = join(import.meta.dirname, '../..');

export function cacheFolder(...parts: readonly string[]): string {
  return join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'lakeward-infrastructure',
    ...parts,
  );
}
