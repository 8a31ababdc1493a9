/** The rows of raw files as SQL, with the ids by which a batch knows them. */
import { STAGING } from '../../tables/tables.ts';
import type { RawFile } from '../engine.ts';
import { literal, parquet } from './sql.ts';

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

/** The files' rows with `rid`, and `brought`, the sequence number of the commit that brought each. */
export function rowsOf(files: readonly PlacedFile[]): string {
  const values = files.map((f) => `(${literal(f.path)}, ${f.sequenceNumber}, ${f.first})`);
  const scan = parquet(
    files.map((f) => f.path),
    { filename: "'__file'", file_row_number: 'true' },
  );
  return `select (first + file_row_number)::integer as rid, brought, ${COLUMNS} from ${scan}
    join (values ${values.join(', ')}) as files(__path, brought, first) on __file = __path`;
}
