/**
 * Both engines beside each other on the same events: judged from spools into raw, then staged, each into a lake of its
 * own on disk; Spark is a server on loopback, as `local[2]`. A fifth of the events are repeats, half of them in a later
 * batch. In the end both stagings must hold the same events.
 *
 * Usage: node bench/spark.ts [EVENTS] [EVENTS_A_BATCH]   Last line: figure against bar; exits 1 when the bar is missed.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { silentLog, systemClock } from '../src/base/base.ts';
import { type Engine, openSparkEngine } from '../src/engine/engine.ts';
import type { Lake } from '../src/lake/lake.ts';
import { stageEvents } from '../src/staging/staging.ts';
import { STAGING_NAME } from '../src/tables/tables.ts';
import { sparkInstallation } from '../tests/support/spark.ts';
import { benchLake, embedded, intoRaw, jdbcUri, newId } from './raw-lake.ts';

const events = Number(process.argv[2] ?? 1_000_000);
const perBatch = Number(process.argv[3] ?? 500_000);
const MEMORY = '2g';

const installation = await sparkInstallation();
if (installation.missing !== undefined) {
  console.error(installation.missing);
  process.exit(1);
}
const folder = await mkdtemp(join(tmpdir(), 'bench-spark-'));
const server = await installation.serve({ memory: MEMORY });
try {
  const load = loadavg()[0]!.toFixed(1);
  console.log(
    `${availableParallelism()} cores (load ${load} before), ${events} events in batches of ${perBatch}`,
  );
  const spools = await makeSpools();
  const duckdb = await through('DuckDB', spools, async (dir) => embedded(dir));
  const spark = await through('Spark', spools, async (dir, lake) =>
    openSparkEngine({
      ...{ url: `sc://127.0.0.1:${server.port}`, lake, embedded: await embedded(dir), attempts: 8 },
      ...{ clock: systemClock, log: silentLog, newId, random: Math.random },
      catalog: { name: 'lakeward', uri: jdbcUri(dir) },
    }),
  );
  const judge = await embedded(join(folder, 'judge'));
  const differing = await judge.compareIdentities(duckdb.files, spark.files);
  await judge.close();
  const differences = differing.repeated + differing.missing + differing.extra;
  console.log('engine  into raw/s  into staging/s  together/s  this process MB  Spark MB');
  for (const each of [duckdb, spark]) {
    const sparkMB = each === spark ? await mostMemory(server.pid) : '';
    console.log(
      `${each.name.padEnd(6)}  ${each.rates.map((rate) => rate.padStart(10)).join('  ')}  ${each.memory_MB.padStart(15)}  ${sparkMB.padStart(8)}`,
    );
  }
  console.log(
    `${spark.rows} events staged by Spark, ${duckdb.rows} by DuckDB; differences: ${differences}, bar: 0`,
  );
  process.exitCode = differences === 0 && spark.rows === duckdb.rows && spark.rows > 0 ? 0 : 1;
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

/** About 250 bytes an event, of 12 types on two days; identity n is event n or, of every fifth, an earlier one. */
async function makeSpools(): Promise<string[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const c = await instance.connect();
  const paths: string[] = [];
  for (let first = 0; first < events; first += perBatch) {
    const path = join(folder, `spool-${paths.length}.parquet`);
    const end = Math.min(first + perBatch, events);
    await c.run(`copy (select encode('{"event_uuid":"' || md5(id::varchar)::uuid || '","event_name":"type' || id % 12
        || ':made","created_at":' || (1768435200 + id % 172800) || ',"payload":"' || repeat('x', 120) || '"}') as body,
        (n + 1000)::varchar as seq, 1768608000000 as arrived_ms, 0::int as shard, -1::int as sub
      from (select range as n, case when range % 5 = 4 then range * 7919 % (range + 1) else range end as id
        from range(${first}, ${end}))) to '${path}' (format parquet, compression snappy)`);
    paths.push(path);
  }
  instance.closeSync();
  return paths;
}

async function through(
  name: string,
  spools: readonly string[],
  open: (dir: string, lake: Lake) => Promise<Engine>,
) {
  const dir = join(folder, name);
  const lake = await benchLake(dir);
  const engine = await open(dir, lake);
  await forgetMemory();
  const judging = performance.now();
  for (const path of spools) await intoRaw({ lake, engine }, path);
  const staging = performance.now();
  const { received, written } = await stageEvents({
    ...{ lake, engine, clock: systemClock, log: silentLog, writer: 'bench', newId, random: Math.random },
    ...{
      maxRows: perBatch,
      bounds: { filesMost: 4_096, typesMost: 1_000 },
      signal: new AbortController().signal,
    },
  });
  const end = performance.now();
  if (received !== events) throw new Error(`${name} staged ${received} of ${events} rows of raw`);
  const rate = (ms: number) => Math.round(events / (ms / 1000)).toLocaleString('en-US');
  const rates = [staging - judging, end - staging, end - judging].map(rate);
  const memory_MB = await mostMemory(process.pid);
  const table = await lake.load(STAGING_NAME);
  const { files } = await lake.files(table!);
  await engine.close();
  await lake.close();
  return { name, rates, memory_MB, rows: written, files };
}

/** The high-water mark of this process begins anew, for each engine its own. */
async function forgetMemory(): Promise<void> {
  await writeFile('/proc/self/clear_refs', '5').catch(() => {});
}

async function mostMemory(pid: number | undefined): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
  return Number.isNaN(kilobytes) ? '?' : String(Math.round(kilobytes / 1024));
}
