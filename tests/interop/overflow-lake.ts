/** A lake whose commits touch more partitions than they may, so that its tables hold files of two partition specs. */
import type { DataFile } from '../../src/lake/lake.ts';
import { RAW_NAME, STAGING_NAME } from '../../src/tables/tables.ts';
import { compact } from './compaction.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

export const OVERFLOWING = [RAW_NAME, STAGING_NAME] as const;

/** The second commit, of one record, has room for its partition. */
export const writeOverflowing = (): Promise<WrittenLake> =>
  writeLake({ count: 900, seed: 6, commits: [400, 1, 200], bounds: { filesMost: 24, typesMost: 1_000 } });

/** With bounds that all partitions fit into. */
export const bringHome = (written: WrittenLake): Promise<void> => compact(written);

/** Files of partitions, and files of the spec without fields. */
export async function filesBySpec(
  written: WrittenLake,
  name: string,
): Promise<{ own: DataFile[]; over: DataFile[] }> {
  const { files } = await written.lake.files(await written.table(name));
  const { own = [], over = [] } = Object.groupBy(files, ({ specId }) => (specId === 0 ? 'own' : 'over'));
  return { own, over };
}
