/**
 * A Spark Connect server of the installed pyspark on loopback. It can be killed in the middle of anything and started
 * again under its port.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Python } from './python.ts';

const SCRIPT = join(import.meta.dirname, 'serve_spark_connect.py');
const OUTPUT_CHARS_MAX = 20_000;
const START_MS = 300_000;
const LOOK_MS = 100;

export interface ConnectServerOptions {
  /** What the server asks its clients for. */
  token?: string;
  memory?: string;
  conf?: Readonly<Record<string, string>>;
}

export interface ConnectServer {
  readonly port: number;
  /** Of the JVM. */
  readonly pid: number | undefined;
  /** At once, without a chance to tidy up. */
  kill(): Promise<void>;
  /** After `kill`, under the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function serveSparkConnect(
  python: Python,
  { jars, token, memory = '1g', conf = {} }: ConnectServerOptions & { jars: readonly string[] },
): Promise<ConnectServer> {
  const folder = await mkdtemp(join(tmpdir(), 'spark-connect-'));
  const port = await freePort();
  const asked = {
    ...{ jars, memory, master: 'local[2]', ...(token === undefined ? {} : { token }) },
    conf: { ...CONF, 'spark.local.dir': folder, 'spark.connect.grpc.binding.port': String(port), ...conf },
  };
  let child: ChildProcessWithoutNullStreams | undefined;
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once('close', resolve));
    ending.kill(signal);
    await ended;
  };
  const begin = async () => {
    child = python.start(SCRIPT, { cwd: folder, args: [JSON.stringify(asked)] });
    await listening(child, port);
  };
  const server: ConnectServer = {
    port,
    get pid() {
      return child?.pid;
    },
    kill: () => end('SIGKILL'),
    restart: begin,
    async stop() {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await begin();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

const CONF = {
  'spark.connect.grpc.binding.address': '127.0.0.1',
  'spark.driver.host': '127.0.0.1',
  'spark.driver.bindAddress': '127.0.0.1',
  'spark.driver.extraJavaOptions': '-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError',
  'spark.ui.enabled': 'false',
  'spark.sql.shuffle.partitions': '2',
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
};

/** Free at this moment; the server itself cannot say which port it was given. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((ready) => probe.listen(0, '127.0.0.1', ready));
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}

async function listening(child: ChildProcessWithoutNullStreams, port: number): Promise<void> {
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  for (const end = Date.now() + START_MS; Date.now() < end; ) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  child.kill('SIGKILL');
  throw new Error(`no Spark Connect server on port ${port}: ${output}`);
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
