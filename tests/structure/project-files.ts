/** The files of the project as the structure tests see them: what is committed, not what is made or installed. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const LEFT_OUT = new Set(['node_modules', '.git', 'dist', '.lakeward', 'coverage']);

export interface ProjectFile {
  /** From the root, with forward slashes. */
  path: string;
  text: string;
}

export function projectFiles(...folders: string[]): ProjectFile[] {
  return folders
    .flatMap((folder) => pathsIn(folder))
    .sort()
    .map((path) => ({ path, text: readFileSync(`${ROOT}${path}`, 'utf8') }));
}

/** Files in the root folder itself. */
export function rootFiles(): ProjectFile[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'package-lock.json')
    .map(({ name }) => ({ path: name, text: readFileSync(`${ROOT}${name}`, 'utf8') }));
}

function pathsIn(folder: string): string[] {
  let entries: ReturnType<typeof list>;
  try {
    entries = list(folder);
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    if (LEFT_OUT.has(entry.name)) return [];
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return pathsIn(path);
    return entry.isFile() ? [path] : [];
  });
}

function list(folder: string) {
  return readdirSync(`${ROOT}${folder}`, { withFileTypes: true });
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
