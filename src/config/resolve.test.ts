import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../base/base.ts';
import type { ConfigFile } from './file.ts';
import {
  COMMAND_NAMES,
  environmentOf,
  OPTION_NAMES,
  type OptionName,
  optionRow,
  optionsOf,
} from './options.ts';
import { resolveSettings, type Sources } from './resolve.ts';

const bare: Sources = { command: 'run', env: {}, cwd: '/work-folder' };
const file = (values: ConfigFile['values']): ConfigFile => ({
  name: 'lakeward.config.ts',
  folder: '/config-folder',
  values,
});

describe('settings', () => {
  test('come from the flag, else the environment, else the file, else the default, whatever else is said', () => {
    const source = fc.constantFrom('flag', 'environment', 'file');
    fc.assert(
      fc.property(
        fc.constantFrom(...OPTION_NAMES),
        fc.constantFrom(...COMMAND_NAMES),
        fc.uniqueArray(source, { maxLength: 3 }),
        (name, command, said) => {
          const example = optionRow(name).example;
          const has = (each: string) => said.includes(each as (typeof said)[number]);
          const { origins } = resolveSettings({
            ...bare,
            command,
            ...(has('flag') ? { flags: { [name]: example } } : {}),
            ...(has('environment') ? { env: { [environmentOf(name)]: example } } : {}),
            ...(has('file') ? { file: file({ [name]: example }) } : {}),
          });
          const first = (['flag', 'environment', 'file'] as const).find(has) ?? 'default';
          expect(origins[name].from).toBe(first);
          const others = OPTION_NAMES.filter((each) => each !== name).map((each) => origins[each].from);
          expect(new Set(others)).toEqual(new Set(['default']));
        },
      ),
    );
  });

  test('have the value of the source that won', () => {
    const flags = { 'commit.maxRows': '1k' };
    const env = { LAKEWARD_COMMIT_MAX_ROWS: '2k' };
    const written = file({ 'commit.maxRows': 3000 });
    const rows = (sources: Partial<Sources>) =>
      resolveSettings({ ...bare, ...sources }).settings['commit.maxRows'];
    expect(rows({ flags, env, file: written })).toBe(1000);
    expect(rows({ env, file: written })).toBe(2000);
    expect(rows({ file: written })).toBe(3000);
    expect(rows({})).toBe(250_000);
  });

  test('commit every second in dev and every minute in run, unless told otherwise', () => {
    expect(resolveSettings({ ...bare, command: 'dev' }).settings['commit.maxAge']).toBe(1000);
    expect(resolveSettings({ ...bare, command: 'run' }).settings['commit.maxAge']).toBe(60_000);
    const told = { ...bare, command: 'dev', env: { LAKEWARD_COMMIT_MAX_AGE: '10m' } } as const;
    expect(resolveSettings(told).settings['commit.maxAge']).toBe(600_000);
  });

  test('take the region from AWS_REGION when our own variable is not set', () => {
    const region = (env: Sources['env']) => resolveSettings({ ...bare, env }).settings['stream.region'];
    expect(region({ AWS_REGION: 'eu-west-1' })).toBe('eu-west-1');
    expect(region({ AWS_REGION: 'eu-west-1', LAKEWARD_STREAM_REGION: 'eu-west-2' })).toBe('eu-west-2');
  });

  test('treat an empty environment variable as unset', () => {
    const { settings, origins } = resolveSettings({ ...bare, env: { LAKEWARD_STREAM_NAME: '' } });
    expect(settings['stream.name']).toBe('events');
    expect(origins['stream.name'].from).toBe('default');
  });

  test('read relative paths from where they were written', () => {
    expect(resolveSettings(bare).settings.dir).toBe('/work-folder/.lakeward');
    expect(resolveSettings({ ...bare, flags: { dir: 'x' } }).settings.dir).toBe('/work-folder/x');
    expect(resolveSettings({ ...bare, file: file({ dir: 'x' }) }).settings.dir).toBe('/config-folder/x');
  });
});

describe('a bad value', () => {
  const failure = (sources: Partial<Sources>): Failure => {
    try {
      resolveSettings({ ...bare, ...sources });
    } catch (error) {
      if (error instanceof Failure) return error;
    }
    throw new Error('it was accepted');
  };

  test('is the user’s to mend, and names the option, where it was set and how to write it', () => {
    const { message, code, fault, why, hint, docs } = failure({ env: { LAKEWARD_COMMIT_MAX_AGE: 'soon' } });
    expect({ message, code, fault, why, hint, docs }).toEqual({
      message: 'commit.maxAge from LAKEWARD_COMMIT_MAX_AGE: “soon” is not a duration',
      code: 'config.bad_value',
      fault: 'user',
      why: 'A duration is a number with a unit: ms, s, m, h or d.',
      hint: 'write it like this: LAKEWARD_COMMIT_MAX_AGE=10m',
      docs: 'docs/reference/configuration.md#commitmaxage',
    });
  });

  test('is shown as its source spells it', () => {
    expect(failure({ flags: { 'stream.port': '99999' } }).hint).toBe(
      'write it like this: --stream-port 4600',
    );
    expect(failure({ file: file({ 'stream.start': 'latest' }) }).hint).toBe(
      "write it like this: stream.start: '2026-01-31T00:00:00Z'",
    );
  });
});

test('a variable that looks like a misspelt option is warned about, a foreign one is not', () => {
  const env = {
    LAKEWARD_COMIT_MAXAGE: '10m',
    LAKEWARD_CONFIG: 'x.ts',
    LAKEWARD_SOMETHING_ELSE_ENTIRELY: '1',
    HOME: '/x',
  };
  expect(resolveSettings({ ...bare, env }).warnings).toEqual([
    'LAKEWARD_COMIT_MAXAGE is not read by anything; LAKEWARD_COMMIT_MAX_AGE is',
  ]);
});

describe('the table of options', () => {
  test.each(OPTION_NAMES)('%s has a default and an example that it accepts itself', (name: OptionName) => {
    const { kind, default: standard, example, commands, description } = optionRow(name);
    for (const command of commands) {
      const input = standard(command);
      if (input !== undefined) expect(kind.read(input, { folder: '/' })).toHaveProperty('value');
    }
    expect(kind.read(example, { folder: '/' })).toHaveProperty('value');
    expect(description).toMatch(/\.$/);
  });

  test('gives every command of a lake the folder, all of them the log, and every name a variable of its own', () => {
    for (const command of COMMAND_NAMES) {
      const isOfLake = !['init', 'transform check', 'forecast'].includes(command);
      const wanted = [...(isOfLake ? ['dir'] : []), 'log.level', 'log.format'];
      expect(optionsOf(command)).toEqual(expect.arrayContaining(wanted));
      expect(optionsOf(command).includes('dir')).toBe(isOfLake);
    }
    expect(new Set(OPTION_NAMES.map(environmentOf)).size).toBe(OPTION_NAMES.length);
    expect(environmentOf('commit.maxAge')).toBe('LAKEWARD_COMMIT_MAX_AGE');
  });
});
