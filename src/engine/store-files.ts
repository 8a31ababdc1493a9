import type { DataFile, Lake, Table } from '../lake/lake.ts';
import type { WrittenFile } from './engine.ts';

/** Moves files into the table's store that are not there yet; durable under their final locations on return. */
export async function storeFiles(
  lake: Lake,
  { table, files }: { table: Table; files: readonly WrittenFile[] },
): Promise<DataFile[]> {
  const moves: { localPath: string; location: string }[] = [];
  const stored = files.map((written) => {
    if (written.localPath === undefined) return written.file;
    const location = lake.newFileLocation(table, written.hint);
    moves.push({ localPath: written.localPath, location });
    return { ...written.file, location };
  });
  await lake.store.moveIn(moves);
  return stored;
}
