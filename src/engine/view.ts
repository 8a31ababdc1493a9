/** Views over files of the lake, questions to them, and answers. */
import type { FileFilter } from '../lake/lake.ts';
import type { LakeFile } from './batch.ts';

/** One value of a result as JSON has it; large integers and decimals are text. */
export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };

export interface QueryResult {
  columns: readonly { name: string; type: string }[];
  /** Rows come in chunks as the engine makes them. */
  chunks(): AsyncIterable<readonly (readonly Cell[])[]>;
  /** Of an answer that is not read: until this, or the end of its chunks, it keeps a connection and its files. */
  close(): void;
}

/** What one table scan of a query reads. */
export interface ScanFilters {
  view: string;
  /** As far as they can be told. */
  filters: readonly FileFilter[];
  /** Undefined where it cannot be told: then all. */
  columns?: readonly string[];
}

export interface ViewDefinition {
  schema: string;
  name: string;
  /** `id`: the field id by which the column is found in the files; without ids columns are found by name. */
  columns: readonly { name: string; type: string; id?: number }[];
  files: readonly LakeFile[];
  /** What the question's scans of it need, by `scanFilters`; without it everything is needed. */
  scans?: readonly ScanFilters[];
  /** A further column of this name: the location of each row's file. */
  locationColumn?: string;
}
