/**
 * The shape of a command. It is data: the parser, `--help` and docs/reference/cli.md are made
 * from it and from the table of options, so they cannot drift apart.
 */
import type { Readable } from 'node:stream';
import type { Clock, Log } from '../base/base.ts';
import type { CommandName, Kind, Origins, Settings } from '../config/config.ts';
import type { ExitCode } from './exit.ts';
import type { Output } from './output.ts';

/** A flag of one command that is no option of the table: it makes no sense in a config file. */
export interface OwnFlag<Value> {
  kind: Kind<NonNullable<Value>, unknown>;
  description: string;
  short?: string;
  /** Replaces the kind's in usage lines. */
  placeholder?: string;
  /** Applied after parsing, never inside the parser. */
  default?: Value;
}

export type OwnFlags = Readonly<Record<string, OwnFlag<unknown>>>;
export type FlagValues<Flags> = {
  readonly [Key in keyof Flags]: Flags[Key] extends OwnFlag<infer Value> ? Value : never;
};

type FlagRow = Omit<OwnFlag<unknown>, 'kind' | 'default'>;

export function ownFlag<Value, Input>(
  kind: Kind<Value, Input>,
  standard: Value,
  row: FlagRow,
): OwnFlag<Value> {
  return { kind: kind as Kind<NonNullable<Value>, unknown>, default: standard, ...row };
}

export function ownFlagUnset<Value, Input>(
  kind: Kind<Value, Input>,
  row: FlagRow,
): OwnFlag<Value | undefined> {
  return { kind: kind as Kind<NonNullable<Value>, unknown>, ...row };
}

export interface Argument {
  /** In capitals, as it is shown. */
  name: string;
  description: string;
  required?: boolean;
  repeated?: boolean;
  choices?: readonly string[];
}

export interface CommandContext<Flags = OwnFlags> {
  readonly settings: Settings;
  /** Where each setting comes from, for messages that name the place to change it. */
  readonly origins: Origins;
  readonly args: readonly string[];
  readonly flags: FlagValues<Flags>;
  readonly out: Output;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted by the first Ctrl-C or SIGTERM, and when nobody reads stdout any more: finish and return. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable;
}

// biome-ignore lint/suspicious/noConfusingVoidType: an action that just ends means exit 0
export type Ending = ExitCode | void;

export type Action<Flags> = (context: CommandContext<Flags>) => Promise<Ending>;

export interface CommandText<Flags extends OwnFlags> {
  name: CommandName;
  /** One line, for the list of commands. */
  summary: string;
  /** What it does, for somebody who sees it for the first time. Plain text, a paragraph an item. */
  about: readonly string[];
  arguments?: readonly Argument[];
  flags: Flags;
  /** Whether it takes --json. */
  json: boolean;
  examples: readonly { line: string; does: string }[];
  /** Beside 0, 1, 2 and 70, which every command can end with. */
  exits?: readonly ExitCode[];
  readOn: readonly string[];
}

export interface Command extends CommandText<OwnFlags> {
  run(context: CommandContext): Promise<Ending>;
}

export function defineCommand<const Flags extends OwnFlags>(
  text: CommandText<Flags>,
  action: Action<Flags>,
): Command {
  return { ...text, run: (context) => action(context as unknown as CommandContext<Flags>) };
}
