/** A folder of the user's cache, for what can be made again: working copies, providers, Python environments. */
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const PROJECT = join(import.meta.dirname, '../..');
const UNUSED_MS_MAX = 7 * 86_400_000;

export function cacheFolder(...parts: readonly string[]): string {
  return join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'lakeward-infrastructure',
    ...parts,
  );
}

/**
 * The folder of this kind for exactly this content, made when it is not there. It gets its name only when it is whole, so
 * that a run that dies in the middle leaves nothing that another would use. Those that nobody asked for in a week go.
 */
export async function keptFolder(
  { kind, key }: { kind: string; key: string },
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = cacheFolder(kind, key);
  if (!(await isThere(folder))) {
    const half = cacheFolder(kind, `.half-${crypto.randomUUID()}`);
    await mkdir(half, { recursive: true });
    await removeUnused(kind);
    try {
      await make(half);
      await rename(half, folder);
    } catch (error) {
      await rm(half, { recursive: true, force: true });
      // Another run may have been faster.
      if (!(await isThere(folder))) throw error;
    }
  }
  await utimes(folder, new Date(), new Date());
  return folder;
}

async function removeUnused(kind: string): Promise<void> {
  for (const name of await readdir(cacheFolder(kind))) {
    const path = cacheFolder(kind, name);
    const age_ms = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age_ms > UNUSED_MS_MAX) await rm(path, { recursive: true, force: true });
  }
}

export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
