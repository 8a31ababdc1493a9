/**
 * Does a table stay small while commits go on? Thousands of commits of a file for each of 60 event types to
 * staging.events, a minute of the table's time apart, maintenance after every sixth. Data files are synthetic (only
 * their descriptions are real), but for one type of which every 50th commit brings a real one. What the table costs at
 * the end is compared with what it cost after the first 400 commits; the last line is the figure against the bar.
 *
 * Usage: node bench/soak-maintenance.ts [COMMITS]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { silentLog } from '../src/base/base.ts';
import { type Engine, openEngine, storeFiles } from '../src/engine/engine.ts';
import { type DataFile, openLake, openSqliteCatalog, type Table } from '../src/lake/lake.ts';
import { type MaintenanceOptions, maintain } from '../src/maintenance/maintenance.ts';
import { type ObjectStore, openDiskStore } from '../src/object-store/object-store.ts';
import { advance, firstCommit, STAGING, STAGING_NAME } from '../src/tables/tables.ts';

const COMMITS = Number(process.argv[2] ?? 9_000);
const TYPES = 60;
const ROWS = 1_000;
const ROW_BYTES = 100;
const FOOTER_BYTES = 2_000;
/** As `lakeward run` commits by default; the last commits come hours after a midnight, when yesterday has settled. */
const COMMIT_EVERY_MS = 60_000;
const MAINTAIN_EVERY = 6;
const REAL_EVERY = 50;
const REAL_ROWS = 100;
const REAL_TYPE = 'real';
/** Figures are those of the hundred commits before this one, and of the last hundred. */
const EARLY = 400;
const WINDOW = 100;
const BAR = 1.5;
const SYNTHETIC = 'synthetic:';
const DAY_MS = 86_400_000;

if (!Number.isInteger(COMMITS) || COMMITS < EARLY + WINDOW)
  throw new Error(`COMMITS is a whole number of at least ${EARLY + WINDOW}`);

const folder = await mkdtemp(join(tmpdir(), 'lakeward-soak-'));
let now_ms = Date.UTC(2026, 0, 1);
const clock = {
  now: () => now_ms,
  sleep: async (ms: number) => {
    now_ms += Math.ceil(ms);
  },
};
const store = withoutSynthetic(openDiskStore({ root: join(folder, 'lake') }));
const catalog = openSqliteCatalog({ path: join(folder, 'catalog.sqlite') });
const lake = openLake({ store, catalog, clock, log: silentLog, random: Math.random });
const engine = await openEngine({ workFolder: join(folder, 'work'), memory_bytes: 500e6, threads: 1 });
let real = 0;

interface Cost {
  files: number;
  metadata_bytes: number;
  planning_ms: number;
  commit_ms: number;
}
const costs: Cost[] = [];

try {
  process.exitCode = await soak();
} finally {
  await engine.close();
  await lake.close();
  await rm(folder, { recursive: true, force: true });
}

async function soak(): Promise<number> {
  const begun = performance.now();
  const seeds = new Map<number, string>();
  let table = await lake.create(STAGING_NAME, STAGING, {
    commitId: crypto.randomUUID(),
    stage: firstCommit('soak'),
  });
  for (let n = 1; n <= COMMITS; n++) {
    now_ms += COMMIT_EVERY_MS;
    const day = Math.floor(now_ms / DAY_MS);
    const files = Array.from({ length: TYPES }, (_, type) => synthetic(table, { day, type: `type${type}` }));
    if (n % REAL_EVERY === 0) files.push(...(await realFiles(table, { day, seeds })));
    const started = performance.now();
    table = await append(table, files);
    const commit_ms = performance.now() - started;
    if (n % MAINTAIN_EVERY === 0) table = await maintained(table);
    if (isMeasured(n)) costs.push({ ...(await costOf(table, day)), commit_ms });
    if (n % 500 === 0)
      console.error(`${n} of ${COMMITS} commits, ${Math.round((performance.now() - begun) / 1000)} s`);
  }
  await proveRows(table);
  return verdict((performance.now() - begun) / 1000);
}

function isMeasured(n: number): boolean {
  return (n > EARLY - WINDOW && n <= EARLY) || n > COMMITS - WINDOW;
}

async function append(table: Table, files: readonly DataFile[]): Promise<Table> {
  const written = files.reduce((sum, file) => sum + file.recordCount, 0);
  const outcome = await lake.commit(table, {
    commitId: crypto.randomUUID(),
    operation: 'append',
    manifests: await lake.prepare(table, files),
    stage: (base, attempt) =>
      advance(base, attempt, { writer: 'soak', tally: { received: written, written } }),
  });
  if (outcome.kind !== 'committed') throw new Error(outcome.why);
  return outcome.table;
}

async function maintained(table: Table): Promise<Table> {
  const options: MaintenanceOptions = {
    lake,
    openEngine: async () => syntheticEngine(),
    clock,
    log: silentLog,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    writer: 'maintenance',
    bounds: { filesMost: 4_096, typesMost: 1_000 },
    rules: {
      targetFileSize_bytes: 128 * 2 ** 20,
      minFiles: 8,
      roundMost_bytes: 2e9,
      keepSnapshots_ms: 5 * DAY_MS,
      snapshotsLeast: 20,
      // Fewer than by default: the table is compared with itself after 400 commits.
      snapshotsMost: 300,
      consumerLagMost_ms: 7 * DAY_MS,
      rawRetention_ms: undefined,
    },
    signal: new AbortController().signal,
  };
  const reports = await maintain(options, { tables: [STAGING_NAME], dryRun: false });
  const bad = reports.flatMap(({ work }) => work).find(({ result }) => result !== 'done');
  if (bad !== undefined) throw new Error(`${bad.action}: ${bad.result} (${bad.detail})`);
  return (await lake.load(table.name))!;
}

async function costOf(table: Table, day: number): Promise<Omit<Cost, 'commit_ms'>> {
  let metadata_bytes = 0;
  for await (const { size } of store.list(`${table.metadata.location}/metadata/`)) metadata_bytes += size;
  const { listed } = await lake.files(table, { afterSequenceNumber: table.metadata['last-sequence-number'] });
  const from = BigInt(day) * BigInt(DAY_MS) * 1000n;
  const where = [
    { column: 'created_datetime', min: from, max: from + BigInt(DAY_MS) * 1000n - 1n },
    { column: 'event_type', in: ['type7'] },
  ];
  const started = performance.now();
  await lake.files(table, { where });
  return { files: listed, metadata_bytes, planning_ms: performance.now() - started };
}

function synthetic(table: Table, { day, type }: { day: number; type: string }): DataFile {
  return {
    ...described([day, type], ROWS),
    location: lake.newFileLocation(table, `day=${day}/type=${type}`),
  };
}

function described(partition: DataFile['partition'], rows: number): Omit<DataFile, 'location'> {
  const [day, type] = partition as [number, string];
  const from = BigInt(day) * BigInt(DAY_MS) * 1000n;
  return {
    specId: 0,
    partition,
    recordCount: rows,
    fileSize: FOOTER_BYTES + rows * ROW_BYTES,
    columnSizes: new Map(STAGING.schema.fields.map(({ id }) => [id, rows])),
    valueCounts: new Map(STAGING.schema.fields.map(({ id }) => [id, rows])),
    nullValueCounts: new Map(STAGING.schema.fields.map(({ id }) => [id, 0])),
    nanValueCounts: new Map(),
    lowerBounds: new Map<number, string | bigint>([
      [3, type],
      [6, from],
    ]),
    upperBounds: new Map<number, string | bigint>([
      [3, type],
      [6, from + 86_399_999_999n],
    ]),
    sortOrderId: 1,
  };
}

/** Real files are read and written by the real engine; of the others only the rows are added up. */
function syntheticEngine(): Engine {
  const rewrite: Engine['rewrite'] = async (input) => {
    if (input.partition![1] === REAL_TYPE) return engine.rewrite(input);
    const rows = input.files.reduce((sum, file) => sum + file.recordCount, 0);
    const file = described(input.partition!, rows);
    const [day, type] = input.partition!;
    return {
      files: [{ localPath: `${SYNTHETIC}${crypto.randomUUID()}`, hint: `day=${day}/type=${type}`, file }],
      [Symbol.asyncDispose]: async () => {},
    };
  };
  return { rewrite, close: async () => {} } as unknown as Engine;
}

function withoutSynthetic(inner: ObjectStore): ObjectStore {
  return new Proxy(inner, {
    get(target, key) {
      if (key === 'moveIn') {
        const moveIn: ObjectStore['moveIn'] = (files) =>
          target.moveIn(files.filter(({ localPath }) => !localPath.startsWith(SYNTHETIC)));
        return moveIn;
      }
      const value = target[key as keyof ObjectStore];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function realFiles(
  table: Table,
  { day, seeds }: { day: number; seeds: Map<number, string> },
): Promise<DataFile[]> {
  const seed = seeds.get(day) ?? (await writeSeed(day));
  seeds.set(day, seed);
  real += REAL_ROWS;
  await using rewritten = await engine.rewrite({
    name: STAGING_NAME,
    table: STAGING,
    files: [{ location: seed, fileSize: 0, recordCount: REAL_ROWS }],
    partition: [day, REAL_TYPE],
    signal: new AbortController().signal,
  });
  return await storeFiles(lake, { table, files: rewritten.files });
}

async function writeSeed(day: number): Promise<string> {
  const path = join(folder, `seed-${day}.parquet`);
  const values: Record<string, string> = {
    event_uuid: 'i::varchar',
    event_type: `'${REAL_TYPE}'`,
    created_at: '0::double',
    created_datetime: `make_timestamp(${day} * 86400000000 + i)::timestamptz`,
    arrived_at: 'null::timestamptz',
    subsequence_number: 'null::integer',
  };
  const columns = STAGING.schema.fields.map(({ name }) => `${values[name] ?? "'x'"} as ${name}`).join(', ');
  const instance = await DuckDBInstance.create(':memory:');
  const c = await instance.connect();
  const ids = STAGING.schema.fields.map(({ id, name }) => `${name}: ${id}`).join(', ');
  const rows = `select ${columns} from range(${REAL_ROWS}) r(i)`;
  await c.run(`copy (${rows}) to '${path}' (format parquet, field_ids {${ids}})`);
  instance.closeSync();
  return path;
}

/** Nothing was lost on the way: by the descriptions, and of the real files by what stands in them. */
async function proveRows(table: Table): Promise<void> {
  const { files } = await lake.files(table);
  const rows = files.reduce((sum, file) => sum + file.recordCount, 0);
  const expected = COMMITS * TYPES * ROWS + real;
  if (rows !== expected) throw new Error(`${expected} rows were written, and the table has ${rows}`);
  const ofReal = files.filter(({ partition }) => partition[1] === REAL_TYPE);
  const counted = await engine.rowCounts(ofReal);
  const held = counted.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  if (held !== real) throw new Error(`${real} real rows were written, and their files hold ${held}`);
}

/** Counts by their worst, times by their middle. */
function verdict(elapsed_s: number): number {
  const worst = (of: readonly number[]) => Math.max(...of);
  const middle = (of: readonly number[]) => of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)]!;
  const measures = { files: worst, metadata_bytes: worst, planning_ms: middle, commit_ms: middle };
  let worstRatio = 0;
  for (const [name, summary] of Object.entries(measures) as [keyof Cost, typeof worst][]) {
    const early = summary(costs.slice(0, WINDOW).map((cost) => cost[name]));
    const late = summary(costs.slice(-WINDOW).map((cost) => cost[name]));
    worstRatio = Math.max(worstRatio, late / early);
    console.log(
      `${name.padEnd(15)} after ${EARLY} commits ${early.toFixed(1).padStart(12)}  after ${COMMITS} ${late.toFixed(1).padStart(12)}  × ${(late / early).toFixed(2)}`,
    );
  }
  const ok = worstRatio <= BAR;
  console.log(
    `soak-maintenance: ${COMMITS} commits in ${elapsed_s.toFixed(0)} s, worst × ${worstRatio.toFixed(2)} (bar: ${BAR}) ${ok ? 'ok' : 'missed'}`,
  );
  return ok ? 0 : 1;
}
