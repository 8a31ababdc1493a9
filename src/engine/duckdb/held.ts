/** Work over files of the lake that are held for as long as it runs. */
import type { Field } from '../../lake/lake.ts';
import { RAW } from '../../tables/tables.ts';
import type { LakeFile } from '../engine.ts';
import type { LocalFiles, Need } from '../local-files.ts';
import type { Readable } from './own-columns.ts';

/** Columns of event files, by name. */
export function eventColumns(...names: readonly string[]): { columns: readonly Field[] } {
  return { columns: RAW.schema.fields.filter(({ name }) => names.includes(name)) };
}

export async function withFiles<Result>(
  access: LocalFiles,
  { files, need }: { files: readonly LakeFile[]; need?: Need },
  work: (readable: Readable) => Promise<Result>,
): Promise<Result> {
  const held = await access.hold(files, need);
  try {
    return await work({ files, paths: held.paths });
  } finally {
    held.release();
  }
}
