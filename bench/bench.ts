/**
 * The main job, measured as it is shipped: 3,000,000 real flights with repeats and damage are put into the embedded
 * stream beforehand; then `lakeward run --once` with its default options takes them over HTTP into raw and staging,
 * on disk, fsync on, while the stream runs in its own process on the same cores. Rate: events of the stream, from the
 * moment the processor begins to read to the last commit of staging. The output is checked before a rate is printed.
 * Beside it, in the same run, bare DuckDB does the same work over the same bytes as a file.
 *
 * Usage: node bench/bench.ts [FLIGHTS]   Last line: figure against bar; exits 1 when the bar is missed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { silentLog, systemClock } from '../src/base/base.ts';
import { fileSource, recordsOf } from '../src/cli/cli.ts';
import { openStream } from '../src/stream/stream.ts';
import { FLIGHTS, flightsCorpus } from '../tests/support/corpora/flights.ts';
import { start } from '../tests/support/program.ts';

const BAR = 100_000;
const flights = Number(process.argv[2] ?? FLIGHTS);
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lakeward-bench');
await mkdir(cache, { recursive: true });
const figure = (n: number) => Math.round(n).toLocaleString('en-US');

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}`);
const corpus = await flightsCorpus({ cacheFolder: cache, rows: flights });
const folder = await mkdtemp(join(cache, 'run-'));
try {
  const measured = await measure();
  const baseline = await bareDuckDb();
  report(measured, baseline);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure() {
  // With the flag that bin/lakeward gives it.
  const script = ['--initial-old-space-size=128', 'bench/stream-process.ts', join(folder, 'stream')];
  const server = spawn(process.execPath, script, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: server.stdout! })[Symbol.asyncIterator]();
  const endpoint = String((await answers.next()).value);
  const cpuOfServer = async () => {
    server.stdin!.write('\n');
    return Number((await answers.next()).value);
  };
  try {
    const put = await putCorpus(endpoint);
    const before_s = await cpuOfServer();
    const run = await runProduct(endpoint);
    const server_s = (await cpuOfServer()) - before_s;
    await check();
    return { put, server_s, ...run };
  } finally {
    server.stdin!.end();
    await once(server, 'exit');
  }
}

async function putCorpus(endpoint: string) {
  const stream = openStream({
    name: 'events',
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    clock: systemClock,
    log: silentLog,
    random: Math.random,
  });
  await stream.ensure(1);
  const begun = performance.now();
  const sent = await stream.send(recordsOf(await fileSource(corpus.path), () => {}));
  await stream.close();
  const elapsed_s = (performance.now() - begun) / 1000;
  console.log(`put beforehand: ${figure(sent.records)} records in ${elapsed_s.toFixed(1)} s`);
  return { records: sent.records, elapsed_s };
}

async function runProduct(endpoint: string) {
  const args = [
    'run',
    // Without maintenance: the other side of the comparison has none.
    'processor',
    'quarantine',
    'staging',
    '--once',
    '--endpoint',
    endpoint,
    '--dir',
    join(folder, 'lake'),
    '--log-format',
    'json',
  ];
  const running = start(args);
  const cpu = cpuOf(running.process);
  const ended = await running.ended;
  const cpu_s = cpu.stop();
  if (ended.code !== 0) throw new Error(`lakeward run ended with ${ended.code}\n${ended.stderr}`);
  const entries = ended.stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { id: string; time: string });
  const time = (id: string, which: 'first' | 'last') => {
    const found = entries.filter((entry) => entry.id === id);
    return Date.parse(found.at(which === 'first' ? 0 : -1)!.time);
  };
  const begun = time('processor.reading', 'first');
  return {
    cpu_s,
    raw_s: (time('processor.committed', 'last') - begun) / 1000,
    staging_s: (time('staging.committed', 'last') - begun) / 1000,
    commits: entries.filter((entry) => entry.id === 'processor.committed').length,
    stagings: entries.filter((entry) => entry.id === 'staging.committed').length,
  };
}

/** CPU seconds of a process and its threads, from /proc, the last that was seen before it ended. */
function cpuOf(child: ChildProcess): { stop(): number } {
  let last_s = 0;
  const look = async () => {
    const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields.length > 13) last_s = (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const timer = setInterval(look, 100);
  return {
    stop() {
      clearInterval(timer);
      return last_s;
    },
  };
}

/** Every event of the corpus exactly once, by the corpus' own truth. */
async function check(): Promise<void> {
  const question =
    'select count(*) as rows, count(distinct lower(event_uuid)) as ids, (select count(*) from quarantine.events) as bad from staging.events';
  const dir = join(folder, 'lake');
  const answer = await start(['sql', '--dir', dir, '--format', 'json', question]).ended;
  const [found] = JSON.parse(answer.stdout) as [{ rows: number; ids: number; bad: number }];
  const { distinct, damaged } = corpus.truth;
  const bad = Object.values(damaged).reduce((sum, n) => sum + n, 0);
  if (found.rows !== distinct || found.ids !== distinct || found.bad !== bad) {
    throw new Error(
      `wrong output: ${JSON.stringify(found)}, the corpus has ${distinct} distinct events and ${bad} damaged records`,
    );
  }
  console.log(
    `checked: ${figure(found.rows)} events in staging, each once; ${figure(found.bad)} in quarantine`,
  );
}

async function bareDuckDb(): Promise<{ elapsed_s: number; cpu_s: number; events: number }> {
  const child = spawn(process.execPath, ['bench/baseline.ts', corpus.path, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout!.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  return JSON.parse(text);
}

function report(m: Awaited<ReturnType<typeof measure>>, b: Awaited<ReturnType<typeof bareDuckDb>>): void {
  const records = m.put.records;
  const row = (name: string, seconds: number, cpu_s: number | undefined) =>
    `${name.padEnd(36)} ${seconds.toFixed(1).padStart(7)} s ${figure(records / seconds).padStart(10)}/s${
      cpu_s === undefined ? '' : `  ${((cpu_s / records) * 1e6).toFixed(1)} CPU s per million`
    }`;
  console.log('');
  console.log(row(`stream → raw (${m.commits} commits)`, m.raw_s, undefined));
  console.log(row(`stream → staging (${m.stagings} commits)`, m.staging_s, m.cpu_s));
  console.log(`${'  beside it, the stream server'.padEnd(36)} ${m.server_s.toFixed(1).padStart(7)} CPU s`);
  console.log(row('bare DuckDB, file → both layers', b.elapsed_s, b.cpu_s));
  const rate = records / m.staging_s;
  console.log(`stream → staging: ${figure(rate)} events/s, at least ${figure(BAR)} wanted`);
  process.exitCode = rate >= BAR ? 0 : 1;
}
