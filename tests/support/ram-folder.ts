/**
 * A folder for tests in which nothing depends on what a disk keeps: in memory where the machine offers that, as Linux
 * does, else among the other temporary ones. On a busy disk fsync is most of what such a test takes.
 */
import { mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SHARED_MEMORY = '/dev/shm';
/** Containers often have one of 64 MB. */
const ROOM = 1e9;

export async function ramFolder(prefix: string): Promise<string> {
  const room = await statfs(SHARED_MEMORY).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return mkdtemp(join(room >= ROOM ? SHARED_MEMORY : tmpdir(), prefix));
}
