/**
 * LocalStack 4.14.0 without Docker: its own runtime as a process of this machine, from PyPI. It was the last version
 * that needs no account. Its free plan has no Glue, ECS, ECR or Application Auto Scaling.
 */
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stopped } from './as-command.ts';
import { run } from './programs.ts';
import { type Programs, pythonEnvironment } from './python-environment.ts';

/** Pinned where a newer one breaks 4.14.0: cbor2, cryptography, pyopenssl. */
const LOCALSTACK: Programs = {
  name: 'localstack',
  packages: [
    ...['localstack-core[base-runtime]==4.14.0', 'moto-ext', 'cbor2==5.7.1', 'service_identity==24.2.0'],
    ...['cryptography==44.0.3', 'pyopenssl==25.0.0', 'py-partiql-parser', 'jsonpath-ng', 'airspeed-ext'],
    ...['antlr4-python3-runtime==4.13.2', 'jpype1', 'responses', 'crontab', 'opensearch-py'],
  ],
  pythons: ['3.13'],
};

const SERVICES = 'kinesis,firehose,s3,iam,sts,kms,cloudwatch,logs,sns';
const START_MS_MAX = 120_000;

interface Running {
  pid: number;
  endpoint: string;
}

/** Why it cannot be installed here; undefined when it is. */
export function localStackMissing(): Promise<string | undefined> {
  return pythonEnvironment(LOCALSTACK).then(
    () => undefined,
    (error: unknown) => `no LocalStack: ${String(error).trimEnd().split('\n').at(-1)}`,
  );
}

/** The one whose state is in this folder: the one that runs, else a new one. It outlives this process. */
export async function startLocalStack(folder: string): Promise<string> {
  const before = await runningIn(folder);
  if (before !== undefined && (await answers(before.endpoint))) return before.endpoint;
  const python = join(await pythonEnvironment(LOCALSTACK), 'bin/python');
  const root = join(folder, 'files');
  await mkdir(root, { recursive: true });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const log = await open(join(folder, 'localstack.log'), 'w');
  const child = spawn(python, ['-m', 'localstack.runtime.main'], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    cwd: folder,
    env: { ...process.env, ...settings({ port, root }) },
  });
  await log.close();
  if (child.pid === undefined)
    throw new Stopped('LocalStack could not be started', { why: `${python} does not run` });
  child.unref();
  await writeFile(
    join(folder, 'running.json'),
    JSON.stringify({ pid: child.pid, endpoint } satisfies Running),
  );
  await untilReady(child, { endpoint, folder });
  return endpoint;
}

/** Whether the one of this folder was at `endpoint` and has ended; with it goes what was deployed in it. */
export async function isStopped(folder: string, endpoint: string): Promise<boolean> {
  const running = await runningIn(folder);
  return running?.endpoint === endpoint && !(await isLocalStack(running.pid));
}

/** Stops the one whose state is in this folder and removes that; false when there was none. */
export async function stopLocalStack(folder: string): Promise<boolean> {
  const running = await runningIn(folder);
  if (running !== undefined && (await isLocalStack(running.pid))) {
    process.kill(-running.pid, 'SIGTERM');
    for (let waited_ms = 0; waited_ms < 10_000 && (await isLocalStack(running.pid)); waited_ms += 200)
      await sleep(200);
    if (await isLocalStack(running.pid)) process.kill(-running.pid, 'SIGKILL');
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  return running !== undefined;
}

function settings({ port, root }: { port: number; root: string }): Record<string, string> {
  return {
    SERVICES,
    EAGER_SERVICE_LOADING: '0',
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    DNS_ADDRESS: '0',
    SKIP_SSL_CERT_DOWNLOAD: '1',
    DISABLE_EVENTS: '1',
    KINESIS_MOCK_VERSION: '0.6.2',
    FILESYSTEM_ROOT: root,
    LOCALSTACK_VOLUME_DIR: root,
  };
}

async function untilReady(
  child: { pid?: number | undefined },
  { endpoint, folder }: { endpoint: string; folder: string },
): Promise<void> {
  for (let waited_ms = 0; waited_ms < START_MS_MAX; waited_ms += 250) {
    if (await answers(endpoint)) return;
    if (!isAlive(child.pid!)) break;
    await sleep(250);
  }
  const said = await readFile(join(folder, 'localstack.log'), 'utf8');
  await stopLocalStack(folder);
  throw new Stopped('LocalStack did not come up', {
    why: `nothing answered at ${endpoint} within ${START_MS_MAX / 1000} s, or it ended`,
    said: said.slice(-2000),
  });
}

async function answers(endpoint: string): Promise<boolean> {
  const answer = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(5000) }).catch(
    () => undefined,
  );
  return answer?.ok ?? false;
}

async function runningIn(folder: string): Promise<Running | undefined> {
  const text = await readFile(join(folder, 'running.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Running);
}

/** A process id may have gone to somebody else meanwhile. */
async function isLocalStack(pid: number): Promise<boolean> {
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'stat=,command=']);
  return stdout.includes('localstack.runtime') && !stdout.trimStart().startsWith('Z');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
