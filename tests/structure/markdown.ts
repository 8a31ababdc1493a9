/** What a document claims to exist: links, paths, make targets, commands. Prose is not read, only links and code. */
import { lineOf } from './project-files.ts';

export interface Found {
  value: string;
  line: number;
}

const FENCED = /^```[^\n]*\n[\s\S]*?^```/gm;
const FOLDERS = 'src|docs|tests|bench|bin|infra|examples';

/** Relative links, with their anchors. */
export function linksIn(text: string): Found[] {
  const links = blank(text, FENCED).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links]
    .map((match) => ({ value: match[1]!, line: lineOf(text, match.index) }))
    .filter(({ value }) => !/^[a-z][a-z+.-]*:/i.test(value));
}

/** Paths in inline code. A path with a wildcard or a placeholder is a pattern and not looked up. */
export function pathsIn(text: string): Found[] {
  const path = new RegExp(`^(?:${FOLDERS})/[^\\s*<>…$|]*$`);
  return inlineCode(text)
    .filter(({ value }) => path.test(value))
    .flatMap(({ value, line }) => expand(value.replace(/:\d+$/, '')).map((each) => ({ value: each, line })));
}

export function makeTargetsIn(text: string): Found[] {
  return shellCommands(text)
    .filter(({ value }) => /^make\s/.test(value))
    .flatMap(({ value, line }) =>
      value
        .split(/\s+/)
        .slice(1)
        .filter((word, i, words) => /^[a-z][\w-]*$/.test(word) && words[i - 1] !== '-C')
        .map((word) => ({ value: word, line })),
    );
}

/** The words after `lakeward`, two at most: `sql`, `quarantine list`. */
export function commandsIn(text: string): Found[] {
  return shellCommands(text).flatMap(({ value, line }) => {
    const match = /^(?:[\w./-]*\/)?lakeward ([a-z][a-z-]*(?: [a-z][a-z-]*(?![\w./-]))?)/.exec(value);
    return match ? [{ value: match[1]!, line }] : [];
  });
}

/** As GitHub makes them. */
export function headingAnchors(text: string): string[] {
  return [...blank(text, FENCED).matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

function inlineCode(text: string): Found[] {
  const spans = blank(text, FENCED).matchAll(/`([^`\n]+)`/g);
  return [...spans].map((match) => ({ value: match[1]!.trim(), line: lineOf(text, match.index) }));
}

/** Single commands: of fenced blocks line by line, of inline code as a whole, split where a shell would. */
function shellCommands(text: string): Found[] {
  const fenced = [...text.matchAll(FENCED)].flatMap((block) =>
    block[0]
      .split('\n')
      .slice(1, -1)
      .map((value, i) => ({ value, line: lineOf(text, block.index) + 1 + i })),
  );
  return [...inlineCode(text), ...fenced].flatMap(({ value, line }) =>
    value
      .replace(/(^|\s)#.*$/, '')
      .split(/\|\|?|&&|;|\$\(/)
      .map((each) => ({ value: each.trim().replace(/^\$ /, ''), line })),
  );
}

/** `a/{b,c}.ts` → `a/b.ts`, `a/c.ts` */
function expand(path: string): string[] {
  const braces = /^(.*)\{([^{}]*)\}(.*)$/.exec(path);
  if (!braces) return [path];
  const [, before, inside, after] = braces;
  return inside!.split(',').flatMap((each) => expand(`${before}${each}${after}`));
}

/** Replaces matches with spaces, so that offsets and lines stay. */
function blank(text: string, pattern: RegExp): string {
  return text.replace(pattern, (match) => match.replace(/[^\n]/g, ' '));
}
