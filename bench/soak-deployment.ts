/**
 * A worker as it is deployed, `lakeward run` as a process of its own, between a stream, a store and perhaps a catalog
 * that can be taken away from it: what an outage and a producer that is too fast do to it, in real time. The store is
 * this repository's own S3 in memory, held to moto by the same tests; the catalog is `lakeward serve catalog`; the
 * stream is the embedded one, reached through a proxy too.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog, systemClock } from '../src/base/base.ts';
import { openStream, type Stream } from '../src/stream/stream.ts';
import { openStreamServer, type StreamServer } from '../src/stream-server/stream-server.ts';
import { startFakeS3 } from '../tests/support/fake-s3.ts';
import { type FaultyProxy, startFaultyProxy } from '../tests/support/faulty-proxy.ts';
import { lakeward, type Running, said, start } from '../tests/support/program.ts';

export const AWAY = ['store', 'catalog', 'stream'] as const;
export type Away = (typeof AWAY)[number];

const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'any', secretAccessKey: 'any' };
/** Of an event's note, which nothing makes smaller than half. */
const NOTE_BYTES = 80;
/** Smaller than the default, so that a soak of minutes meets them; RSS must stay under their sum. */
export const MEMORY_MB = { limit: 512, engine: 512 };
/** Without one more staged row in this time, the worker hangs. */
const STUCK_MS = 300_000;

interface Reading {
  staged: number;
  rss_mb: number;
  health: string;
}

export interface Compared {
  acknowledged: number;
  staged: number;
  doubled: number;
  findings: readonly unknown[];
}

export class Deployment {
  acknowledged = 0;
  readonly #dir: string;
  readonly #server: StreamServer;
  /** Without a service as its catalog the worker keeps it in the bucket. */
  readonly #proxies: Record<'store' | 'stream', FaultyProxy> & { catalog?: FaultyProxy };
  readonly #closeStore: () => Promise<void>;
  readonly #stream: Stream;
  #running: Running | undefined;
  #port = 0;

  private constructor(parts: {
    dir: string;
    server: StreamServer;
    proxies: Record<'store' | 'stream', FaultyProxy> & { catalog?: FaultyProxy };
    closeStore: () => Promise<void>;
    stream: Stream;
  }) {
    this.#dir = parts.dir;
    this.#server = parts.server;
    this.#proxies = parts.proxies;
    this.#closeStore = parts.closeStore;
    this.#stream = parts.stream;
  }

  static async open(folder: string, { service }: { service: boolean }): Promise<Deployment> {
    const surroundings = { clock: systemClock, log: silentLog };
    const server = await openStreamServer({
      ...{
        folder: join(folder, 'stream'),
        port: 0,
        region: REGION,
        maxBytes: 20e9,
        retention_ms: 86_400_000,
      },
      ...surroundings,
    });
    const around = { name: 'events', endpoint: server.endpoint, region: REGION, credentials: CREDENTIALS };
    const stream = openStream({ ...around, ...surroundings, random: Math.random });
    await stream.ensure(2);
    const s3 = await startFakeS3();
    const store = await startFaultyProxy(s3.endpoint);
    const catalog = service ? await serveCatalog(folder, s3.endpoint) : undefined;
    const proxies = {
      ...{ store, stream: await startFaultyProxy(server.endpoint) },
      ...(catalog && { catalog: await startFaultyProxy(catalog.uri) }),
    };
    for (const proxy of Object.values(proxies)) forgetting(proxy, s3.requests);
    const closeStore = async () => {
      await catalog?.close();
      await s3.close();
    };
    const parts = { server, proxies, stream, closeStore };
    return new Deployment({ dir: join(folder, 'worker'), ...parts });
  }

  async start(): Promise<void> {
    this.#port = await freePort();
    this.#running = start(
      [
        ...['run', 'processor', 'quarantine', 'staging', '--commit-max-age', '1s', ...this.#where()],
        ...['--endpoint', this.#proxies.stream.endpoint, '--monitor-port', String(this.#port)],
        ...['--memory-limit', `${MEMORY_MB.limit}MB`, '--engine-memory', `${MEMORY_MB.engine}MB`],
      ],
      { env: ENVIRONMENT },
    );
  }

  /** Acknowledged ones count; what is refused is put again. */
  async put(count: number): Promise<void> {
    const { records } = await this.#stream.send(events(this.acknowledged, count));
    this.acknowledged += records;
  }

  take(away: Away): void {
    this.#proxies[away]!.choose = () => 'lost request';
  }

  giveBack(away: Away): void {
    this.#proxies[away]!.choose = () => undefined;
  }

  /** From now on all that is written to the store shares a line of so many bytes a second. */
  narrow(bytesPerSecond: number): void {
    let free_ms = 0;
    this.#proxies.store.pace = async (bytes) => {
      const now = performance.now();
      free_ms = Math.max(free_ms, now) + (bytes / bytesPerSecond) * 1_000;
      await wait(free_ms - now);
    };
  }

  /** Throws when the worker ended. */
  async read(): Promise<Reading> {
    const running = this.#running!;
    if (running.process.exitCode !== null)
      throw new Error(`the worker ended with ${running.process.exitCode}: ${running.stderr().slice(-2_000)}`);
    const [metrics, health, status] = await Promise.all([
      this.#ask('/metrics'),
      this.#ask('/health/ready'),
      readFile(`/proc/${running.process.pid}/status`, 'utf8'),
    ]);
    const written = /^lakeward_events_written_total\{[^}]*table="staging\.events"[^}]*\} (\d+)/m.exec(
      metrics,
    );
    return {
      staged: Number(written?.[1] ?? 0),
      rss_mb: (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024) / 1e6,
      health: /"status":\s*"(\w+)"/.exec(health)?.[1] ?? 'silent',
    };
  }

  /** Lines of the log with this id. */
  lines(id: string): number {
    return this.#running!.stderr().split(`"id":"${id}"`).length - 1;
  }

  /** Resolves when `reached` holds; throws when nothing moves any more. */
  async until(reached: (reading: Reading) => boolean, seen: (reading: Reading) => void = () => {}) {
    for (let last = { staged: -1, at: Date.now() }; ; await wait(1_000)) {
      const reading = await this.read();
      seen(reading);
      if (reached(reading)) return;
      if (reading.staged !== last.staged) last = { staged: reading.staged, at: Date.now() };
      if (Date.now() - last.at > STUCK_MS) throw new Error(`the worker hangs: ${JSON.stringify(reading)}`);
    }
  }

  /** Ends the worker, and compares what it left with what was acknowledged. */
  async compare(): Promise<Compared> {
    this.#running!.process.kill('SIGINT');
    const { code, stderr } = await this.#running!.ended;
    if (code !== 0) throw new Error(`the worker ended with ${code}: ${stderr.slice(-2_000)}`);
    const question = 'select count(*) as n, count(distinct event_uuid) as d from staging.events';
    const where = this.#where();
    const asked = await lakeward(['sql', ...where, '--format', 'csv', question], { env: ENVIRONMENT });
    const [rows = 0, distinct = 0] = (asked.stdout.trim().split('\n')[1] ?? '').split(',').map(Number);
    const verify = ['verify', '--json', ...where, '--endpoint', this.#server.endpoint];
    const verified = await lakeward(verify, { env: ENVIRONMENT });
    const { findings } = (JSON.parse(verified.stdout) as { data: { findings: unknown[] } }).data;
    return { acknowledged: this.acknowledged, staged: distinct, doubled: rows - distinct, findings };
  }

  async close(): Promise<void> {
    this.#running?.process.kill('SIGKILL');
    await this.#running?.ended;
    await this.#stream.close();
    await Promise.all(Object.values(this.#proxies).map((proxy) => proxy.close()));
    await this.#closeStore();
    await this.#server.close();
  }

  #where(): string[] {
    const { store, catalog } = this.#proxies;
    const service = catalog === undefined ? [] : ['--catalog-uri', catalog.endpoint];
    return ['--dir', this.#dir, ...storeAt(store.endpoint), ...service];
  }

  async #ask(path: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}${path}`).catch(() => undefined);
    return (await answer?.text()) ?? '';
  }
}

const ENVIRONMENT = {
  ...{ AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any', AWS_REGION: REGION },
  ...{ LAKEWARD_LOG_FORMAT: 'json', LAKEWARD_LOG_LEVEL: 'info' },
};

const storeAt = (endpoint: string) => ['--store', 's3://lake/events', '--store-endpoint', endpoint];

/** The lake's catalog as a service, by a process of its own that reaches the store whatever happens. */
async function serveCatalog(folder: string, endpoint: string) {
  const where = ['--dir', join(folder, 'catalog'), ...storeAt(endpoint)];
  const running = start(['serve', 'catalog', '--serve-port', '0', ...where], { env: ENVIRONMENT });
  const [, uri = ''] = await said(running, /at (http:\S+?)[;,"]/);
  const close = async () => {
    running.process.kill('SIGINT');
    await running.ended;
  };
  return { uri, close };
}

async function* events(first: number, count: number): AsyncGenerator<Buffer> {
  for (let n = first; n < first + count; n++) {
    const note = randomBytes(NOTE_BYTES).toString('hex');
    const event = { event_uuid: `soak-${n}`, event_name: 'soak:made', created_at: 1.7e9 + n, note };
    yield Buffer.from(JSON.stringify(event));
  }
}

/** What the doubles of the tests remember of every request would be the memory that grows here. */
function forgetting(proxy: FaultyProxy, requests: string[]): void {
  const timer = setInterval(() => {
    proxy.seen.length = 0;
    requests.length = 0;
  }, 1_000);
  timer.unref();
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
