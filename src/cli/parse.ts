/**
 * The command line, by commander, built from the commands and the table of options. Values stay text and nothing has
 * a default here: `resolveSettings` and the flags' own kinds decide. Every mistake is a Failure `cli.usage`.
 */
import { Command as Commander, CommanderError, Option } from 'commander';
import { Failure } from '../base/base.ts';
import { nearest, type OptionName } from '../config/config.ts';
import type { Argument, Command } from './command.ts';
import { helpText, overviewText } from './help.ts';
import type { Paint } from './paint.ts';
import { type FlagUsage, flagUsages, usageLine } from './usage.ts';

export interface Invocation {
  kind: 'run';
  command: Command;
  args: string[];
  json: boolean;
  configFile: string | undefined;
  options: Partial<Record<OptionName, string | boolean>>;
  flags: Record<string, unknown>;
}

/** Text that was asked for, such as help: it is data, and goes to stdout. */
export interface Text {
  kind: 'text';
  text: string;
}

export interface ParseOptions {
  argv: readonly string[];
  commands: readonly Command[];
  version: string;
  cwd: string;
  /** Of help, and how wide it may be. */
  paint: Paint;
  width: number;
}

export function parseCommandLine(options: ParseOptions): Invocation | Text {
  if (options.argv.length === 0) return { kind: 'text', text: overviewText(options) };
  let shown = '';
  let invocation: Invocation | undefined;
  const program = buildProgram(options, {
    show: (text) => {
      shown += text;
    },
    invoke: (each) => {
      invocation = each;
    },
  });
  try {
    program.parse([...options.argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'text', text: shown };
    throw usageFailure(error, options);
  }
  if (invocation === undefined) throw new Error('the parser ended without a command');
  return invocation;
}

interface Receivers {
  show(text: string): void;
  invoke(invocation: Invocation): void;
}

function buildProgram(options: ParseOptions, receivers: Receivers): Commander {
  const program = framed(new Commander('lakeward'), {
    help: () => overviewText(options),
    show: receivers.show,
  });
  program.version(options.version, '-v, --version').helpCommand(false);
  program.addCommand(helpCommand(options, receivers));
  const parents = new Map<string, Commander>();
  for (const command of options.commands) {
    const [first, second] = command.name.split(' ') as [string, string?];
    if (second === undefined) {
      program.addCommand(buildCommand(first, command, { options, receivers }));
      continue;
    }
    const parent = parents.get(first) ?? buildParent(first, { options, receivers });
    if (!parents.has(first)) program.addCommand(parent);
    parents.set(first, parent);
    parent.addCommand(buildCommand(second, command, { options, receivers }));
  }
  return program;
}

interface Frame {
  options: ParseOptions;
  receivers: Receivers;
}

function buildParent(name: string, { options, receivers }: Frame): Commander {
  const inside = options.commands.filter((each) => each.name.startsWith(`${name} `));
  const help = () => overviewText({ ...options, commands: inside, of: name });
  const words = inside.map((each) => each.name.slice(name.length + 1));
  return framed(new Commander(name), { help, show: receivers.show })
    .helpCommand(false)
    .argument('[subcommand]')
    .allowExcessArguments(true)
    .action((given?: string) => {
      const meant = given === undefined ? undefined : nearest(given, words);
      throw usage(
        given === undefined ? `${name} needs a subcommand` : `there is no command ${name} ${given}`,
        {
          hint:
            meant === undefined
              ? `one of: ${inside.map((each) => `lakeward ${each.name}`).join(', ')}`
              : `did you mean lakeward ${name} ${meant}?`,
          command: name,
        },
      );
    });
}

function buildCommand(word: string, command: Command, { options, receivers }: Frame): Commander {
  const help = () => helpText(command, options);
  const built = framed(new Commander(word), { help, show: receivers.show }).helpOption('-h, --help');
  for (const { name, required = false, repeated = false } of command.arguments ?? []) {
    const inner = `${name.toLowerCase()}${repeated ? '...' : ''}`;
    built.argument(required ? `<${inner}>` : `[${inner}]`);
  }
  const usages = flagUsages(command).filter(({ key }) => key !== 'help');
  for (const each of usages) built.addOption(commanderOption(each));
  built.action((...received: unknown[]) => {
    const given = built.opts<Record<string, string | boolean>>();
    const args = received
      .slice(0, -2)
      .flat()
      .filter((each): each is string => typeof each === 'string');
    receivers.invoke(invocationOf(command, { args, usages, given, cwd: options.cwd }));
  });
  return built;
}

/** `lakeward help [COMMAND…]`, the other way to ask. */
function helpCommand(options: ParseOptions, receivers: Receivers): Commander {
  const help = () => overviewText(options);
  return framed(new Commander('help'), { help, show: receivers.show })
    .argument('[command...]')
    .action((words: string[]) => {
      const name = words.join(' ');
      const command = options.commands.find((each) => each.name === name);
      const inside = options.commands.filter((each) => each.name.startsWith(`${name} `));
      if (command) receivers.show(helpText(command, options));
      else if (name === '') receivers.show(overviewText(options));
      else if (inside.length > 0) receivers.show(overviewText({ ...options, commands: inside, of: name }));
      else throw unknownCommand(name, options.commands);
      throw new CommanderError(0, 'lakeward.help', 'help was shown');
    });
}

function framed(
  commander: Commander,
  { help, show }: { help: () => string; show: (text: string) => void },
): Commander {
  return commander
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureHelp({ formatHelp: help })
    .configureOutput({ writeOut: show, writeErr: () => {}, outputError: () => {} });
}

function commanderOption({ spellings, placeholder, description }: FlagUsage): Option {
  return new Option(`${spellings.join(', ')}${placeholder === '' ? '' : ' <value>'}`, description);
}

interface Given {
  args: string[];
  usages: readonly FlagUsage[];
  given: Record<string, string | boolean>;
  cwd: string;
}

function invocationOf(command: Command, { args, usages, given, cwd }: Given): Invocation {
  const textOf = (flag: FlagUsage) => given[commanderOption(flag).attributeName()];
  const named = (group: FlagUsage['group']) => usages.filter((each) => each.group === group);
  const general = Object.fromEntries(named('general').map((flag) => [flag.key, textOf(flag)]));
  checkArguments(command, args);
  return {
    kind: 'run',
    command,
    args,
    json: general['json'] === true,
    configFile: general['config'] as string | undefined,
    options: Object.fromEntries(named('option').map((flag) => [flag.key, textOf(flag)])),
    flags: Object.fromEntries(
      named('command').map((flag) => [flag.key, ownValue(command, { flag, given: textOf(flag), cwd })]),
    ),
  };
}

function ownValue(
  command: Command,
  { flag, given, cwd }: { flag: FlagUsage; given: unknown; cwd: string },
): unknown {
  const own = command.flags[flag.key]!;
  if (given === undefined) return own.default;
  const reading = own.kind.read(given, { folder: cwd });
  if ('value' in reading) return reading.value;
  throw usage(`${flag.spellings.at(-1)}: ${reading.wrong}`, {
    hint: own.kind.expects,
    command: command.name,
  });
}

function checkArguments(command: Command, args: readonly string[]): void {
  const declared: readonly Argument[] = command.arguments ?? [];
  args.forEach((given, i) => {
    const { name, choices } = declared[Math.min(i, declared.length - 1)]!;
    // Most likely of a variable that is not set.
    if (given === '') throw usage(`${name} is empty`, { hint: usageLine(command), command: command.name });
    if (choices === undefined || choices.includes(given)) return;
    const meant = nearest(given, choices);
    throw usage(`“${given}” is no ${name}`, {
      hint:
        meant === undefined
          ? `one of: ${choices.join(', ')}`
          : `did you mean ${meant}? (${choices.join(', ')})`,
      command: command.name,
    });
  });
}

function usageFailure(error: CommanderError, { argv, commands }: ParseOptions): Failure {
  const [first = ''] = error.message.replace(/^error: /, '').split('\n');
  if (error.code === 'commander.unknownCommand')
    return unknownCommand(argv.find((word) => !word.startsWith('-')) ?? '', commands);
  const command = commands.find(({ name }) => name === argv.slice(0, name.split(' ').length).join(' '));
  const missing = /^missing required argument '(.*)'$/.exec(first)?.[1];
  if (missing !== undefined && command !== undefined)
    return usage(`${missing.toUpperCase()} is missing`, {
      hint: usageLine(command),
      command: command.name,
    });
  const hint = command === undefined ? undefined : hintFor(error, command);
  return usage(first.replaceAll("'", ''), {
    ...(hint === undefined ? {} : { hint }),
    ...(command === undefined ? {} : { command: command.name }),
  });
}

function hintFor({ code, message }: CommanderError, command: Command): string | undefined {
  if (code === 'commander.excessArguments')
    return `what has blanks in it needs quotes: lakeward ${command.name} "…"`;
  if (code !== 'commander.unknownOption') return undefined;
  const given = /'(.*)'/s.exec(message)?.[1] ?? '';
  if (/\s/.test(given))
    return `before an argument that begins with - goes --: lakeward ${command.name} -- "…"`;
  // What every other command knows, this one has in another way.
  if (given === '--json' && 'format' in command.flags) return 'did you mean --format json?';
  const spellings = flagUsages(command).flatMap((each) => each.spellings);
  const meant = nearest(given.split('=')[0]!, spellings);
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}

function unknownCommand(given: string, commands: readonly Command[]): Failure {
  const names = [...new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0]!]))];
  const meant = nearest(given, names);
  return usage(
    `there is no command ${given}`,
    meant === undefined ? {} : { hint: `did you mean lakeward ${meant}?` },
  );
}

function usage(message: string, { hint, command }: { hint?: string; command?: string }): Failure {
  const asking = command === undefined ? 'lakeward --help' : `lakeward ${command} --help`;
  return new Failure(message, {
    code: 'cli.usage',
    fault: 'user',
    why: 'the command line is not understood; nothing was done',
    hint: hint ?? `see ${asking}`,
    docs: asking,
  });
}
