import { dirname } from 'node:path';
import type { LogFiles } from './log-files.ts';

/**
 * A folder whose name, and those of all above it, survive power loss. That they exist says nothing: a process that
 * crashed may have made them without the sync.
 */
export async function makeDurableFolder(files: LogFiles, path: string): Promise<void> {
  await files.makeFolder(path);
  await files.syncFolder(dirname(path));
  for (let folder = dirname(dirname(path)); folder !== dirname(folder); folder = dirname(folder))
    // One that we may not read (a mount point, say) is not ours to make durable.
    await files.syncFolder(folder).catch(() => {});
}
