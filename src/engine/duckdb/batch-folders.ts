/**
 * Folders for the files of batches in flight, used again by later batches. DuckDB makes a folder a partition; made and
 * removed for every batch they took 17% of the CPU of a long run, because ext4 without a journal looks for a free
 * inode past every one that was freed in the last minutes.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../base/base.ts';

export interface BatchFolder {
  readonly path: string;
  /** Removes every file that is still in it. Never fails: one that cannot be emptied goes with the work folder. */
  release(): Promise<void>;
}

/** The folder that `take` gives is nobody else's until it is released. */
export function batchFolders(parent: string): { take(): Promise<BatchFolder> } {
  const free: string[] = [];
  return {
    async take() {
      const path = free.pop() ?? (await mkdtemp(join(parent, 'batch-')));
      await makeFolder(path);
      let taken = true;
      return {
        path,
        async release() {
          if (!taken) return;
          taken = false;
          if (await emptied(path)) free.push(path);
        },
      };
    },
  };
}

async function emptied(path: string): Promise<boolean> {
  try {
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (!entry.isDirectory()) await rm(join(entry.parentPath, entry.name), { force: true });
    }
    return true;
  } catch {
    return false;
  }
}
