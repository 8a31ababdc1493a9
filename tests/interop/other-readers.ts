/** What pyiceberg, DuckDB's own Iceberg reader and a reader of bare Avro and Parquet see of our tables. */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DataFile, FileFilter, Table } from '../../src/lake/lake.ts';
import { startPyiceberg } from '../support/pyiceberg.ts';
import type { Python } from '../support/python.ts';
import { PYICEBERG_WAYS } from './catalog-ways.ts';
import { ASKED, type Contents, conditionOf } from './questions.ts';
import type { WrittenLake } from './written-lake.ts';

interface Pruned<Files> {
  files: Files;
  rows: number;
}

export interface ByPyiceberg {
  format: number;
  schema: unknown[][];
  spec: unknown[][];
  contents: Contents;
  pruning: Pruned<string[]>[];
  inspection: {
    snapshots: { id: string; parent: string | null; summary: Record<string, string> }[];
    history: unknown[];
    refs: unknown[];
    manifests: { files: number; snapshot: string }[];
    partitions: { partition: unknown[]; rows: number; files: number; size_bytes: number }[];
    files: { location: string; bounds: Record<string, unknown[]> }[];
    entries: number;
    metadataLog: string[];
  };
}

export interface ByDuckDb {
  columns: string[][];
  contents: Contents;
  pruning: Pruned<number>[];
  snapshots: string[];
  files: string[];
}

export interface Seen {
  pyiceberg: { byCatalogs: { names: string[]; tables: ByPyiceberg[] }[]; byFile: ByPyiceberg[] };
  duckDb: ByDuckDb[];
  checked: Record<string, { files: number; findings: string[] }>;
}

/** All of it at once: pyiceberg by each catalog and by file, DuckDB by file, and the reader of bare files. */
export async function look(python: Python, written: WrittenLake): Promise<Seen> {
  const tables = await Promise.all(
    Object.keys(ASKED).map(async (name) => {
      const table = await written.table(name);
      const { columns, questions } = ASKED[name]!;
      const filters = questions.map(({ where }) => where);
      const conditions = filters.map((where) => conditionOf(table, where));
      return { name, location: table.metadataLocation, columns, filters, conditions };
    }),
  );
  const reached = await Promise.all(PYICEBERG_WAYS.map(([, reach]) => reach(written)));
  const catalogs = reached.map(({ pyiceberg }) => pyiceberg);
  const run = <T>(script: string) => python.run<T>(join(import.meta.dirname, script), { tables });
  const pyiceberg = startPyiceberg(python);
  try {
    return {
      pyiceberg: await pyiceberg.read({ catalogs, tables }),
      duckDb: await run('read_with_duckdb.py'),
      checked: await run('check_files.py'),
    };
  } finally {
    await pyiceberg.stop();
    for (const { close } of reached) await close();
  }
}

/** That they open the files that we open for each question, and find the rows that we find. */
export async function expectPrunedAlike(
  written: WrittenLake,
  { name, pyiceberg, duckDb }: { name: string; pyiceberg: ByPyiceberg; duckDb: ByDuckDb },
): Promise<void> {
  const table = await written.table(name);
  const { files } = await written.lake.files(table);
  for (const [i, { about, where }] of ASKED[name]!.questions.entries()) {
    const opened = (await written.lake.files(table, { where })).files.map(({ location }) => location).sort();
    const [[rows]] = (await written.rows(name, 'count(*)', `where ${conditionOf(table, where)}`)) as [
      [number],
    ];
    expect({ about, ...pyiceberg.pruning[i] }).toEqual({ about, files: opened, rows });
    const byDuckDb = duckDb.pruning[i]!;
    const most =
      opened.length + withoutBounds(files, { table, where }).filter((f) => !opened.includes(f)).length;
    expect(byDuckDb.rows, about).toBe(rows);
    expect(byDuckDb.files, about).toBeGreaterThanOrEqual(opened.length);
    expect(byDuckDb.files, about).toBeLessThanOrEqual(most);
  }
}

/**
 * DuckDB 1.4 prunes a file by a column only when it has both bounds of it. We also prune by one (the highest texts have
 * no upper one), and by a column that is null in every row.
 */
function withoutBounds(
  files: readonly DataFile[],
  { table, where }: { table: Table; where: readonly FileFilter[] },
): string[] {
  const { fields } = table.metadata.schemas[0]!;
  const ids = where.map(({ column }) => fields.find(({ name }) => name === column)!.id);
  const lacks = (file: DataFile) => ids.some((id) => !file.lowerBounds.has(id) || !file.upperBounds.has(id));
  return files.filter(lacks).map(({ location }) => location);
}
