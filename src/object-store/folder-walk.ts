import { unlessMissing } from './failures.ts';
import type { FileStatus, Files } from './files.ts';
import { OWN_PREFIX } from './locations.ts';

/**
 * Every file under `folder` whose key (its path below it) starts with the prefix. Only folders that can hold one are
 * entered; what vanishes while the walk is under way is passed over; nothing is collected, so memory stays flat.
 */
export async function* walk(
  files: Files,
  folder: string,
  keyPrefix: string,
  parentKey = keyPrefix.slice(0, keyPrefix.lastIndexOf('/') + 1),
): AsyncIterable<{ key: string; status: FileStatus }> {
  try {
    for await (const { name, isFolder } of files.folder(`${folder}/${parentKey}`)) {
      const key = parentKey + name;
      if (name.startsWith(OWN_PREFIX) || !key.startsWith(keyPrefix)) continue;
      if (isFolder) {
        yield* walk(files, folder, keyPrefix, `${key}/`);
        continue;
      }
      const status = await fileStatus(files, `${folder}/${key}`);
      if (status) yield { key, status };
    }
  } catch (error) {
    unlessMissing(error);
  }
}

/** Undefined when there is nothing, or no file, at the path. */
export async function fileStatus(files: Files, path: string): Promise<FileStatus | undefined> {
  const status = await files.status(path).catch(unlessMissing);
  return status?.isFile ? status : undefined;
}
