/**
 * docs/reference/log-messages.md, from the sources themselves: every call of the log has its id as a literal, so that
 * the page can be made by looking for them, and no table has to be kept beside the code.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Message {
  id: string;
  level: string;
  /** Undefined where it is the text of a failure. */
  text: string | undefined;
}

const CALL = /\blog\s*\.(debug|info|warn|error)\(\s*'([a-z_]+\.[a-z_]+)',\s*(?:(['`])((?:(?!\3).)*)\3)?/gs;

export function logMessagesPage(root: string): string {
  const messages = [...messagesIn(root)].sort((a, b) => (a.id < b.id ? -1 : 1));
  const unique = new Map(messages.map((message) => [`${message.id} ${message.level}`, message]));
  const rows = [...unique.values()].map(
    ({ id, level, text }) => `| \`${id}\` | ${level} | ${text ?? '(what the failure says)'} |`,
  );
  return `${INTRODUCTION}
| id | level | text |
|---|---|---|
${rows.join('\n')}
`;
}

function* messagesIn(root: string): Generator<Message> {
  const paths = globSync('src/**/*.ts', { cwd: root }).filter((path) => !path.endsWith('.test.ts'));
  for (const path of paths.sort()) {
    for (const [, level, id, , text] of readFileSync(join(root, path), 'utf8').matchAll(CALL)) {
      yield { id: id!, level: level!, text: text?.replace(/\$\{[^}]*\}/g, '…').replaceAll('|', '\\|') };
    }
  }
}

const INTRODUCTION = `# Log messages
<!-- Made by \`npm run reference\` from the calls of the log in src. Do not edit. -->

The log goes to stderr: for people on a terminal, else one JSON object a line with \`time\`, \`level\`, \`id\`, \`text\` and
fields of its own (\`log.format\`, \`log.level\`). The \`id\` of a message stays what it is; its text may change. Events
themselves are never logged.

While something does not work, retries are entries of level \`debug\`; \`health.degraded\` is the one line a minute that
says what, why (\`code\`, \`why\`), for how long (\`for_s\`) and what to do (\`fix\`), and \`health.recovered\` says that it is over.
`;
