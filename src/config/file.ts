/**
 * The config file: found in the working folder or named with --config, imported as it is (Node strips the types), and
 * checked against the table, so that a misspelt key is an error and not a setting that silently does nothing.
 */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { Failure, importProblem, importUserModule } from '../base/base.ts';
import { nearest } from './nearest.ts';
import type { Option } from './option.ts';
import { OPTION_NAMES, type OPTIONS, type OptionName } from './options.ts';

export const CONFIG_FILES = [
  'lakeward.config.ts',
  'lakeward.config.js',
  'lakeward.config.mjs',
  'lakeward.config.json',
];

type InputOf<Name extends OptionName> =
  (typeof OPTIONS)[Name] extends Option<infer _Value, infer Input> ? Input : never;
type Group = OptionName extends infer Name ? (Name extends `${infer Head}.${string}` ? Head : never) : never;

/** What `lakeward.config.ts` exports: every option of the table, nested at its dot. */
export type Config = {
  readonly [Name in OptionName as Name extends `${string}.${string}` ? never : Name]?: InputOf<Name>;
} & {
  readonly [Head in Group]?: {
    readonly [Name in OptionName as Name extends `${Head}.${infer Tail}` ? Tail : never]?: InputOf<Name>;
  };
};

/** Gives a config file its types: `export default defineConfig({ commit: { maxAge: '10m' } })`. */
export function defineConfig(config: Config): Config {
  return config;
}

export interface ConfigFile {
  /** The file's name, for messages. */
  name: string;
  /** Relative paths in it count from here. */
  folder: string;
  values: Partial<Record<OptionName, unknown>>;
}

/** Undefined when no file is named and the folder has none. */
export async function loadConfigFile(where: {
  cwd: string;
  file?: string | undefined;
}): Promise<ConfigFile | undefined> {
  const path = findConfigFile(where);
  if (path === undefined) return undefined;
  const content = extname(path) === '.json' ? await readJson(path) : await importModule(path);
  return { name: basename(path), folder: dirname(path), values: flatten(content, path) };
}

function findConfigFile({ cwd, file }: { cwd: string; file?: string | undefined }): string | undefined {
  if (file === undefined)
    return CONFIG_FILES.map((name) => resolve(cwd, name)).find((path) => existsSync(path));
  const path = resolve(cwd, file);
  if (existsSync(path)) return path;
  throw problem(`there is no config file ${path}`, {
    code: 'config.no_file',
    why: 'it was named with --config or LAKEWARD_CONFIG',
    hint: `name an existing file, or leave it out: ${CONFIG_FILES.join(', ')} are found by themselves`,
  });
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function importModule(path: string): Promise<unknown> {
  try {
    return (await importUserModule(path))['default'];
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): Failure {
  const typesOnly = (cause as { code?: unknown } | null)?.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';
  return problem(`${path} cannot be read`, {
    code: 'config.unreadable_file',
    why: importProblem(cause),
    hint: typesOnly
      ? 'Node only strips types: no enum, namespace or parameter property in a config file'
      : 'mend the file; it is run as it is, by Node, without a build',
    cause,
  });
}

function flatten(content: unknown, path: string): ConfigFile['values'] {
  if (!isGroup(content)) {
    throw problem(`${path} does not export a configuration`, {
      code: 'config.no_export',
      why: `${extname(path) === '.json' ? 'the top of the file' : 'its default export'} is not an object`,
      hint:
        extname(path) === '.json'
          ? 'write { "commit": { "maxAge": "10m" } }'
          : "write export default { commit: { maxAge: '10m' } }",
    });
  }
  const values: ConfigFile['values'] = {};
  for (const [key, value] of Object.entries(content)) {
    const leaves: [string, unknown][] = isGroup(value)
      ? Object.entries(value).map(([inner, each]) => [`${key}.${inner}`, each])
      : [[key, value]];
    for (const [name, leaf] of leaves) values[known(name, { path, dotted: key.includes('.') })] = leaf;
  }
  return values;
}

function known(name: string, { path, dotted }: { path: string; dotted: boolean }): OptionName {
  const option = OPTION_NAMES.find((each) => each === name);
  if (option !== undefined && !dotted) return option;
  const meant = option ?? nearest(name, OPTION_NAMES);
  throw problem(`${name} in ${basename(path)} is not an option`, {
    code: 'config.unknown_option',
    why: dotted
      ? 'options are nested at the dot'
      : 'a key that nothing reads would be a setting that does nothing',
    hint: meant === undefined ? 'the reference lists all options' : `did you mean ${nested(meant)}?`,
  });
}

function nested(name: string): string {
  const [group, key] = name.split('.');
  return key === undefined ? name : `${group}: { ${key}: … }`;
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problem(
  message: string,
  details: { code: string; why: string; hint: string; cause?: unknown },
): Failure {
  return new Failure(message, { fault: 'user', docs: 'docs/reference/configuration.md', ...details });
}
