import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { lakeFolder } from '../../tests/support/worker.ts';
import { type Clock, systemClock } from '../base/base.ts';
import { openSqliteCatalog } from '../lake/lake.ts';
import { actions } from './actions.ts';
import { allCommands } from './commands.ts';
import { execute } from './execute.ts';
import type { Sink } from './output.ts';

const REDRAW = '\u001b[H\u001b[J';

/** The real command on a lake without tables, in a terminal, until it was shown so often. */
async function watched(times: number, { env }: { env: Record<string, string> }) {
  const dir = await lakeFolder();
  await openSqliteCatalog({ path: join(dir, 'catalog.sqlite') }).close();
  let text = '';
  const stop = new AbortController();
  let sleeps = 0;
  const clock: Clock = {
    ...systemClock,
    sleep: async () => {
      if (++sleeps === times) stop.abort();
    },
  };
  const terminal: Sink = {
    isTTY: true,
    write: (chunk, done) => {
      text += chunk;
      done();
    },
  };
  const exit = await execute({
    argv: ['status', '--watch', '--dir', dir],
    commands: allCommands(async () => actions),
    ...{ version: '0', env, cwd: '/', stdin: Readable.from([]), stdout: terminal, stderr: terminal },
    ...{ clock, signal: stop.signal },
  });
  return { exit, text };
}

it('is drawn over itself in a terminal, without colour where none is wanted, and ends with 0', async () => {
  const { exit, text } = await watched(3, { env: { NO_COLOR: '1' } });
  const pages = text.split(REDRAW);
  expect(exit).toBe(0);
  expect(pages.length).toBe(4);
  for (const page of pages.slice(1)) {
    expect(page).toMatch(/^✓ all is well\n/);
    expect(page).not.toContain('\u001b');
  }
});

it('has colour in a terminal otherwise', async () => {
  const { text } = await watched(1, { env: {} });
  expect(text).toContain('m✓ all is well\u001b[');
});
