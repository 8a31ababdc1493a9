/** pyiceberg as one process for a whole run: what it would write, read and plan, asked through its own functions. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileFilter } from '../../src/lake/lake.ts';
import { asking, ended } from './line-protocol.ts';
import type { Python } from './python.ts';

const SCRIPT = join(import.meta.dirname, '../interop/ask_pyiceberg.py');

export interface AvroFile {
  header: Record<string, string>;
  schema: unknown;
  records: Record<string, unknown>[];
}

/** A snapshot with its manifest list and the manifests that it brought, as they stand in the files. */
export interface DumpedSnapshot {
  id: string;
  number: number;
  summary: Record<string, string>;
  list: AvroFile;
  manifests: AvroFile[];
}

interface MirrorOptions {
  /** Where it is made; must not be there. */
  folder: string;
  /** Metadata file of the table whose schema, spec and order it takes. */
  metadata: string;
  properties: Readonly<Record<string, string>>;
}

export interface Pyiceberg {
  dump(asked: { metadata: string }): Promise<DumpedSnapshot[]>;
  /** The rows of the other table's commits, commit by commit; says where the mirror's metadata lies. */
  mirrorCommits(asked: MirrorOptions): Promise<{ metadata: string }>;
  /** What read_with_pyiceberg.py sees of tables, by each of the catalogs and by metadata file. */
  read<T>(asked: { catalogs: readonly CatalogProperties[]; tables: readonly unknown[] }): Promise<T>;
  /** For each filter the files that it opens, and the rows that it finds in them. */
  prune(asked: {
    catalog: CatalogProperties;
    table: string;
    filters: readonly (readonly FileFilter[])[];
  }): Promise<{ files: string[]; rows: number }[]>;
  /** What write_with_pyiceberg.py does to a table, and what came of it. */
  change<T>(asked: { catalog: CatalogProperties; table: string; change: object }): Promise<T>;
  stop(): Promise<void>;
}

/** What `load_catalog` takes. */
type CatalogProperties = Readonly<Record<string, string>>;

export function startPyiceberg(python: Python): Pyiceberg {
  const child = python.start(SCRIPT, { cwd: tmpdir() });
  const ask = asking('pyiceberg', child);
  return {
    dump: (dump) => ask({ dump }),
    mirrorCommits: (mirrorCommits) => ask({ mirrorCommits }),
    read: (read) => ask({ read }),
    prune: (prune) => ask({ prune }),
    change: (change) => ask({ change }),
    stop: () => ended(child),
  };
}
