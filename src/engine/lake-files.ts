import { Failure } from '../base/base.ts';
import type { DataFile, Lake, Table } from '../lake/lake.ts';
import type { WrittenFile } from './engine.ts';

/** Moves written files into the table's store; durable under their final locations on return. */
export async function storeFiles(
  lake: Lake,
  { table, files }: { table: Table; files: readonly WrittenFile[] },
): Promise<DataFile[]> {
  const moved = files.map(({ localPath, hint, file }) => ({
    localPath,
    file: { ...file, location: lake.newFileLocation(table, hint) },
  }));
  await lake.store.moveIn(moved.map(({ localPath, file }) => ({ localPath, location: file.location })));
  return moved.map(({ file }) => file);
}

/** Paths by which an engine on this machine reads files of the lake. */
export function localPaths(lake: Lake, files: readonly DataFile[]): string[] {
  return files.map(({ location }) => {
    const path = lake.store.localPath(location);
    if (path !== undefined) return path;
    throw new Failure(`cannot read ${location}`, {
      code: 'engine.not_local',
      fault: 'user',
      why: `the store at ${lake.store.root} has no local path for it`,
    });
  });
}
