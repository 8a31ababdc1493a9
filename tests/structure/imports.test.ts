import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importViolations, MAY_IMPORT } from './import-rules.ts';
import { type ImportStatement, importsOf } from './import-statements.ts';
import { projectFiles, ROOT } from './project-files.ts';

const sources = projectFiles('src', 'tests', 'bench').filter(({ path }) => path.endsWith('.ts'));

describe('the code', () => {
  test('imports only what the table of modules allows, and only interfaces', () => {
    expect(
      sources.flatMap((file) => importViolations({ path: file.path, imports: importsOf(file) })),
    ).toEqual([]);
  });

  test('has no folder in src that the table does not know', () => {
    const folders = readdirSync(`${ROOT}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => MAY_IMPORT[name] === undefined)).toEqual([]);
  });

  test('starts the command line without loading an engine, an SDK or anything else from outside but the parser', () => {
    const packages = loadedBy('src/cli/main.ts').filter((target) => !target.startsWith('node:'));
    expect([...new Set(packages)]).toEqual(['commander']);
  });
});

test('the table of modules has no cycle', () => {
  const reached = (from: string, path: readonly string[]): string[] => {
    if (path.includes(from)) return [[...path, from].join(' → ')];
    const next = MAY_IMPORT[from];
    return next === undefined || next === 'all' ? [] : next.flatMap((to) => reached(to, [...path, from]));
  };
  expect(Object.keys(MAY_IMPORT).flatMap((module) => reached(module, []))).toEqual([]);
});

describe('the rules', () => {
  const violations = (path: string, text: string) =>
    importViolations({ path, imports: importsOf({ path, text }) });

  test.each([
    ['src/staging/merge.ts', "import { prepare } from '../lake/commit/prepare.ts';", 'it is inside lake'],
    ['src/staging/merge.ts', "import type { Stream } from '../stream/stream.ts';", 'staging may import only'],
    ['src/base/clock.ts', "export { x } from '../event/event.ts';", 'base may import no module'],
    ['src/staging/merge.ts', "const x = await import('../stream/stream.ts');", 'staging may import only'],
    ['src/lake/commit/commit.ts', "import { readFile } from 'node:fs/promises';", 'go through object-store'],
    ['src/lake/open.ts', "import fs from 'node:fs';", 'go through object-store'],
    ['src/staging/merge.ts', "import { fake } from '../../tests/support/clock.ts';", 'nothing outside src'],
    ['src/staging/merge.test.ts', "import { x } from '../lake/open.ts';", 'it is inside lake'],
    ['src/staging/merge.test.ts', "import { x } from '../../bench/run.ts';", 'a unit test imports'],
    ['tests/scenarios/kill.test.ts', "import { x } from '../../src/lake/open.ts';", 'it is inside lake'],
    [
      'tests/support/clock.ts',
      "import {\n  a,\n  b,\n} from '../../src/base/backoff.ts';",
      'it is inside base',
    ],
    ['src/lake/open.ts', "import '../base/queue.ts';", 'it is inside base'],
    ['src/lake/open.ts', "import { x } from '../stuff/stuff.ts';", 'stuff is no module of the table'],
  ])('refuse %s: %s', (path, text, problem) => {
    expect(violations(path, text)).toEqual([expect.stringContaining(problem)]);
  });

  test.each([
    ['src/staging/merge.ts', "import { x } from '../lake/lake.ts';\nimport { y } from './plan.ts';"],
    ['src/lake/commit/commit.ts', "import { x } from '../table/schema.ts';"],
    [
      'src/staging/merge.test.ts',
      "import { x } from '../stream/stream.ts';\nimport { y } from '../../tests/support/y.ts';",
    ],
    ['src/cli/compose.ts', "import { x } from '../staging/staging.ts';"],
    ['tests/support/clock.ts', "import { x } from '../../src/base/base.ts';"],
    ['src/object-store/disk.ts', "import { open } from 'node:fs/promises';"],
    [
      'src/lake/open.ts',
      "// import { x } from '../stream/put.ts';\n/**\n * import { x } from '../stream/put.ts';\n */",
    ],
  ])('allow %s: %s', (path, text) => {
    expect(violations(path, text)).toEqual([]);
  });

  test('name the file, the line and what to import instead', () => {
    expect(violations('src/staging/merge.ts', "\nimport { x } from '../lake/open.ts';")).toEqual([
      'src/staging/merge.ts:2 imports src/lake/open.ts: it is inside lake; import src/lake/lake.ts, and add to that interface what is missing',
    ]);
  });
});

/** What running a file loads at once, through all files of ours. */
function loadedBy(entry: string): string[] {
  const seen = new Set<string>();
  const outside: string[] = [];
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const file = sources.find((each) => each.path === path);
    for (const { target, relative } of (file ? importsOf(file) : []).filter(loadsCode)) {
      if (relative) visit(target);
      else outside.push(target);
    }
  };
  visit(entry);
  return outside;
}

/** The reference page quotes a config file that imports `lakeward`: text, not an import. */
function loadsCode({ loadsAtOnce, target }: ImportStatement): boolean {
  return loadsAtOnce && target !== 'lakeward';
}
