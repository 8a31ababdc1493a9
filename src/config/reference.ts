/** docs/reference/configuration.md, from the table. */
import { writeCount } from './kinds.ts';
import { type CommandName, environmentOf, OPTION_NAMES, type OptionName, optionRow } from './options.ts';
import { flagsOf } from './resolve.ts';

/** The default as one would write it; where commands differ, each with its commands. */
export function defaultText(name: OptionName, command?: CommandName): string {
  const row = optionRow(name);
  if (row.defaultText !== undefined) return row.defaultText;
  const commands = command === undefined ? row.commands : [command];
  const texts = Map.groupBy(commands, (each) => written(row.default(each)));
  if (texts.size === 1) return [...texts.keys()][0]!;
  return [...texts].map(([value, each]) => `${value} (${each.join(', ')})`).join(', ');
}

function written(value: unknown): string {
  if (value === undefined) return 'unset';
  return typeof value === 'number' ? writeCount(value) : String(value);
}

export function configurationPage(): string {
  return `${INTRODUCTION}\n${OPTION_NAMES.map(section).join('\n')}`;
}

function section(name: OptionName): string {
  const { kind, description, example, commands, alsoEnvironment } = optionRow(name);
  const [first] = commands;
  const flags = first === undefined ? [] : flagsOf(first).find((each) => each.name === name)!.flags;
  const rows = [
    ['default', `${code(defaultText(name))}`],
    ['flag', flags.map((flag) => code(`${flag} ${kind.placeholder}`.trim())).join(', ') || 'none'],
    ['environment', [environmentOf(name), ...(alsoEnvironment ?? [])].map(code).join(', then ')],
    ['value', `${kind.expects}${kind.unit === undefined ? '' : ` As a setting: ${kind.unit}.`}`],
    ['example', code(example)],
    ...(first === undefined ? [] : [['flag of', commands.map((command) => code(command)).join(', ')]]),
  ];
  return `## ${name}\n${description}\n\n| | |\n|---|---|\n${rows
    .map(([key, value]) => `| ${key} | ${value!.replaceAll('|', '\\|')} |`)
    .join('\n')}\n`;
}

function code(content: string): string {
  return `\`${content}\``;
}

const INTRODUCTION = `# Configuration
<!-- Made by \`npm run reference\` from src/config/options.ts. Do not edit. -->

Every option can be given in four ways. The first that speaks wins:

1. a flag of the command, such as \`--commit-max-age 10m\`
2. an environment variable, such as \`LAKEWARD_COMMIT_MAX_AGE=10m\` (an empty one counts as unset)
3. the config file
4. the default

The config file is \`lakeward.config.ts\` (or \`.js\`, \`.mjs\`, \`.json\`) in the working folder, or the one named with
\`--config FILE\` or \`LAKEWARD_CONFIG\`. Options are nested at the dot:

\`\`\`ts
import { defineConfig } from 'lakeward';

export default defineConfig({
  dir: './lake',
  commit: { maxAge: '10m', maxBytes: '512MB' },
  dedupe: { watermark: '1h' },
});
\`\`\`

Node runs the file as it is and only strips its types: no enums, namespaces or parameter properties. A key that is no
option is an error. In the file a duration may also be a number of milliseconds, a size a number of bytes.
`;
