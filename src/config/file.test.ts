import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { type Config, defineConfig, loadConfigFile } from './file.ts';
import type { Settings } from './options.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeward-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, content: string) => writeFile(join(folder, name), content);
const load = (file?: string) => loadConfigFile({ cwd: folder, file });

/** Node itself, without the test runner's own module loader in between. */
async function loadInNode(): Promise<{ values: unknown; stderr: string }> {
  const entry = fileURLToPath(new URL('./config.ts', import.meta.url));
  const script = `const { loadConfigFile } = await import(${JSON.stringify(entry)});
    console.log(JSON.stringify((await loadConfigFile({ cwd: ${JSON.stringify(folder)} })).values));`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    script,
  ]);
  return { values: JSON.parse(stdout), stderr };
}

describe('a config file', () => {
  test('may be absent', async () => {
    expect(await load()).toBeUndefined();
  });

  test('in TypeScript imports defineConfig from anywhere, also with nothing installed and no package.json', async () => {
    await write(
      'lakeward.config.ts',
      `import { defineConfig } from 'lakeward';
       const age: string = '10m';
       export default defineConfig({ dir: './x', commit: { maxAge: age as '10m' } });`,
    );
    expect(await loadInNode()).toEqual({ values: { dir: './x', 'commit.maxAge': '10m' }, stderr: '' });
  });

  test.each(['{}', '{"type":"commonjs"}'])(
    'in JavaScript is a module beside a package.json %s',
    async (manifest) => {
      await write('package.json', manifest);
      await write('lakeward.config.mjs', 'export default { commit: { maxRows: 5 } };');
      expect(await loadInNode()).toEqual({ values: { 'commit.maxRows': 5 }, stderr: '' });
    },
  );

  test('in JSON says the same', async () => {
    await write('lakeward.config.json', '{ "stream": { "port": 0 }, "dir": "lake" }');
    expect(await load()).toEqual({
      name: 'lakeward.config.json',
      folder,
      values: { 'stream.port': 0, dir: 'lake' },
    });
  });

  test('that is named is used instead of the one in the folder', async () => {
    await write('lakeward.config.json', '{ "dir": "a" }');
    await write('other.json', '{ "dir": "b" }');
    expect((await load('other.json'))?.values).toEqual({ dir: 'b' });
    await expect(load('missing.json')).rejects.toMatchObject({ code: 'config.no_file', fault: 'user' });
  });
});

describe('a mistake in a config file', () => {
  test.each([
    ['{ "commit": { "maxage": "10m" } }', 'config.unknown_option', 'did you mean commit: { maxAge: … }?'],
    ['{ "comit": { "maxAge": "10m" } }', 'config.unknown_option', 'did you mean commit: { maxAge: … }?'],
    ['{ "commit.maxAge": "10m" }', 'config.unknown_option', 'did you mean commit: { maxAge: … }?'],
    ['{ "colour": "red" }', 'config.unknown_option', 'the reference lists all options'],
    ['[]', 'config.no_export', 'write { "commit": { "maxAge": "10m" } }'],
    ['{ "commit": ', 'config.unreadable_file', 'mend the file; it is run as it is, by Node, without a build'],
  ])('%s is the user’s to mend: %s', async (content, code, hint) => {
    await write('lakeward.config.json', content);
    await expect(load()).rejects.toMatchObject({ code, hint, fault: 'user' });
  });
});

test('the type of a config file is that of the table', () => {
  const config = defineConfig({
    dir: './lake',
    commit: { maxAge: '10m', maxBytes: 1_000_000 },
    log: { level: 'debug' },
    stream: { start: '2026-01-01' },
  });
  expectTypeOf(config).toEqualTypeOf<Config>();
  // @ts-expect-error: no unit
  defineConfig({ commit: { maxAge: '10' } });
  // @ts-expect-error: no such option
  defineConfig({ commit: { maxYears: 10 } });
  // @ts-expect-error: no such level
  defineConfig({ log: { level: 'loud' } });
  expectTypeOf<Settings['commit.maxAge']>().toEqualTypeOf<number>();
  expectTypeOf<Settings['stream.endpoint']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Settings['stream.start']>().toEqualTypeOf<number | 'trim_horizon' | 'now'>();
  expectTypeOf<Settings['log.level']>().toEqualTypeOf<'debug' | 'info' | 'warn' | 'error'>();
});
