/** pyiceberg as one process for a whole run: what it would write, read and plan, asked through its own functions. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  stop(): Promise<void>;
}

export function startPyiceberg(python: Python): Pyiceberg {
  const child = python.start(SCRIPT, { cwd: tmpdir() });
  const ask = asking('pyiceberg', child);
  return {
    dump: (dump) => ask({ dump }),
    mirrorCommits: (mirrorCommits) => ask({ mirrorCommits }),
    stop: () => ended(child),
  };
}
