/**
 * What tests have other programs' package managers bring, in a folder of the user's cache. A folder appears under its
 * name only when it is complete, so that a run that dies in the middle, or two that race, leave nothing that another
 * would use half made.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const HALF_MADE = '.half-made-';
const HALF_MADE_MS_MAX = 86_400_000;

/** The folder for exactly this content; it need not be there. */
export function cachedFolder(name: string, content: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
  return join(cache(), `${name}-${hash}`);
}

/** Makes the folder under another name, and gives it its own when it is complete. */
export async function makeWhole(folder: string, make: (half: string) => Promise<void>): Promise<void> {
  await mkdir(cache(), { recursive: true });
  await removeHalfMade();
  const half = join(cache(), `${HALF_MADE}${crypto.randomUUID()}`);
  try {
    await make(half);
    await rename(half, folder);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    // Another run was faster.
    if (!(await exists(folder))) throw error;
  }
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const cache = () => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lakeward-tests');

async function removeHalfMade(): Promise<void> {
  for (const name of (await readdir(cache())).filter((each) => each.startsWith(HALF_MADE))) {
    const path = join(cache(), name);
    const age_ms = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age_ms > HALF_MADE_MS_MAX) await rm(path, { recursive: true, force: true });
  }
}
