/** Help that teaches: what the command does, how it is called, what may be said, examples, exit codes, where to go on. */
import type { Command } from './command.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from './exit.ts';
import { type Paint, plain } from './paint.ts';
import { type FlagUsage, flagUsages, usageLine } from './usage.ts';

/** Also that of the reference page. A terminal that is narrower has its own. */
const WIDTH = 100;
const LEAST_WIDTH = 40;

export interface Page {
  paint: Paint;
  width: number;
}

/** Undefined where nobody knows, as of a file. */
export const helpWidth = (columns: number | undefined): number =>
  Math.max(LEAST_WIDTH, Math.min(WIDTH, columns ?? WIDTH));

export function helpText(command: Command, page: Page = { paint: plain, width: WIDTH }): string {
  const { paint, width } = page;
  const name = `lakeward ${command.name}`;
  const usages = flagUsages(command);
  const of = (group: FlagUsage['group']) => usages.filter((each) => each.group === group);
  return sections(paint, [
    [
      undefined,
      [
        ...wrap(`${name}: ${command.summary}`, { width }).map((line) => line.replace(name, paint.bold)),
        '',
        ...command.about.flatMap((each) => [...wrap(each, { width }), '']).slice(0, -1),
      ],
    ],
    ['Usage', [`  ${usageLine(command)}`]],
    [
      'Arguments',
      entries(
        (command.arguments ?? []).map(({ name, description, choices }) => [
          name,
          choices === undefined ? description : `${description} One of: ${choices.join(', ')}.`,
        ]),
        page,
      ),
    ],
    ['Flags', entries(of('command').map(flagEntry), page)],
    ['Options (also from the environment and the config file)', entries(of('option').map(flagEntry), page)],
    ['General', entries(of('general').map(flagEntry), page)],
    ['Examples', command.examples.flatMap(({ line, does }) => [`  ${paint.dim(`# ${does}`)}`, `  ${line}`])],
    [
      'Exit codes',
      exitCodes(command).flatMap((code) =>
        hanging(`  ${String(code).padEnd(4)} `, EXIT_MEANINGS[code], width),
      ),
    ],
    ['Read on', command.readOn.map((each) => `  ${each}`)],
  ]);
}

export interface Overview extends Page {
  commands: readonly Command[];
  version: string;
  /** The word that these commands share: `quarantine`. */
  of?: string;
}

const GROUPS: readonly { title: string; names: readonly string[] }[] = [
  { title: 'Start', names: ['demo', 'dev', 'run', 'send'] },
  { title: 'Ask', names: ['sql', 'tables', 'find'] },
  { title: 'Check', names: ['status', 'health', 'verify', 'quarantine list'] },
  { title: 'Look after', names: ['maintain'] },
  {
    title: 'Use cases',
    names: [
      'init',
      'transform list',
      'transform show',
      'transform check',
      'transform run',
      'transform backfill',
      'types',
    ],
  },
  { title: 'Share', names: ['serve catalog'] },
  { title: 'Plan', names: ['forecast'] },
];

export function overviewText({ commands, version, paint, width, of }: Overview): string {
  const page = { paint, width };
  const listed = (names = commands.map(({ name }) => name) as readonly string[]) =>
    entries(
      names
        .flatMap((name) => commands.filter((command) => command.name === name))
        .map(({ name, summary }) => [name, summary]),
      page,
    );
  if (of !== undefined) {
    return sections(paint, [
      ['Usage', [`  lakeward ${of} COMMAND`]],
      ['Commands', listed()],
      ['More', [`  lakeward ${of} COMMAND --help`]],
    ]);
  }
  const grouped = GROUPS.flatMap(({ names }) => names);
  return sections(paint, [
    [
      undefined,
      [`${paint.bold('lakeward')} ${version}: a stream of JSON events in, an analytics-ready data lake out.`],
    ],
    ['Usage', ['  lakeward COMMAND [options]']],
    ...GROUPS.map(({ title, names }): Section => [title, listed(names)]),
    [
      'Others',
      entries(
        commands.filter(({ name }) => !grouped.includes(name)).map(({ name, summary }) => [name, summary]),
        page,
      ),
    ],
    [
      'General',
      entries(
        [
          ['-h, --help', 'Show this help; after a command, the command’s.'],
          ['-v, --version', 'Show the version.'],
        ],
        page,
      ),
    ],
    [
      'First steps',
      [
        `  ${paint.dim('# see it all work, on simulated events')}`,
        '  lakeward demo',
        `  ${paint.dim('# start a stream and a lake in this folder')}`,
        '  lakeward dev',
      ],
    ],
    ['Read on', ['  README.md', '  docs/reference/cli.md', '  docs/reference/configuration.md']],
  ]);
}

/** Those that every command can end with, and the command's own. */
export function exitCodes(command: Command): ExitCode[] {
  return [
    ...new Set<ExitCode>([
      EXIT.ok,
      EXIT.failed,
      EXIT.usage,
      ...(command.exits ?? []),
      EXIT.bug,
      EXIT.stopped,
    ]),
  ].sort((a, b) => a - b);
}

type Section = [title: string | undefined, lines: readonly string[]];

function sections(paint: Paint, all: readonly Section[]): string {
  return all
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `${title === undefined ? '' : `${paint.bold(title)}\n`}${lines.join('\n')}\n`)
    .join('\n');
}

function flagEntry({
  spellings,
  placeholder,
  description,
  default: standard,
  environment,
}: FlagUsage): [string, string] {
  const notes = [
    ...(standard === undefined ? [] : [`Default: ${standard}.`]),
    ...(environment === undefined ? [] : [`Environment: ${environment}`]),
  ];
  return [`${spellings.join(', ')} ${placeholder}`.trimEnd(), [description, ...notes].join(' ')];
}

/** Name and text side by side, or below each other when the name is long. */
function entries(all: readonly (readonly [string, string])[], { paint, width }: Page): string[] {
  if (all.length === 0) return [];
  const most = width < WIDTH ? Math.floor(width / 4) : 26;
  const indent = Math.min(most, Math.max(...all.map(([name]) => name.length)) + 4);
  return all.flatMap(([name, text]) => {
    const lines = wrap(text, { indent, width });
    const shown = `  ${paint.cyan(name)}`;
    if (name.length + 4 > indent) return [shown, ...lines];
    return [`${shown}${' '.repeat(indent - name.length - 2)}${lines[0]!.trimStart()}`, ...lines.slice(1)];
  });
}

/** Lines after the first stand below the text, not below what comes before it. */
function hanging(before: string, text: string, width: number): string[] {
  const [first = '', ...rest] = wrap(text, { indent: before.length, width });
  return [before + first.trimStart(), ...rest];
}

function wrap(text: string, { indent = 0, width }: { indent?: number; width: number }): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each);
}
