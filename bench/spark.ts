/**
 * Both engines beside each other on the same events: judged from spools into raw, then staged, each into a lake of its
 * own on disk; Spark is a server on loopback, as `local[2]`. A fifth of the events are repeats, half of them in a later
 * batch. In the end both stagings must hold the same events.
 *
 * Usage: node bench/spark.ts [EVENTS] [EVENTS_A_BATCH]   Last line: figure against bar; exits 1 when the bar is missed.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { silentLog, systemClock } from '../src/base/base.ts';
import { type Engine, openEngine, openSparkEngine, storeFiles } from '../src/engine/engine.ts';
import { type Lake, openLake, openSqliteCatalog } from '../src/lake/lake.ts';
import { openDiskStore } from '../src/object-store/object-store.ts';
import { stageEvents } from '../src/staging/staging.ts';
import {
  advance,
  firstCommit,
  QUARANTINE,
  QUARANTINE_NAME,
  RAW,
  RAW_NAME,
  STAGING_NAME,
} from '../src/tables/tables.ts';
import { sparkInstallation } from '../tests/support/spark.ts';

const events = Number(process.argv[2] ?? 1_000_000);
const perBatch = Number(process.argv[3] ?? 500_000);
const LIMITS = { minTime_s: Date.UTC(2000, 0, 1) / 1000, maxAhead_s: 48 * 3600 };
const MEMORY = '2g';

const installation = await sparkInstallation();
if (installation.missing !== undefined) {
  console.error(installation.missing);
  process.exit(1);
}
const folder = await mkdtemp(join(tmpdir(), 'bench-spark-'));
const server = await installation.serve({ memory: MEMORY });
try {
  console.log(`${availableParallelism()} cores, ${events} events in batches of ${perBatch}`);
  const spools = await makeSpools();
  const duckdb = await through('DuckDB', spools, async (dir) => embedded(dir));
  const spark = await through('Spark', spools, async (dir, lake) =>
    openSparkEngine({
      ...{ url: `sc://127.0.0.1:${server.port}`, lake, embedded: await embedded(dir), attempts: 8 },
      ...{ clock: systemClock, log: silentLog, newId, random: Math.random },
      catalog: {
        name: 'lakeward',
        uri: `jdbc:sqlite:${join(dir, 'catalog.sqlite')}?busy_timeout=10000&journal_mode=WAL`,
      },
    }),
  );
  const judge = await embedded(join(folder, 'judge'));
  const differing = await judge.compareIdentities(duckdb.files, spark.files);
  await judge.close();
  const differences = differing.repeated + differing.missing + differing.extra;
  console.log(`Spark's server at its most: ${await mostMemory(server.pid)} MB`);
  console.log(
    `${spark.rows} events staged by Spark, ${duckdb.rows} by DuckDB; differences: ${differences}, bar: 0`,
  );
  process.exitCode = differences === 0 && spark.rows === duckdb.rows && spark.rows > 0 ? 0 : 1;
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

function newId(): string {
  return crypto.randomUUID();
}

async function embedded(dir: string): Promise<Engine> {
  const workFolder = join(dir, 'work');
  await mkdir(workFolder, { recursive: true });
  return openEngine({ workFolder, memory_bytes: 1e9, threads: 1, lanes: 2 });
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
        from range(${first}, ${end}))) to '${path}' (format parquet, compression uncompressed)`);
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
  await mkdir(join(dir, 'lake'), { recursive: true });
  const store = openDiskStore({ root: join(dir, 'lake') });
  const catalog = openSqliteCatalog({ path: join(dir, 'catalog.sqlite') });
  const lake = openLake({ store, catalog, clock: systemClock, log: silentLog, random: Math.random });
  const engine = await open(dir, lake);
  for (const [table, definition] of [
    [RAW_NAME, RAW],
    [QUARANTINE_NAME, QUARANTINE],
  ] as const) {
    await lake.create(table, definition, { commitId: newId(), stage: firstCommit('bench') });
  }
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
  const rate = (ms: number) => `${Math.round(events / (ms / 1000)).toLocaleString('en-US')} events/s`;
  console.log(
    `${name}: into raw ${rate(staging - judging)}, into staging ${rate(end - staging)}, together ${rate(end - judging)}`,
  );
  console.log(`${name}: this process at its most ${await mostMemory(process.pid)} MB`);
  const table = await lake.load(STAGING_NAME);
  const { files } = await lake.files(table!);
  await engine.close();
  await lake.close();
  return { rows: written, files };
}

/** Without a window: every repeat goes on to staging. */
async function intoRaw({ lake, engine }: { lake: Lake; engine: Engine }, path: string): Promise<void> {
  const batch = await engine.judge({ path, shards: ['shard'], stream: 'bench' }, LIMITS);
  const raw = (await lake.load(RAW_NAME))!;
  const files = await storeFiles(lake, { table: raw, files: await batch.writeEvents(new Int32Array(0)) });
  const manifests = await lake.prepare(raw, files);
  const tally = { received: batch.records, written: batch.events };
  const outcome = await lake.commit(raw, {
    ...{ commitId: newId(), operation: 'append', manifests },
    stage: (base, attempt) => advance(base, attempt, { writer: 'bench', tally }),
  });
  if (outcome.kind !== 'committed') throw new Error(outcome.why);
  await batch.dispose();
  await batch.settle?.();
}

async function mostMemory(pid: number | undefined): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
  return Number.isNaN(kilobytes) ? '?' : String(Math.round(kilobytes / 1024));
}
