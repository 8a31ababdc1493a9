/** The data files of a table as they are in the store, against what the table says of each. */
import { type Engine, mayBeDamage } from '../engine/engine.ts';
import type { DataFile, Lake, Table } from '../lake/lake.ts';
import { type Checklist, figure } from './checklist.ts';
import type { VerifyOptions } from './verify.ts';

export interface ReadFiles {
  /** Those that can be read; what is said of the others is in the findings. */
  files: DataFile[];
  /** Rows that these hold, by the files themselves. */
  rows: number;
}

/** Files looked at in the store at once. */
const LOOKS_AT_ONCE = 16;

export async function checkFiles(
  list: Checklist,
  { lake, engine }: { lake: Lake; engine: Engine },
  table: Table,
): Promise<ReadFiles> {
  const { files } = await lake.files(table);
  const faults: string[] = [];
  const present = await presentFiles(lake, { files, faults });
  const counts = await engine.rowCounts(present);
  const readable: DataFile[] = [];
  let rows = 0;
  for (const [i, file] of present.entries()) {
    const count = counts[i];
    if (count === undefined) {
      faults.push(`${file.location} cannot be read`);
      continue;
    }
    if (count !== file.recordCount) {
      faults.push(`${file.location} holds ${figure(count)} rows, not ${figure(file.recordCount)}`);
    }
    readable.push(file);
    rows += count;
  }
  list.holds(`${table.name}.files`, `${table.name}: every data file is there, as the table describes it`, {
    ok: faults.length === 0,
    expected: `${figure(files.length)} files`,
    found: listed(faults),
  });
  return { files: readable, rows };
}

async function presentFiles(
  lake: Lake,
  { files, faults }: { files: readonly DataFile[]; faults: string[] },
): Promise<DataFile[]> {
  const present: DataFile[] = [];
  for (let first = 0; first < files.length; first += LOOKS_AT_ONCE) {
    const some = files.slice(first, first + LOOKS_AT_ONCE);
    const infos = await Promise.all(some.map((file) => lake.store.head(file.location)));
    for (const [i, file] of some.entries()) {
      const size = infos[i]?.size;
      if (size === undefined) faults.push(`${file.location} is gone`);
      else present.push(file);
      if (size !== undefined && size !== file.fileSize) {
        faults.push(`${file.location} has ${figure(size)} bytes, not ${figure(file.fileSize)}`);
      }
    }
  }
  return present;
}

/**
 * Files whose pages cannot be read although their footers can; asked when a comparison failed, to name them. A finding
 * of its own, since the comparison has none.
 */
export async function checkPages(
  list: Checklist,
  { engine, deep }: Pick<VerifyOptions, 'engine' | 'deep'>,
  files: readonly DataFile[],
): Promise<Set<DataFile>> {
  const damaged = new Set<DataFile>();
  for (const file of files) {
    try {
      await engine.compareIdentities([], [file]);
      if (deep) await engine.compareContents([], [file]);
    } catch (error) {
      if (!mayBeDamage(error)) throw error;
      damaged.add(file);
    }
  }
  if (damaged.size === 0) return damaged;
  list.holds('staging.unreadable', 'raw.events and staging.events: every row can be read', {
    ok: false,
    expected: `${figure(files.length)} files`,
    found: listed([...damaged].map(({ location }) => `${location} is damaged`)),
  });
  return damaged;
}

const LISTED = 5;

const listed = (faults: readonly string[]): string =>
  faults.length <= LISTED
    ? faults.join('; ')
    : `${faults.slice(0, LISTED).join('; ')}; and ${figure(faults.length - LISTED)} more`;
