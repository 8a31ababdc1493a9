import { homedir } from 'node:os';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ProjectFile, projectFiles, ROOT, rootFiles } from './project-files.ts';

const FILE_LINES_MAX = 400;
/** A test file is a list; its length is no second job. */
const TEST_LINES_MAX = 600;
const INTERFACE_LINES_MAX = 160;
const EMPTY_NAMES = /^(utils?|helpers?|common|types|misc|shared|manager)\.ts$/;

const sources = projectFiles('src').filter(({ path }) => path.endsWith('.ts'));
const everything = [
  ...projectFiles('src', 'tests', 'bench', 'bin', 'docs', 'infra', 'examples', '.ci', '.github'),
  ...rootFiles(),
];

const isTest = ({ path }: ProjectFile) => path.endsWith('.test.ts');

describe('files', () => {
  test(`of src have at most ${FILE_LINES_MAX} lines; a longer one does more than one job: split it`, () => {
    expect(
      longerThan(
        FILE_LINES_MAX,
        sources.filter((s) => !isTest(s)),
      ),
    ).toEqual([]);
    expect(longerThan(TEST_LINES_MAX, sources.filter(isTest))).toEqual([]);
  });

  test(`that are a module's interface have at most ${INTERFACE_LINES_MAX} lines; move code inside the module`, () => {
    const interfaces = sources.filter(({ path }) => /^src\/([^/]+)\/\1\.ts$/.test(path));
    expect(interfaces.length).toBeGreaterThan(0);
    expect(longerThan(INTERFACE_LINES_MAX, interfaces)).toEqual([]);
  });

  test('are named for their one job', () => {
    const code = everything.filter(({ path }) => path.endsWith('.ts'));
    expect(code.map(({ path }) => path).filter((path) => EMPTY_NAMES.test(basename(path)))).toEqual([]);
  });

  test('name no folder of one machine', () => {
    const homes = /(?:\/home|\/Users)\/[a-z][\w.-]*\/|\/root\/\w|[A-Z]:\\Users\\/;
    const ofThisMachine = [ROOT, `${homedir()}/`].filter((folder) => folder.split('/').length > 3);
    const naming = everything.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, i) => {
        const named = homes.test(line) || ofThisMachine.some((folder) => line.includes(folder));
        return named && path !== 'tests/structure/tidy.test.ts' ? [`${path}:${i + 1} ${line.trim()}`] : [];
      }),
    );
    expect(naming).toEqual([]);
  });
});

function longerThan(most: number, files: readonly ProjectFile[]): string[] {
  return files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > most)
    .map(({ path, lines }) => `${path} has ${lines} lines`);
}
