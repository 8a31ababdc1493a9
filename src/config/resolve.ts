/**
 * From what was said on the command line, in the environment and in the config file to settings. The first that
 * speaks wins: flag, environment, file, default. Defaults live in the table only: a default inside the argument
 * parser would look like a flag and beat the environment (cloudflare/workers-sdk#7525).
 */
import { Failure } from '../base/base.ts';
import type { ConfigFile } from './file.ts';
import { nearest } from './nearest.ts';
import {
  type CommandName,
  environmentOf,
  flagOf,
  OPTION_NAMES,
  type OptionName,
  optionRow,
  optionsOf,
  type Settings,
} from './options.ts';

export interface Origin {
  from: 'flag' | 'environment' | 'file' | 'default';
  /** For people: `--commit-max-age`, `LAKEWARD_COMMIT_MAX_AGE`, `lakeward.config.ts`, `the default`. */
  where: string;
}

export type Origins = Readonly<Record<OptionName, Origin>>;

export interface Resolved {
  settings: Settings;
  origins: Origins;
  /** Environment variables that look like a misspelt option. */
  warnings: string[];
}

export interface Sources {
  command: CommandName;
  /** By option name, as text from the command line. */
  flags?: Partial<Record<OptionName, string | boolean>>;
  env: Readonly<Record<string, string | undefined>>;
  file?: ConfigFile;
  /** The working folder: relative paths in flags, environment and defaults count from it. */
  cwd: string;
}

interface Said {
  input: unknown;
  origin: Origin;
  folder: string;
}

export function resolveSettings(sources: Sources): Resolved {
  const settings: Record<string, unknown> = {};
  const origins: Partial<Record<OptionName, Origin>> = {};
  for (const name of OPTION_NAMES) {
    const said = whatWasSaid(name, sources);
    settings[name] = said.input === undefined ? undefined : read(name, said);
    origins[name] = said.origin;
  }
  return {
    settings: settings as unknown as Settings,
    origins: origins as Origins,
    warnings: misspelt(sources.env),
  };
}

function whatWasSaid(name: OptionName, { command, flags, env, file, cwd }: Sources): Said {
  const flag = flags?.[name];
  if (flag !== undefined) return { input: flag, origin: { from: 'flag', where: flagOf(name) }, folder: cwd };
  const variables = [environmentOf(name), ...(optionRow(name).alsoEnvironment ?? [])];
  // Docker Compose and CI set variables that nobody filled in to '': unset, not a value.
  const variable = variables.find((each) => (env[each] ?? '') !== '');
  if (variable !== undefined)
    return { input: env[variable], origin: { from: 'environment', where: variable }, folder: cwd };
  const written = file?.values[name];
  if (file && written !== undefined)
    return { input: written, origin: { from: 'file', where: file.name }, folder: file.folder };
  return {
    input: optionRow(name).default(command),
    origin: { from: 'default', where: 'the default' },
    folder: cwd,
  };
}

function read(name: OptionName, { input, origin, folder }: Said): unknown {
  const { kind, example } = optionRow(name);
  const reading = kind.read(input, { folder });
  if ('value' in reading) return reading.value;
  throw new Failure(`${name} from ${origin.where}: ${reading.wrong}`, {
    code: 'config.bad_value',
    fault: 'user',
    why: kind.expects,
    hint: `write it like this: ${spelling(name, { origin, example })}`,
    docs: `docs/reference/configuration.md#${anchorOf(name)}`,
  });
}

function spelling(name: OptionName, { origin, example }: { origin: Origin; example: string }): string {
  if (origin.from === 'flag') return `${origin.where} ${example}`;
  if (origin.from === 'environment') return `${origin.where}=${example}`;
  return `${name}: ${/^\d+$/.test(example) ? example : `'${example}'`}`;
}

/** The anchor that Markdown renderers give the heading of the option. */
export function anchorOf(name: OptionName): string {
  return name.replaceAll('.', '').toLowerCase();
}

function misspelt(env: Sources['env']): string[] {
  const known = [...OPTION_NAMES.map(environmentOf), 'LAKEWARD_CONFIG'];
  return Object.keys(env)
    .filter((variable) => variable.startsWith('LAKEWARD_') && !known.includes(variable))
    .flatMap((variable) => {
      const meant = nearest(
        variable.slice('LAKEWARD_'.length),
        known.map((each) => each.slice('LAKEWARD_'.length)),
      );
      return meant === undefined ? [] : [`${variable} is not read by anything; LAKEWARD_${meant} is`];
    });
}

/** The options that a command takes as flags, with all their spellings. */
export function flagsOf(command: CommandName): { name: OptionName; flags: string[] }[] {
  return optionsOf(command).map((name) => {
    const { shortcut } = optionRow(name);
    return { name, flags: shortcut === undefined ? [flagOf(name)] : [shortcut, flagOf(name)] };
  });
}
