/** How arguments and flags of a command are spelt: shared by the parser, the help text and the reference page. */
import {
  type CommandName,
  defaultText,
  environmentOf,
  flagOf,
  flagsOf,
  type OptionName,
  optionRow,
} from '../config/config.ts';
import type { Argument, Command, OwnFlag } from './command.ts';

export interface FlagUsage {
  /** All spellings, the short one first: `-f`, `--file`. */
  spellings: readonly string[];
  placeholder: string;
  description: string;
  default?: string | undefined;
  environment?: string | undefined;
  group: 'command' | 'option' | 'general';
  /** What the value is for: one of the command's own flags, an option of the table, or the frame itself. */
  key: string;
}

export const GENERAL_FLAGS = {
  config: {
    spellings: ['--config'],
    placeholder: 'FILE',
    description: 'The config file to read.',
    environment: 'LAKEWARD_CONFIG',
  },
  json: {
    spellings: ['--json'],
    placeholder: '',
    description: 'Answer with one JSON object on stdout: {ok, data} or {ok, error}.',
  },
  help: { spellings: ['-h', '--help'], placeholder: '', description: 'Show this help.' },
} as const satisfies Record<string, Omit<FlagUsage, 'group' | 'key'>>;

export function flagUsages(command: Command): FlagUsage[] {
  return [
    ...Object.entries(command.flags).map(([key, flag]) => ownUsage(key, flag)),
    ...flagsOf(command.name).map(({ name, flags }) => optionUsage(command.name, { name, flags })),
    { ...GENERAL_FLAGS.config, group: 'general', key: 'config' },
    ...(command.json ? [{ ...GENERAL_FLAGS.json, group: 'general', key: 'json' } as const] : []),
    { ...GENERAL_FLAGS.help, group: 'general', key: 'help' },
  ];
}

function ownUsage(key: string, flag: OwnFlag<unknown>): FlagUsage {
  return {
    spellings: [...(flag.short === undefined ? [] : [flag.short]), flagOf(key)],
    placeholder: flag.placeholder ?? flag.kind.placeholder,
    description: flag.description,
    default: flag.default === undefined || flag.default === false ? undefined : written(flag),
    group: 'command',
    key,
  };
}

function written({ kind, default: standard }: OwnFlag<unknown>): string {
  return kind.write?.(standard as NonNullable<unknown>) ?? String(standard);
}

function optionUsage(
  command: CommandName,
  { name, flags }: { name: OptionName; flags: string[] },
): FlagUsage {
  const row = optionRow(name);
  const standard = defaultText(name, command);
  return {
    spellings: flags,
    placeholder: row.kind.placeholder,
    description: row.description,
    default: standard === 'unset' ? undefined : standard,
    environment: environmentOf(name),
    group: 'option',
    key: name,
  };
}

/** `lakeward run [ROLE…] [options]` */
export function usageLine(command: Command): string {
  return ['lakeward', command.name, ...(command.arguments ?? []).map(argumentText), '[options]'].join(' ');
}

export function argumentText({ name, required = false, repeated = false }: Argument): string {
  const text = `${name}${repeated ? '…' : ''}`;
  return required ? text : `[${text}]`;
}
