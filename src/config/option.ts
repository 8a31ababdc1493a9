/** One row of the table of options. */
import type { Kind } from './kinds.ts';
import type { CommandName } from './options.ts';

export interface Option<Value, Input> {
  kind: Kind<NonNullable<Value>, Input>;
  /** What holds when nobody says otherwise, as one would write it in the config file; undefined: unset. */
  default(command: CommandName): Input | undefined;
  /** Says the default in words where it depends on the machine. */
  defaultText?: string;
  description: string;
  example: string;
  /** The commands that take it as a flag. Every command reads it from the environment and the file. */
  commands: readonly CommandName[];
  /** A second, shorter flag. */
  shortcut?: string;
  /** Environment variables read after our own, such as those that the AWS tools share. */
  alsoEnvironment?: readonly string[];
  /** Phantom: carries whether an unset value is possible. */
  readonly value?: Value;
}

type Row<Value, Input> = Omit<Option<Value, Input>, 'kind' | 'default' | 'value'>;

export function option<Value, Input>(
  kind: Kind<Value, Input>,
  standard: Input | ((command: CommandName) => Input),
  row: Row<Value, Input>,
): Option<Value, Input> {
  const byCommand =
    typeof standard === 'function' ? (standard as (command: CommandName) => Input) : () => standard;
  return { kind: kind as Kind<NonNullable<Value>, Input>, default: byCommand, ...row };
}

export function unset<Value, Input>(
  kind: Kind<Value, Input>,
  row: Row<Value, Input>,
): Option<Value | undefined, Input> {
  return { kind: kind as Kind<NonNullable<Value>, Input>, default: () => undefined, ...row };
}
