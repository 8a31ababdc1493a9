import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES } from '../../src/config/config.ts';
import { commandsIn, headingAnchors, linksIn, makeTargetsIn, pathsIn } from './markdown.ts';
import { type ProjectFile, projectFiles, ROOT, rootFiles } from './project-files.ts';

const pages = [...rootFiles(), ...projectFiles('docs', 'examples', 'infra', 'bench')].filter(({ path }) =>
  path.endsWith('.md'),
);

describe('the documents', () => {
  test('link to what exists', () => {
    expect(pages.flatMap(brokenLinks)).toEqual([]);
  });

  test('name paths that exist', () => {
    const missing = pages.flatMap(({ path, text }) =>
      pathsIn(text)
        .filter(({ value }) => !existsSync(`${ROOT}${value}`))
        .map(({ value, line }) => `${path}:${line} names ${value}, which does not exist`),
    );
    expect(missing).toEqual([]);
  });

  test('name make targets that exist', () => {
    const targets = makeTargets();
    const missing = pages.flatMap(({ path, text }) =>
      makeTargetsIn(text)
        .filter(({ value }) => !targets.includes(value))
        .map(({ value, line }) => `${path}:${line} says make ${value}, but the Makefile has no such target`),
    );
    expect(missing).toEqual([]);
  });

  test('name commands that exist', () => {
    const known = (words: string) =>
      words === 'help' || COMMAND_NAMES.some((name) => `${words} `.startsWith(`${name} `));
    const missing = pages.flatMap(({ path, text }) =>
      commandsIn(text)
        .filter(({ value }) => !known(value))
        .map(({ value, line }) => `${path}:${line} says lakeward ${value}, which is no command`),
    );
    expect(missing).toEqual([]);
  });
});

function brokenLinks({ path, text }: ProjectFile): string[] {
  return linksIn(text).flatMap(({ value, line }) => {
    const [file = '', anchor] = value.split('#');
    const target = file === '' ? path : posix.join(posix.dirname(path), file);
    if (!existsSync(`${ROOT}${target}`)) return [`${path}:${line} links to ${target}, which does not exist`];
    if (anchor === undefined || !target.endsWith('.md')) return [];
    const anchors = headingAnchors(readFileSync(`${ROOT}${target}`, 'utf8'));
    return anchors.includes(anchor)
      ? []
      : [`${path}:${line} links to ${target}#${anchor}, which has no such heading`];
  });
}

function makeTargets(): string[] {
  if (!existsSync(`${ROOT}Makefile`)) return [];
  const lines = readFileSync(`${ROOT}Makefile`, 'utf8').matchAll(/^([a-z][\w -]*):(?!=)/gm);
  return [...lines].flatMap((match) => match[1]!.trim().split(/\s+/));
}

describe('reading a document', () => {
  const page = [
    'See [the map](docs/MAP.md#the-way) and `src/lake/{lake,open}.ts`, not [this](https://example.org/x) or `src/*/x.ts`.',
    'Run `make test-module MODULE=staging` and `lakeward quarantine list --limit 3`; make do without lakeward magic.',
    '```sh',
    'make setup demo # make nothing',
    '$ ./bin/lakeward sql "select 1" | head && lakeward verify',
    '```',
    '## The way, it is: `x.y`!',
  ].join('\n');
  const values = (found: { value: string }[]) => found.map(({ value }) => value);

  test('finds relative links only', () => {
    expect(linksIn(page)).toEqual([{ value: 'docs/MAP.md#the-way', line: 1 }]);
  });

  test('finds paths in code, alternatives in braces expanded', () => {
    expect(values(pathsIn(page))).toEqual(['src/lake/lake.ts', 'src/lake/open.ts']);
  });

  test('finds targets of make in code, not in prose or comments', () => {
    expect(values(makeTargetsIn(page))).toEqual(['test-module', 'setup', 'demo']);
  });

  test('finds commands in code, also behind a pipe or another command', () => {
    expect(values(commandsIn(page))).toEqual(['quarantine list', 'sql', 'verify']);
  });

  test('knows the anchors of headings', () => {
    expect(headingAnchors(page)).toEqual(['the-way-it-is-xy']);
  });
});
