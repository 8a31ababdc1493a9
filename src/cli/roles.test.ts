import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rows } from '../../tests/support/audit.ts';
import { events } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../../tests/support/worker.ts';
import { type Clock, Failure, type Log, silentLog } from '../base/base.ts';
import { resolveSettings } from '../config/config.ts';
import { inPlace } from '../engine/engine.ts';
import type { Lake } from '../lake/lake.ts';
import type { StagingCommit } from '../staging/staging.ts';
import type { Role } from './commands/run.ts';
import { type RolesOptions, runRoles } from './roles.ts';

const ALL: readonly Role[] = ['processor', 'quarantine', 'staging', 'maintenance'];
const NEVER = new AbortController().signal;

/** Sleeps until it is woken; time does not pass. */
const stillClock: Clock = {
  now: () => Date.UTC(2026, 0, 16),
  sleep: (_ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) resolve();
      else signal?.addEventListener('abort', () => resolve(), { once: true });
    }),
};

const local = (lake: Lake) => ({ ...lake, localFiles: inPlace() });

interface Setup {
  worker: Worker;
  stream: ScriptedStream;
  options(over?: Partial<RolesOptions>): RolesOptions;
  count(table: string): Promise<number>;
}

async function setup(stream = new ScriptedStream()): Promise<Setup> {
  const folder = await lakeFolder();
  const worker = await openWorker({ folder, stream });
  const { settings } = resolveSettings({ command: 'run', env: {}, cwd: folder });
  return {
    worker,
    stream,
    options: (over = {}) => ({
      settings,
      clock: stillClock,
      log: silentLog,
      env: {},
      lake: local(worker.lake),
      engine: worker.engine,
      stream,
      roles: ALL,
      spoolFolder: join(worker.options().spoolFolder),
      ...over,
    }),
    count: async (table) => Number((await rows(worker, table, 'count(*)'))[0]?.[0] ?? 0),
  };
}

it('once, all roles take what is there, adopt what is no event and stage the rest', async () => {
  const { stream, options, count } = await setup();
  stream.put([...events(1, 2, 3, 1), 'no JSON']);
  const staged: StagingCommit[] = [];
  await runRoles(options({ onStaging: (commit) => staged.push(commit) }), {
    signal: NEVER,
    until_ms: Number.MAX_SAFE_INTEGER,
  });
  expect([
    await count('raw.events'),
    await count('quarantine.events'),
    await count('staging.events'),
  ]).toEqual([3, 1, 3]);
  expect(staged.reduce((sum, { written }) => sum + written, 0)).toBe(3);
});

it('once, a role alone works on what stands in the lake, and ends', async () => {
  const { worker, stream, options, count } = await setup();
  stream.put(events(1, 2));
  await worker.process();
  const once = { signal: NEVER, until_ms: 0 };
  await runRoles(options({ roles: ['staging'], stream: undefined }), once);
  expect(await count('staging.events')).toBe(2);
  await runRoles(options({ roles: ['quarantine'], stream: undefined }), once);
  expect(await count('quarantine.events')).toBe(0);
});

it('staging is woken by what the processor commits, and a stop ends all roles with nothing left', async () => {
  const { stream, options, count } = await setup();
  const stop = new AbortController();
  const staged = Promise.withResolvers<void>();
  const running = runRoles(options({ onStaging: () => staged.resolve() }), { signal: stop.signal });
  stream.put([...events(1, 2), 'no JSON']);
  await staged.promise;
  stream.put(events(3));
  stop.abort();
  await running;
  const taken = await count('raw.events');
  expect(taken).toBeGreaterThanOrEqual(2);
  expect([await count('staging.events'), await count('quarantine.events')]).toEqual([taken, 1]);
});

it('a batch that was not full when the stop came is committed and staged', async () => {
  const { stream, options, count } = await setup(
    new ScriptedStream({ holdsPartialBatches: 'until stopped' }),
  );
  const stop = new AbortController();
  const holding = stream.whenHolding();
  const running = runRoles(options(), { signal: stop.signal });
  stream.put(events(1, 2, 3));
  await holding;
  stop.abort();
  await running;
  expect(await count('staging.events')).toBe(3);
});

it('a role that fails for good ends the others, and its failure is the answer', async () => {
  const { worker, options } = await setup();
  const broken: Lake = { ...worker.lake, create: () => Promise.reject(denied()) };
  await expect(runRoles(options({ lake: local(broken) }), { signal: NEVER })).rejects.toEqual(
    expect.objectContaining({ code: 'lake.denied' }),
  );
});

it('a role goes on after a failure that a retry can mend; one that is mended at once is no news', async () => {
  const { worker, stream, options, count } = await setup();
  stream.put(events(1));
  await worker.process();
  const warnings: string[] = [];
  const retries: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (id) => warnings.push(id),
    debug: (id) => retries.push(id),
  };
  // Only waiting between retries passes.
  const clock: Clock = {
    ...stillClock,
    sleep: (ms, signal) => (ms < 1_000 ? Promise.resolve() : stillClock.sleep(ms, signal)),
  };
  let failures = 2;
  const busy: Lake = {
    ...worker.lake,
    load: (name) => (failures-- > 0 ? Promise.reject(unreachable()) : worker.lake.load(name)),
  };
  const stop = new AbortController();
  const staged = Promise.withResolvers<void>();
  const running = runRoles(
    options({ lake: local(busy), log, clock, roles: ['staging'], onStaging: () => staged.resolve() }),
    { signal: stop.signal },
  );
  await staged.promise;
  stop.abort();
  await running;
  expect(retries).toEqual(['role.retrying', 'role.retrying']);
  expect(warnings).toEqual([]);
  expect(await count('staging.events')).toBe(1);
});

it('once, maintenance comes last, brings small files together and says so', async () => {
  const { worker, stream, options } = await setup();
  for (let n = 1; n <= 9; n++) {
    stream.put(events(n));
    await worker.process();
  }
  const said: string[] = [];
  const log: Log = { ...silentLog, info: (id, text) => said.push(`${id}: ${text}`) };
  await runRoles(options({ roles: ['staging', 'maintenance'], stream: undefined, log }), {
    signal: NEVER,
    until_ms: 0,
  });
  expect(said).toContain('maintenance.worked: compact of raw.events: done');
  const files = async () => (await worker.lake.files((await worker.lake.load('raw.events'))!)).files.length;
  expect(await files()).toBe(1);
});

it('maintenance that fails ends nothing, and is logged', async () => {
  const { worker, stream, options, count } = await setup();
  stream.put(events(1, 2));
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (id) => warnings.push(id) };
  const broken: Lake = { ...worker.lake, list: () => Promise.reject(denied()) };
  await runRoles(options({ lake: local(broken), log }), { signal: NEVER, until_ms: Number.MAX_SAFE_INTEGER });
  expect(await count('staging.events')).toBe(2);
  expect(warnings).toEqual(['maintenance.failed']);
});

it('the processor cannot run without a stream', async () => {
  const { options } = await setup();
  await expect(runRoles(options({ stream: undefined }), { signal: NEVER })).rejects.toThrow('needs a stream');
});

const denied = () => new Failure('cannot write', { code: 'lake.denied', fault: 'user', retry: 'never' });
const unreachable = () =>
  new Failure('the catalog does not answer', {
    code: 'catalog.unreachable',
    fault: 'service',
    retry: 'backoff',
  });
