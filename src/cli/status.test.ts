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

const INTERVAL_MS = 2_000;

interface Watching {
  env?: Record<string, string>;
  args?: string[];
  isTTY?: boolean;
  /** Shown so often before there is a lake. */
  begun?: number;
}

/** The real command on a lake without tables, in a terminal, until it was shown so often. */
async function watched(times: number, { env = {}, args = [], isTTY = true, begun = 0 }: Watching = {}) {
  const dir = await lakeFolder();
  const begin = () => openSqliteCatalog({ path: join(dir, 'catalog.sqlite') }).close();
  if (begun === 0) await begin();
  let text = '';
  const stop = new AbortController();
  let sleeps = 0;
  const clock: Clock = {
    ...systemClock,
    sleep: async (ms) => {
      if (ms !== INTERVAL_MS) return;
      if (++sleeps === begun) await begin();
      if (sleeps === times) stop.abort();
    },
  };
  const terminal: Sink = {
    isTTY,
    write: (chunk, done) => {
      text += chunk;
      done();
    },
  };
  const exit = await execute({
    argv: ['status', '--watch', ...args, '--dir', dir],
    commands: allCommands(async () => actions),
    ...{
      version: '0',
      env,
      cwd: '/',
      stdin: Readable.from([]),
      stdout: terminal,
      stderr: { ...terminal, write: (_, done) => done() },
    },
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
  const { text } = await watched(1);
  expect(text).toContain('m✓ all is well\u001b[');
});

it('waits for a lake that is not there yet, and goes on with it', async () => {
  const inTerminal = await watched(3, { env: { NO_COLOR: '1' }, begun: 2 });
  expect(inTerminal.exit).toBe(0);
  const [, ...pages] = inTerminal.text.split(REDRAW);
  expect(pages).toEqual([
    expect.stringMatching(/^there is no lake in .+ yet; waiting for it\n$/),
    expect.stringMatching(/^there is no lake in .+ yet; waiting for it\n$/),
    expect.stringMatching(/^✓ all is well\n/),
  ]);
  const lines = async (...args: string[]) =>
    (await watched(2, { args, isTTY: false, begun: 1 })).text.trim().split('\n');
  expect(await lines()).toEqual([
    expect.stringMatching(/Z · there is no lake in .+ yet; waiting for it$/),
    expect.stringContaining(' · ok · '),
  ]);
  expect((await lines('--json')).map((line) => JSON.parse(line))).toMatchObject([
    { ok: false, error: { code: 'lake.no_lake' } },
    { ok: true, data: { status: 'ok' } },
  ]);
});

it('goes on when a service of the lake is away', async () => {
  const env = { NO_COLOR: '1', LAKEWARD_CATALOG_URI: 'http://127.0.0.1:1' };
  const { exit, text } = await watched(2, { env });
  expect(exit).toBe(0);
  const away = expect.stringMatching(/^cannot read .+ the catalog: no answer; asking again\n$/);
  expect(text.split(REDRAW).slice(1)).toEqual([away, away]);
});
