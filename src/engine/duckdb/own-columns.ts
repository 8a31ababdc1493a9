/**
 * Columns of our tables in files that any program wrote, under the names of our definitions. They are found by field
 * id, as Iceberg has it: another program may have renamed a column, or widened it, between two files. Only files of a
 * table with a name mapping may lack ids; their columns are found by name.
 */
import type { Field } from '../../lake/lake.ts';
import type { LakeFile } from '../engine.ts';
import { sqlType } from './column-types.ts';
import { identifier, literal, parquet } from './sql.ts';

/** Files of the lake, and where they are read, in the same order. */
export interface Readable {
  files: readonly LakeFile[];
  paths: readonly string[];
}

/** What stands in a FROM; `options` are further arguments of read_parquet, in SQL. */
export function ownColumns(
  { files, paths }: Readable,
  fields: readonly Field[],
  options: Readonly<Record<string, string>> = {},
): string {
  if (files.some(({ nameMapped }) => nameMapped)) return parquet(paths, options);
  const schema = fields.map(
    ({ id, name, type }) =>
      `${id}: {name: ${literal(name)}, type: ${literal(sqlType(widest(type)))}, default_value: null::varchar}`,
  );
  return parquet(paths, { ...options, schema: `map {${schema.join(', ')}}` });
}

/** A required column of a file without ids would read as null everywhere: a repeat would not be found. */
export const required = (name: string): string =>
  `coalesce(${identifier(name)}, error('a file has no column with the field id of ${name}'))`;

/** Holds what the column holds after it was widened. */
const widest = (type: Field['type']): string =>
  type === 'int' ? 'long' : type === 'float' ? 'double' : type;
