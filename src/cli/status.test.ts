import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { lakeFolder } from '../../tests/support/worker.ts';
import { type Clock, silentLog, systemClock } from '../base/base.ts';
import { openSqliteCatalog } from '../lake/lake.ts';
import { type Health, listen, type Progressed } from '../monitor/monitor.ts';
import { actions } from './actions.ts';
import { allCommands } from './commands.ts';
import { execute } from './execute.ts';
import { writeAddress } from './monitor-addresses.ts';
import type { Sink } from './output.ts';

const REDRAW = '\u001b[H\u001b[J';

const INTERVAL_MS = 2_000;

interface Watching {
  env?: Record<string, string>;
  args?: string[];
  isTTY?: boolean;
  /** Shown so often before there is a lake. */
  begun?: number;
  /** A process runs on the folder that has not committed for a minute. */
  runs?: boolean;
  watch?: boolean;
}

const PID = 4711;
const NOW_MS = Date.UTC(2026, 0, 16, 10);

async function running(dir: string): Promise<void> {
  const reason = {
    ...{ code: 'stream.unreachable', what: 'stream: no answer', why: 'refused', fix: 'wait' },
    ...{ since_ms: NOW_MS - 120_000, failures: 9 },
  };
  const health: Health & Progressed = {
    ...{ status: 'degraded', live: true, reasons: [reason], reached: {} },
    ...{
      lag_ms: 90_000,
      lastCommits_ms: { 'raw.events': NOW_MS - 60_000, 'staging.events': NOW_MS - 70_000 },
    },
  };
  const monitor = { health: () => health, metrics: async () => '' };
  const listener = await listen({ monitor, host: '127.0.0.1', port: 0, log: silentLog });
  onTestFinished(() => listener.close());
  await writeAddress(dir, { pid: PID, uri: listener.uri });
}

/** The real command on a lake without tables, in a terminal, until it was shown so often. */
async function watched(
  times: number,
  { env = {}, args = [], isTTY = true, begun = 0, runs = false, watch = true }: Watching = {},
) {
  const dir = await lakeFolder();
  const begin = () => openSqliteCatalog({ path: join(dir, 'catalog.sqlite') }).close();
  if (begun === 0) await begin();
  if (runs) await running(dir);
  let text = '';
  let errors = '';
  const stop = new AbortController();
  let sleeps = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => NOW_MS,
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
    argv: ['status', ...(watch ? ['--watch'] : []), ...args, '--dir', dir],
    commands: allCommands(async () => actions),
    ...{
      version: '0',
      env,
      cwd: '/',
      stdin: Readable.from([]),
      stdout: terminal,
      stderr: {
        ...terminal,
        write: (chunk, done) => {
          errors += chunk;
          done();
        },
      },
    },
    ...{ clock, signal: stop.signal },
  });
  return { exit, text, errors };
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

const AWAY = [
  ['the catalog', { LAKEWARD_CATALOG_URI: 'http://127.0.0.1:1' }, /^cannot read .+ the catalog: no answer/],
  [
    'the store',
    {
      ...{ LAKEWARD_STORE_URL: 's3://lake/', LAKEWARD_STORE_ENDPOINT: 'http://127.0.0.1:1' },
      ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    },
    /./,
  ],
] as const;

it.each(AWAY)('with %s away tells what the processes of the folder say', async (_, away, message) => {
  const env = { ...away, NO_COLOR: '1' };
  const once = await watched(1, { env, runs: true, watch: false });
  expect(once.exit).toBe(5);
  expect(once.errors).toMatch(/^lakeward: .+\n {2}why .+\n {2}fix .+\n {2}read .+\n$/);
  const words = `${PID}: degraded for 2 min 00 s, at http://127.0.0.1:`;
  expect(once.text).toMatch(/^the lake cannot be read; what runs here says\n/);
  expect(once.text).toContain(words);
  expect(once.text).toContain(', reads 1 min 30 s behind, last commit 1 min 00 s ago, to raw.events\n');
  expect(once.text).toContain(`process ${PID}: stream: no answer [stream.unreachable]`);

  const json = await watched(1, { env, runs: true, watch: false, args: ['--json'] });
  expect(json.exit).toBe(5);
  const { ok, error, data } = JSON.parse(json.text);
  expect({ ok, error }).toEqual({
    ok: false,
    error: expect.objectContaining({ message: expect.stringMatching(message) }),
  });
  expect(data).toMatchObject({
    ...{ at: '2026-01-16T10:00:00.000Z', status: 'degraded', stream: null, lake: null, workers: [] },
    findings: [{ code: error.code, why: error.why }, { code: 'stream.unreachable' }],
    processes: [
      {
        ...{ pid: PID, status: 'degraded', lag_ms: 90_000 },
        reasons: [{ since: '2026-01-16T09:58:00.000Z' }],
        lastCommits: { 'raw.events': '2026-01-16T09:59:00.000Z' },
      },
    ],
  });

  const lines = await watched(1, { env, runs: true, isTTY: false });
  expect(lines).toMatchObject({ exit: 0, text: expect.stringContaining(`asking again · process ${words}`) });
  const page = await watched(1, { env, runs: true });
  expect(page.text).toContain(`; asking again\n\nprocess  ${words}`);
});

it('with the catalog away says no more than that where nothing runs', async () => {
  const env = { NO_COLOR: '1', LAKEWARD_CATALOG_URI: 'http://127.0.0.1:1' };
  const { exit, text } = await watched(1, { env, watch: false, args: ['--json'] });
  expect({ exit, members: Object.keys(JSON.parse(text)) }).toEqual({ exit: 5, members: ['ok', 'error'] });
});
