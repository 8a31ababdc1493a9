/**
 * A small scanner for import statements. It reads the forms that this project's formatter writes, statements at the
 * start of a line and `import('…')`, and so needs no parser.
 */
import { posix } from 'node:path';
import { lineOf, type ProjectFile } from './project-files.ts';

export interface ImportStatement {
  line: number;
  /** `node:fs`, `commander`, or for a relative one the path from the root: `src/lake/lake.ts`. */
  target: string;
  relative: boolean;
  /** False for `import('…')`, which loads only when it is reached, and for types, which are never loaded. */
  loadsAtOnce: boolean;
}

const STATIC =
  /^[ \t]*(?:import\s+(type\s+)?[\w$*{},\s]+?\s+from|import|export\s+(type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from)\s*(['"])([^'"\n]+)\3/gm;
const DYNAMIC = /\bimport\(\s*(['"])([^'"\n]+)\1\s*\)/g;

export function importsOf({ path, text }: ProjectFile): ImportStatement[] {
  const found = [
    ...[...text.matchAll(STATIC)].map((match) => ({
      offset: match.index + match[0].length,
      specifier: match[4]!,
      loadsAtOnce: match[1] === undefined && match[2] === undefined,
    })),
    ...[...text.matchAll(DYNAMIC)].map((match) => ({
      offset: match.index,
      specifier: match[2]!,
      loadsAtOnce: false,
    })),
  ];
  return found.map(({ offset, specifier, loadsAtOnce }) => {
    const relative = specifier.startsWith('.');
    const target = relative ? posix.join(posix.dirname(path), specifier) : specifier;
    return { line: lineOf(text, offset), target, relative, loadsAtOnce };
  });
}
