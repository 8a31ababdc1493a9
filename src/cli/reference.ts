/**
 * The reference pages, made from the tables in the code: `npm run reference` writes them, and a test fails when they
 * are stale.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { configurationPage } from '../config/config.ts';
import { CRASHED_ENGINE, REASONS, type Reason } from '../event/event.ts';
import { comparisonTable, pricesTable, scaleTable } from '../forecast/forecast.ts';
import { metricsPage } from '../monitor/monitor.ts';
import type { Command } from './command.ts';
import { allCommands } from './commands.ts';
import { EXIT_MEANINGS } from './exit.ts';
import { helpText } from './help.ts';
import { logMessagesPage } from './log-messages.ts';
import { portableSqlPage } from './portable-sql-page.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Page {
  /** From the root of the project. */
  path: string;
  text: string;
}

export function referencePages(): Page[] {
  const commands = allCommands(() => Promise.reject(new Error('pages run no command')));
  return [
    { path: 'docs/reference/configuration.md', text: configurationPage() },
    { path: 'docs/reference/cli.md', text: cliPage(commands) },
    { path: 'docs/reference/reasons.md', text: reasonsPage() },
    { path: 'docs/reference/metrics.md', text: metricsPage() },
    { path: 'docs/reference/portable-sql.md', text: portableSqlPage() },
    { path: 'docs/reference/log-messages.md', text: logMessagesPage(ROOT) },
    withTables('docs/explanation/no-transformation.md', { costs: comparisonTable(), prices: pricesTable() }),
    withTables('docs/explanation/scale.md', { scale: scaleTable() }),
  ];
}

/** A page that people write, with tables that the model makes between `<!-- forecast: NAME -->` and `<!-- end -->`. */
function withTables(path: string, tables: Readonly<Record<string, string>>): Page {
  const written = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const text = Object.entries(tables).reduce((page, [name, table]) => {
    const begin = `<!-- forecast: ${name} -->\n`;
    const [before, after] = page.split(begin);
    if (after === undefined) throw new Error(`${path} has no place for the table ${name}`);
    return `${before}${begin}${table}\n${after.slice(after.indexOf('<!-- end -->'))}`;
  }, written);
  return { path, text };
}

function cliPage(commands: readonly Command[]): string {
  const list = commands.map(
    ({ name, summary }) => `| [\`lakeward ${name}\`](#lakeward-${name.replaceAll(' ', '-')}) | ${summary} |`,
  );
  const codes = Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `| ${code} | ${meaning} |`);
  const each = commands.map(
    (command) => `## lakeward ${command.name}\n\`\`\`text\n${helpText(command)}\`\`\`\n`,
  );
  return `# Command line
<!-- Made by \`npm run reference\` from src/cli/commands. Do not edit. -->

Data goes to stdout, everything else (notes, progress, log, errors) to stderr. With \`--json\` stdout is one object:
\`{"ok": true, "data": …}\`, or \`{"ok": false, "error": {"code", "message", "why", "fix", "read"}}\`. \`lakeward sql\` has
\`--format\` instead. Colour is for terminals only; \`NO_COLOR=1\` turns it off. [Configuration](configuration.md) lists
all options.

| command | |
|---|---|
${list.join('\n')}

## Exit codes
| code | meaning |
|---|---|
${codes.join('\n')}

${each.join('\n')}`;
}

function reasonsPage(): string {
  return `# Reasons
<!-- Made by \`npm run reference\` from src/event/reasons.ts. Do not edit. -->

A record that cannot be an event goes to the table \`quarantine.events\`, byte for byte as it came, with one of these
codes as its \`reason\`. They are tried in this order; the first whose condition holds is the verdict.

| code | meaning | when |
|---|---|---|
${[...REASONS, CRASHED_ENGINE].map(({ code, meaning, when }) => `| [\`${code}\`](#${code}) | ${meaning} | ${when} |`).join('\n')}

${REASONS.map(reasonSection).join('\n')}
## ${CRASHED_ENGINE.code}
${CRASHED_ENGINE.meaning} Given when ${CRASHED_ENGINE.when}. See [reading a stream](../explanation/reading-a-stream.md).
`;
}

function reasonSection({ code, meaning, when, examples }: Reason): string {
  return `## ${code}
${meaning} Given when ${when}.

\`\`\`text
${examples.map(exampleText).join('\n')}
\`\`\`
`;
}

function exampleText(example: string | Uint8Array): string {
  if (typeof example === 'string') return example === '' ? '(an empty record)' : example;
  return `(bytes) ${[...example].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`;
}

if (import.meta.main) {
  for (const { path, text } of referencePages()) {
    await writeFile(new URL(`../../${path}`, import.meta.url), text);
    process.stderr.write(`wrote ${path}\n`);
  }
}
