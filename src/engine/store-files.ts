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
