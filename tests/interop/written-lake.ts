/** A lake on disk as the product writes it: difficult records through processor, quarantine and staging. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '../../src/base/base.ts';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import { type Lake, openLake, openSqliteCatalog, type Table } from '../../src/lake/lake.ts';
import { openDiskStore } from '../../src/object-store/object-store.ts';
import { processStream } from '../../src/processor/processor.ts';
import { adoptRejected } from '../../src/quarantine/quarantine.ts';
import { stageEvents } from '../../src/staging/staging.ts';
import { needsForgotten, type PartitionBounds } from '../../src/tables/tables.ts';
import { type Verified, verifyLake } from '../../src/verify/verify.ts';
import { loaded } from '../support/edited-table.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { BOUNDS } from '../support/worker.ts';
import { difficultRecords, type Event, type Record } from './difficult-events.ts';

export interface WrittenLake {
  lake: Lake;
  engine: Engine;
  stream: ScriptedStream;
  records: readonly Record[];
  /** One of each identity. */
  events: readonly Event[];
  rejected: readonly Record[];
  catalogPath: string;
  /** Everything that is in the stream, through all roles. */
  run(): Promise<void>;
  /** The proof that nothing is lost or doubled, down to the documents. */
  verify(): Promise<Verified>;
  table(name: string): Promise<Table>;
  rows(name: string, columns: string, rest?: string): Promise<unknown[][]>;
  close(): Promise<void>;
}

const ARRIVALS = { firstArrival_ms: Date.UTC(2026, 0, 10, 3), step_ms: 108_000 };
const LIMITS = { minTime_s: Date.UTC(2000, 0, 1) / 1000, maxAhead_s: 48 * 3600 };
const NEVER = new AbortController().signal;

export interface LakeToWrite {
  count: number;
  seed: number;
  /** Records of the commits, first to last; the last one takes the rest. */
  commits: readonly number[];
  bounds?: PartitionBounds;
  formatVersion?: 2 | 3;
}

export async function writeLake({
  count,
  seed,
  commits,
  bounds = BOUNDS,
  formatVersion = 2,
}: LakeToWrite): Promise<WrittenLake> {
  // A folder as people name theirs: its location must be the same text for every reader.
  const folder = await mkdtemp(join(tmpdir(), 'lake of Zoë '));
  const [spoolFolder, catalogPath] = [join(folder, 'spools'), join(folder, 'catalog.sqlite')];
  await mkdir(spoolFolder);
  const store = openDiskStore({ root: join(folder, 'lake') });
  const catalog = openSqliteCatalog({ path: catalogPath });
  const lake = openLake({
    ...{
      store,
      catalog,
      clock: systemClock,
      log: silentLog,
      random: Math.random,
      formatVersion,
      needsForgotten,
    },
  });
  const engine = await openEngine({ workFolder: join(folder, 'engine'), memory_bytes: 500e6, threads: 1 });
  const stream = new ScriptedStream({ shards: 2, ...ARRIVALS });
  const records = difficultRecords({ count, seed, ...ARRIVALS });
  const around = {
    ...{ lake, engine, clock: systemClock, log: silentLog, writer: 'interop' },
    ...{ newId: () => crypto.randomUUID(), random: Math.random, signal: NEVER, bounds },
  };
  const written: WrittenLake = {
    ...{ lake, engine, stream, records, catalogPath },
    events: [...new Map(records.flatMap(({ event }) => (event ? [[event.uuid, event]] : []))).values()],
    rejected: records.filter(({ reason }) => reason !== undefined),
    async run() {
      await processStream({
        ...{
          ...around,
          stream,
          spoolFolder,
          limits: LIMITS,
          start: 'TRIM_HORIZON',
          until_ms: Number.MAX_SAFE_INTEGER,
        },
        ...{ watermark_s: 600, maxIds: 100_000, maxRows: 100_000, maxBytes: 1e9, maxAge_ms: 1_000 },
        ...{ spoolsAhead: 1, poll_ms: 10, adopt: async () => (await adoptRejected(around)).upTo },
      });
      await adoptRejected(around);
      await stageEvents({ ...around, maxRows: 1_000 });
    },
    verify: () =>
      verifyLake({
        ...{ ...around, stream, spoolFolder, limits: LIMITS },
        ...{ deep: true, maxRows: 100_000, maxBytes: 1e9 },
      }),
    table: (name) => loaded(lake, name),
    async rows(name, columns, rest = '') {
      const table = await loaded(lake, name);
      const { files } = await lake.files(table);
      const paths = files.map(({ location }) => `'${lake.store.localPath(location)}'`);
      const scan = `read_parquet([${paths.join(', ')}], hive_partitioning = false, schema = ${columnsById(table)})`;
      const { chunks } = await engine.query(`select ${columns} from ${scan} ${rest}`);
      const found: unknown[][] = [];
      for await (const chunk of chunks()) found.push(...(chunk as unknown[][]));
      return found;
    },
    async close() {
      await engine.close();
      await lake.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  stream.put(records.map(({ body }) => body));
  for (const rows of commits) stream.script.push({ rows });
  try {
    await written.run();
    return written;
  } catch (error) {
    await written.close();
    throw error;
  }
}

const DUCKDB_TYPES: { readonly [type: string]: string } = {
  ...{ string: 'varchar', int: 'integer', long: 'bigint', float: 'float', double: 'double' },
  ...{ boolean: 'boolean', binary: 'blob', timestamptz: 'timestamptz', timestamp: 'timestamp', date: 'date' },
};

/** What DuckDB finds by field id, under the names of today; columns of other types are left out. */
function columnsById({ metadata }: Table): string {
  const schema = metadata.schemas.find((each) => each['schema-id'] === metadata['current-schema-id']);
  const columns = (schema?.fields ?? []).flatMap(({ id, name, type }) => {
    const duckDb = DUCKDB_TYPES[String(type)];
    return duckDb ? [`${id}: {name: '${name}', type: '${duckDb}', default_value: null::varchar}`] : [];
  });
  return `map {${columns.join(', ')}}`;
}
