/**
 * Who may import whom. The table is the one in docs/ARCHITECTURE.md: changing it is a design decision, made there in
 * the same change. A module's interface is the file named as its folder; all else in the folder is its own.
 */
import type { ImportStatement } from './import-statements.ts';

export const MAY_IMPORT: Readonly<Record<string, readonly string[] | 'all'>> = {
  base: [],
  config: ['base'],
  kinesis: ['base'],
  event: ['base'],
  'object-store': ['base'],
  'stream-server': ['base', 'kinesis'],
  stream: ['base', 'kinesis', 'event', 'object-store'],
  lake: ['base', 'object-store'],
  tables: ['base', 'event', 'lake'],
  engine: ['base', 'event', 'lake', 'object-store', 'tables'],
  query: ['base', 'lake', 'tables', 'engine'],
  processor: ['base', 'event', 'stream', 'engine', 'lake', 'tables'],
  quarantine: ['base', 'event', 'tables', 'engine', 'lake', 'query'],
  staging: ['base', 'event', 'engine', 'lake', 'object-store', 'tables'],
  transforms: ['base', 'event', 'engine', 'lake', 'tables', 'query'],
  maintenance: ['base', 'engine', 'lake', 'object-store', 'tables'],
  verify: ['base', 'event', 'stream', 'lake', 'tables', 'engine', 'query', 'object-store'],
  monitor: ['base', 'event', 'stream', 'lake', 'tables'],
  forecast: ['base'],
  console: [
    ...['base', 'event', 'lake', 'tables', 'engine', 'query', 'quarantine', 'transforms'],
    ...['maintenance', 'verify', 'monitor', 'forecast'],
  ],
  cli: 'all',
};

/** Builtins that a module must not use, with what it uses instead. */
const FORBIDDEN_BUILTINS: Readonly<Record<string, { pattern: RegExp; instead: string }>> = {
  lake: { pattern: /^(node:)?fs(\/|$)/, instead: 'all lake files go through object-store' },
};

export interface ImportingFile {
  path: string;
  imports: readonly ImportStatement[];
}

/** One line per violation: where, what, and what to do. */
export function importViolations({ path, imports }: ImportingFile): string[] {
  return imports.flatMap((statement) => {
    const problem = problemOf(path, statement);
    return problem === undefined ? [] : [`${path}:${statement.line} imports ${statement.target}: ${problem}`];
  });
}

function problemOf(path: string, { target, relative }: ImportStatement): string | undefined {
  const from = moduleOf(path);
  if (!relative) return builtinProblem(from, { path, target });
  const to = moduleOf(target);
  if (from === undefined) return to === undefined ? undefined : insideProblem(to, target);
  if (to === undefined) return outsideProblem({ path, target });
  if (MAY_IMPORT[to] === undefined)
    return `${to} is no module of the table in tests/structure/import-rules.ts`;
  if (from === to) return undefined;
  return insideProblem(to, target) ?? (isTest(path) ? undefined : tableProblem(from, to));
}

function builtinProblem(
  from: string | undefined,
  { path, target }: { path: string; target: string },
): string | undefined {
  const rule = from === undefined || isTest(path) ? undefined : FORBIDDEN_BUILTINS[from];
  return rule?.pattern.test(target) ? `${from} must not use it; ${rule.instead}` : undefined;
}

function insideProblem(to: string, target: string): string | undefined {
  const interfaceFile = `src/${to}/${to}.ts`;
  if (target === interfaceFile) return undefined;
  return `it is inside ${to}; import ${interfaceFile}, and add to that interface what is missing`;
}

function outsideProblem({ path, target }: { path: string; target: string }): string | undefined {
  if (!isTest(path)) return 'the product imports nothing outside src; move what is needed into a module';
  return target.startsWith('tests/support/')
    ? undefined
    : 'a unit test imports its own module, interfaces and tests/support only';
}

function tableProblem(from: string, to: string): string | undefined {
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined) return `${from} is no module of the table in tests/structure/import-rules.ts`;
  if (allowed === 'all' || allowed.includes(to)) return undefined;
  return `${from} may import ${allowed.length === 0 ? 'no module' : `only ${allowed.join(', ')}`}; hand it in as an argument, or change the design in docs/ARCHITECTURE.md`;
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** `lake` for `src/lake/commit/commit.ts`; undefined outside src. */
function moduleOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}
