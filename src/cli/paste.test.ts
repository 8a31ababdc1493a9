import { expect, test } from 'vitest';
import { type OptionName, type Origin, resolveSettings } from '../config/config.ts';
import { sameFlags, shellWord, shortPath } from './paste.ts';

const cwd = '/projects/lake';
const flagsOf = (flags: Partial<Record<OptionName, string>>, env = {}, others: OptionName[] = []) =>
  sameFlags({ ...resolveSettings({ command: 'send', flags, env, cwd }), cwd }, others);

test('a command to paste says again where the lake is, and nothing that it finds by itself', () => {
  expect(flagsOf({})).toBe('');
  expect(flagsOf({ dir: 'my lake' })).toBe(" --dir '/projects/lake/my lake'");
  expect(flagsOf({}, { LAKEWARD_DIR: '/data' })).toBe(' --dir /data');
  expect(flagsOf({ 'store.url': 's3://b/x', 'store.endpoint': 'http://127.0.0.1:9000' })).toBe(
    ' --store-url s3://b/x --store-endpoint http://127.0.0.1:9000',
  );
  expect(flagsOf({ 'stream.name': 'clicks' })).toBe('');
  expect(flagsOf({ 'stream.name': 'clicks' }, {}, ['stream.name'])).toBe(' --stream-name clicks');
});

test('a folder that only the config file of the project names is found again', () => {
  const file = { name: 'lakeward.config.ts', folder: cwd, values: { dir: './.lakeward' } };
  const resolved = resolveSettings({ command: 'dev', env: {}, cwd, file });
  expect(resolved.origins.dir).toMatchObject({ from: 'file' } satisfies Partial<Origin>);
  expect(sameFlags({ ...resolved, cwd })).toBe('');
});

test('what a shell would take apart is quoted', () => {
  expect(shellWord('/data/lake-1.2')).toBe('/data/lake-1.2');
  expect(shellWord("it's $HOME")).toBe("'it'\\''s $HOME'");
  expect(shellWord('')).toBe("''");
});

test('a path below the working folder is short', () => {
  expect(shortPath('/projects/lake/a/b', cwd)).toBe('a/b');
  expect(shortPath('/projects/other', cwd)).toBe('/projects/other');
  expect(shortPath(cwd, cwd)).toBe('.');
});
