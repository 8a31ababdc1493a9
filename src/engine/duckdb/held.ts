/** Work over files of the lake that are held for as long as it runs. */
import { RAW } from '../../tables/tables.ts';
import type { LakeFile } from '../engine.ts';
import type { LocalFiles, Need } from '../local-files.ts';

/** Columns of event files, by name. */
export function eventColumns(...names: readonly string[]): Need {
  return { columns: RAW.schema.fields.filter(({ name }) => names.includes(name)) };
}

export async function withPaths<Result>(
  access: LocalFiles,
  { files, need }: { files: readonly LakeFile[]; need?: Need },
  work: (paths: readonly string[]) => Promise<Result>,
): Promise<Result> {
  const held = await access.hold(files, need);
  try {
    return await work(held.paths);
  } finally {
    held.release();
  }
}
