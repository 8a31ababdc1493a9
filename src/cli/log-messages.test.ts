import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { logMessagesPage } from './log-messages.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What passes on the messages of others has no ids of its own. */
const PASSING_ON = /^src\/base\/log/;

it('every message has a literal id of a module and what happened there, and stands on the page', () => {
  const page = logMessagesPage(ROOT);
  const calls = globSync('src/**/*.ts', { cwd: ROOT })
    .filter((path) => !path.endsWith('.test.ts') && !PASSING_ON.test(path))
    .flatMap((path) =>
      [
        ...readFileSync(join(ROOT, path), 'utf8').matchAll(
          /\blog\s*\.(?:debug|info|warn|error)\(\s*([^\s,]*)/g,
        ),
      ].map((match) => ({ path, id: match[1]! })),
    );
  expect(calls.length).toBeGreaterThan(20);
  for (const { path, id } of calls) {
    expect(id, path).toMatch(/^'[a-z_]+\.[a-z_]+'$/);
    expect(page, path).toContain(`| \`${id.slice(1, -1)}\` |`);
  }
});
