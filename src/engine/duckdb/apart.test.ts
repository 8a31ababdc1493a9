/** Batches that are tried out in a process of their own, which may die. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { event } from '../../../tests/support/events.ts';
import { writeSpoolFile } from '../../../tests/support/spool-file.ts';
import { lakeFolder } from '../../../tests/support/worker.ts';
import { openEngine } from '../engine.ts';

const run = promisify(execFile);
const LIMITS = { minTime_s: 0, maxAhead_s: 1e9 };
const DEADLY = pathToFileURL(join(import.meta.dirname, '../../../tests/support/deadly-engine.ts')).href;

afterEach(() => vi.unstubAllEnvs());

/** Tries out these records, with processes that run this before all else. */
async function tried(
  records: readonly string[],
  { first = 'data:text/javascript,', crashed = [] as number[] } = {},
) {
  const folder = await lakeFolder();
  const workFolder = join(folder, 'work');
  const engine = await openEngine({ workFolder, memory_bytes: 500e6, threads: 1 });
  onTestFinished(() => engine.close());
  const bodies = records.map((body, i) => ({
    body: Buffer.from(body),
    ...{ sequenceNumber: BigInt(i), arrived_ms: Date.UTC(2026, 0, 2), shard: 0 },
  }));
  const spool = await writeSpoolFile(folder, bodies);
  vi.stubEnv('NODE_OPTIONS', `--import=${first}`);
  await engine.tryOut({ path: spool.path, shards: ['shard'], stream: 'stream', crashed }, LIMITS);
  return readdir(workFolder);
}

it('passes where the engine takes every record, and keeps nothing', async () => {
  expect(await tried([event(1), 'no event'])).toEqual([]);
});

it('fails with what took its process down, and only while the record is looked into', async () => {
  await expect(tried([event(1), event(2, { note: 'deadly' })], { first: DEADLY })).rejects.toMatchObject({
    ...{ code: 'engine.crashed', fault: 'ourselves' },
    why: expect.stringContaining('SIGABRT'),
  });
  expect(await tried([event(1), event(2, { note: 'deadly' })], { first: DEADLY, crashed: [1] })).toEqual([]);
});

it('says nothing of the records where somebody else ended the process', async () => {
  const killed = 'data:text/javascript,process.kill(process.pid,`SIGKILL`)';
  await expect(tried([event(1)], { first: killed })).rejects.toMatchObject({
    ...{ code: 'engine.killed', retry: 'backoff' },
    why: expect.stringContaining('SIGKILL'),
    hint: expect.stringContaining('engine.memory'),
  });
});

it('takes a full disk for one, wherever the process finds it', async () => {
  const full =
    `data:text/javascript,import f from 'node:fs/promises';import {syncBuiltinESMExports as s} from 'node:module';
    f.readdir=()=>Promise.reject(Error('ENOSPC: no space left on device'));s()`.replaceAll(/\s+/g, '%20');
  await expect(tried([event(1)], { first: full })).rejects.toMatchObject({
    ...{ code: 'engine.disk', retry: 'backoff' },
  });
});

it('may be tried again where no process can be started', async () => {
  vi.stubEnv('LONGER_THAN_A_PROCESS_MAY_HAVE', 'x'.repeat(200_000));
  await expect(tried([event(1)])).rejects.toMatchObject({
    ...{ code: 'engine.not_started', retry: 'backoff', why: expect.stringContaining('E2BIG') },
  });
});

it('may be tried again where too many files are open', async () => {
  const script = `
    import { openSync } from 'node:fs';
    const { tryOutApart } = await import(${JSON.stringify(new URL('apart.ts', import.meta.url))});
    try { for (;;) openSync('/dev/null'); } catch {}
    await tryOutApart({ engine: {}, spool: {}, limits: {} }).catch(({ code, why }) => console.log(code, why));`;
  const node = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
  ];
  const { stdout } = await run('sh', ['-c', 'ulimit -n 60; exec "$@"', 'sh', ...node]);
  expect(stdout).toMatch(/^engine\.not_started spawn .*EMFILE\n$/);
});

it('tells what the engine told it', async () => {
  const folder = await lakeFolder();
  const engine = await openEngine({ workFolder: join(folder, 'work'), memory_bytes: 500e6, threads: 1 });
  onTestFinished(() => engine.close());
  const spool = { path: join(folder, 'none.parquet'), shards: [], stream: 'stream' };
  await expect(engine.tryOut(spool, LIMITS)).rejects.toMatchObject({
    ...{ code: 'engine.unreadable', fault: 'user' },
    hint: expect.stringContaining('verify'),
  });
});
