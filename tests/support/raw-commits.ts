/** A raw table in memory and commits to it as the processor makes them, without any event behind them. */
import {
  type CommitOutcome,
  type DataFile,
  type Lake,
  openMemoryCatalog,
  type PointerCatalog,
  type Table,
} from '../../src/lake/lake.ts';
import { type Advance, advance, firstCommit, RAW, RAW_NAME } from '../../src/tables/tables.ts';
import { loaded } from './edited-table.ts';
import { smallLake } from './small-lake.ts';

export interface RawLake {
  lake: Lake;
  catalog: PointerCatalog;
  table: Table;
}

export async function rawLake(): Promise<RawLake> {
  const catalog = openMemoryCatalog();
  const { lake } = smallLake({ catalog });
  const first = { commitId: crypto.randomUUID(), stage: firstCommit('test') };
  return { lake, catalog, table: await lake.create(RAW_NAME, RAW, first) };
}

/** What a writer says of a file of raw; the file itself is not looked at. */
export function rawFile(lake: Lake, table: Table, rows: number): DataFile {
  return {
    location: lake.newFileLocation(table, 'test'),
    specId: 0,
    partition: [20_454, 'lesson'],
    recordCount: rows,
    fileSize: 1_000 + rows,
    columnSizes: new Map(),
    valueCounts: new Map(),
    nullValueCounts: new Map(),
    nanValueCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
  };
}

export interface OurCommit extends Partial<Omit<Advance, 'writer'>> {
  /** Rows of one new file; 0 for an empty commit. */
  rows?: number;
  operation?: 'append' | 'replace';
}

/** Commits on the base given, or on the current one; whether it was taken is for the caller to look at. */
export async function tryCommit(
  lake: Lake,
  { rows = 0, operation = 'append', ...change }: OurCommit,
  base?: Table,
): Promise<CommitOutcome> {
  const table = base ?? (await loaded(lake, RAW_NAME));
  const manifests = rows === 0 ? [] : await lake.prepare(table, [rawFile(lake, table, rows)]);
  return lake.commit(table, {
    commitId: crypto.randomUUID(),
    operation,
    manifests,
    stage: (at, attempt) =>
      advance(at, attempt, { writer: 'test', tally: { received: rows, written: rows }, ...change }),
  });
}

export async function commit(lake: Lake, change: OurCommit): Promise<Table> {
  const outcome = await tryCommit(lake, change);
  if (outcome.kind !== 'committed') throw new Error(`${outcome.kind}: ${outcome.why}`);
  return outcome.table;
}
