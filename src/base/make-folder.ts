/**
 * A folder and those above it. Node's own way (`recursive`) goes round for ever where a file system says that a folder's
 * parent is not there when it is, as /proc does.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from './failure.ts';

/** Of others that remove what was just made. */
const ATTEMPTS = 5;

/**
 * The topmost that was made; undefined when it was there. Throws what the system says, or Failure `system.no_folder` where
 * the folder above takes no folder.
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  let topmost: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      await mkdir(path);
      return topmost ?? path;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const parent = dirname(path);
      if (code !== 'ENOENT' || parent === path) {
        if (await isFolder(path)) return topmost;
        throw error;
      }
      topmost = (await makeFolder(parent)) ?? topmost;
    }
  }
  throw new Failure(`cannot make the folder ${path}`, {
    code: 'system.no_folder',
    fault: 'user',
    why: `the file system of ${dirname(path)} takes no new folder there`,
    hint: 'choose a folder on another file system',
    docs: 'docs/reference/files.md',
  });
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
