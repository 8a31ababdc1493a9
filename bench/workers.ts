/**
 * Eight processors as processes on one stream and one table, once for each catalog: how many events a second they write
 * together, and the longest time that the table goes without a commit while events come. They share the shards before
 * the first event is put; at the end raw is counted: every event once. The stream runs in its own process, the producer
 * in this one, all on the same cores.
 *
 * Usage: node bench/workers.ts [EVENTS [CATALOG …]]   Last line: figure against bar; exits 1 when the bar is missed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { silentLog, systemClock } from '../src/base/base.ts';
import { openDiskStore } from '../src/object-store/object-store.ts';
import { openStream, type Stream, workersHeard } from '../src/stream/stream.ts';
import { lakeward, type Running, start } from '../tests/support/program.ts';

const CATALOGS = ['sqlite', 'bucket', 'rest'] as const;
type CatalogKind = (typeof CATALOGS)[number];
const [, , wantedEvents = '1000000', ...wantedCatalogs] = process.argv;
const EVENTS = Number(wantedEvents);
const WORKERS = 8;
const SHARDS = 64;
const SPACING_MS = 1_000;
/** The longest time without a commit may be twice what each worker leaves between its own. */
const BAR_MS = 2 * WORKERS * SPACING_MS;
const STUCK_MS = 180_000;
const TYPES = 12;

if (!Number.isInteger(EVENTS) || EVENTS < 1_000) throw new Error('EVENTS is a whole number of at least 1000');

interface Commit {
  at_ms: number;
  received: number;
}

interface Measured {
  rate: number;
  commits: number;
  perSecond: number;
  longest_ms: number;
}

const figure = (n: number) => Math.round(n).toLocaleString('en-US');
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}`);
console.log(`${WORKERS} workers, ${SHARDS} shards, ${figure(EVENTS)} events for each catalog`);
let longest_ms = 0;
for (const catalog of CATALOGS) {
  if (wantedCatalogs.length > 0 && !wantedCatalogs.includes(catalog)) continue;
  const measured = await measure(catalog);
  longest_ms = Math.max(longest_ms, measured.longest_ms);
  console.log(
    `${catalog.padEnd(7)} ${figure(measured.rate).padStart(8)} events/s  ${measured.commits} commits, ${measured.perSecond.toFixed(2)} a second  longest without one ${seconds(measured.longest_ms)}`,
  );
}
console.log(`longest time without a commit: ${seconds(longest_ms)}, at most ${seconds(BAR_MS)} wanted`);
process.exitCode = longest_ms <= BAR_MS ? 0 : 1;

async function measure(catalog: CatalogKind): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-bench-workers-'));
  const dir = join(folder, 'lake');
  const server = spawn(process.execPath, ['bench/stream-process.ts', join(folder, 'stream')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const endpoint = String((await once(createInterface({ input: server.stdout! }), 'line'))[0]);
  const stream = openStream({
    ...{ name: 'events', endpoint, region: 'us-east-1', clock: systemClock, log: silentLog },
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    random: Math.random,
  });
  const served = catalog === 'rest' ? await serve(dir) : undefined;
  const env =
    served === undefined ? { LAKEWARD_CATALOG_KIND: catalog } : { LAKEWARD_CATALOG_URI: served.uri };
  const workers: Running[] = [];
  try {
    await stream.ensure(SHARDS);
    for (let i = 0; i < WORKERS; i++) workers.push(startWorker({ dir, endpoint, env }));
    await until(workers, 'all shards are shared', () => areShared(dir));
    const begun_ms = Date.now();
    const [commits] = await Promise.all([committed(workers), put(stream)]);
    for (const worker of workers) worker.process.kill('SIGTERM');
    for (const { ended } of workers) if ((await ended).code !== 0) throw new Error((await ended).stderr);
    await check(dir, env);
    return figures(commits, begun_ms);
  } finally {
    for (const worker of workers) worker.process.kill('SIGKILL');
    served?.running.process.kill('SIGTERM');
    await stream.close();
    server.stdin!.end();
    await once(server, 'exit');
    await Promise.all([...workers.map(({ ended }) => ended), served?.running.ended]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function serve(dir: string): Promise<{ running: Running; uri: string }> {
  const running = start(['serve', 'catalog', '--dir', dir, '--serve-port', '0']);
  let uri: string | undefined;
  while (uri === undefined) {
    if (running.process.exitCode !== null) throw new Error(running.stderr());
    await pause(50);
    uri = /http:\/\/127\.0\.0\.1:\d+/.exec(running.stderr())?.[0];
  }
  return { running, uri };
}

function startWorker(at: { dir: string; endpoint: string; env: Record<string, string> }): Running {
  return start(
    [
      ...['run', 'processor', 'quarantine', '--dir', at.dir, '--endpoint', at.endpoint],
      ...['--workers-lease', '15s', '--commit-spacing', `${SPACING_MS}ms`, '--commit-max-age', '1s'],
      ...['--engine-threads', '1', '--engine-memory', '256MB', '--monitor-port', '0', '--log-format', 'json'],
    ],
    { env: at.env },
  );
}

async function areShared(dir: string): Promise<boolean> {
  const heard = await workersHeard(openDiskStore({ root: join(dir, 'lake') }));
  const shards = heard.flatMap((worker) => worker.shards);
  return heard.length === WORKERS && shards.length === SHARDS && new Set(shards).size === SHARDS;
}

async function put(stream: Stream): Promise<void> {
  const sent = await stream.send(events());
  if (sent.records !== EVENTS) throw new Error(`${sent.records} events were sent`);
}

async function* events(): AsyncGenerator<Uint8Array> {
  const created_at = Math.floor(Date.now() / 1000);
  for (let i = 0; i < EVENTS; i++) {
    const event = {
      event_uuid: crypto.randomUUID(),
      event_name: `type${i % TYPES}:made`,
      created_at,
      number: i,
    };
    yield Buffer.from(JSON.stringify(event));
  }
}

/** All commits that took events, once they have taken all. */
async function committed(workers: readonly Running[]): Promise<Commit[]> {
  let commits: Commit[] = [];
  const received = () => commits.reduce((sum, commit) => sum + commit.received, 0);
  await until(workers, 'all events are committed', async () => {
    commits = workers.flatMap((worker) => commitsOf(worker));
    return received() >= EVENTS;
  });
  return commits;
}

function commitsOf(worker: Running): Commit[] {
  return worker
    .stderr()
    .split('\n')
    .filter((line) => line.includes('"processor.committed"') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as { time: string; received: number })
    .map(({ time, received }) => ({ at_ms: Date.parse(time), received }));
}

async function until(
  workers: readonly Running[],
  what: string,
  holds: () => Promise<boolean>,
): Promise<void> {
  const begun_ms = Date.now();
  while (!(await holds())) {
    const ended = workers.find(({ process }) => process.exitCode !== null);
    if (ended !== undefined) throw new Error(`a worker ended before ${what}: ${ended.stderr()}`);
    if (Date.now() - begun_ms > STUCK_MS + EVENTS) throw new Error(`waited too long until ${what}`);
    await pause(100);
  }
}

/** From the first put to the last commit. */
function figures(commits: readonly Commit[], begun_ms: number): Measured {
  const times = commits.map(({ at_ms }) => at_ms).sort((a, b) => a - b);
  const gaps = times.map((at_ms, i) => at_ms - (times[i - 1] ?? begun_ms));
  const elapsed_s = (times.at(-1)! - begun_ms) / 1000;
  return {
    rate: EVENTS / elapsed_s,
    commits: times.length,
    perSecond: times.length / elapsed_s,
    longest_ms: gaps.reduce((most, gap) => Math.max(most, gap), 0),
  };
}

async function check(dir: string, env: Record<string, string>): Promise<void> {
  const question = 'select count(*) as rows, count(distinct event_uuid) as ids from raw.events';
  const { stdout } = await lakeward(['sql', '--dir', dir, '--format', 'json', question], { env });
  const [found] = JSON.parse(stdout) as [{ rows: number; ids: number }];
  if (found.rows !== EVENTS || found.ids !== EVENTS)
    throw new Error(`wrong output: ${JSON.stringify(found)}, ${EVENTS} events were put`);
}
