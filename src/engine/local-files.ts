/**
 * How an engine on this machine reads files of the lake: in place where the store is a disk of this machine, else
 * through local copies of what is needed of them (parquet/remote-files.ts).
 */
import { Failure } from '../base/base.ts';
import type { FileFilter } from '../lake/lake.ts';
import type { LakeFile } from './engine.ts';

/** What is read of files; more may be fetched, never less. */
export interface Need {
  /** Top-level columns, by field id, or by name where a file has no ids; undefined: all. */
  columns?: readonly { id?: number; name: string }[];
  /** A row is needed when all filters of one of these hold; undefined: every row. */
  anyOf?: readonly (readonly (FileFilter & { id?: number })[])[];
}

/** What reading them costs and spares. */
export interface ReadStats {
  files: number;
  rowGroups: { listed: number; needed: number };
  bytes: { listed: number; needed: number; fetched: number };
}

export interface HeldFiles {
  /** In the order of the files. Of a file held in part, rows that are not needed may be missing. */
  readonly paths: readonly string[];
  /** Undefined where files are read in place: the engine reads what it needs. */
  readonly stats?: ReadStats;
  /** From now on the paths may go. */
  release(): void;
}

export interface LocalFiles {
  hold(files: readonly LakeFile[], need?: Need): Promise<HeldFiles>;
}

interface Paths {
  readonly root: string;
  /** Undefined when the store has no local path. */
  localPath(location: string): string | undefined;
}

/** Files that lie on a disk of this machine. Without a store: every `file:` location. */
export function inPlace(store?: Paths): LocalFiles {
  return {
    async hold(files) {
      return { paths: files.map(({ location }) => pathOf(location, store)), release() {} };
    },
  };
}

function pathOf(location: string, store: Paths | undefined): string {
  const path = store === undefined ? location.replace(/^file:(\/\/)?(?=\/)/, '') : store.localPath(location);
  if (path?.startsWith('/')) return path;
  throw new Failure(`cannot read ${location}`, {
    code: 'engine.not_local',
    fault: 'ourselves',
    why: `the store at ${store?.root ?? 'file://'} has no local path for it`,
  });
}
