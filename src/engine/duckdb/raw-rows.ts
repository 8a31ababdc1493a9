/** The rows of raw files as SQL, with the ids by which a batch knows them. */
import { STAGING } from '../../tables/tables.ts';
import type { RawFile } from '../engine.ts';
import { ownColumns } from './own-columns.ts';

/** A file of a batch; a row's id is `first` plus the row's own place in the file. */
export interface PlacedFile extends RawFile {
  path: string;
  first: number;
}

export function placed(files: readonly RawFile[], paths: readonly string[]): PlacedFile[] {
  let first = 0;
  return files.map((file, i) => {
    const place = { ...file, path: paths[i]!, first };
    first += file.rows;
    return place;
  });
}

export const COLUMNS = STAGING.schema.fields.map((f) => f.name).join(', ');

/**
 * The files' rows with `rid`, and `brought`, the sequence number of the commit that brought each. Joined by the file's
 * place in the scan: by its path the same takes three times as long where columns are found by field id.
 */
export function rowsOf(files: readonly PlacedFile[]): string {
  const values = files.map((f, i) => `(${i}::ubigint, ${f.sequenceNumber}, ${f.first})`);
  const scan = ownColumns({ files, paths: files.map((f) => f.path) }, STAGING.schema.fields, {
    file_row_number: 'true',
  });
  return `select (first + file_row_number)::integer as rid, brought, ${COLUMNS} from ${scan} rows_of
    join (values ${values.join(', ')}) as files(__index, brought, first) on rows_of.file_index = __index`;
}
