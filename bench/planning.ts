/**
 * What does a question over a very large table have to open? A million data files of staging.events: a year of days, 60
 * event types, a commit a day with one file in twenty for some day before, manifests merged as maintenance does it. The
 * files are synthetic (only their descriptions are real); manifests, lists and commits are those of the product. Then
 * each question is planned in a process of its own, by the call that `lakeward sql` makes. Which manifests can hold an
 * answer is counted by another reader of Avro. The last line is the figure against the bar.
 *
 * Usage: node bench/planning.ts [FILES]
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { avroMetadata, avroRead } from 'icebird';
import { silentLog, systemClock } from '../src/base/base.ts';
import {
  type Change,
  currentSnapshot,
  type DataFile,
  type FileFilter,
  type Lake,
  openLake,
  openSqliteCatalog,
  type Table,
} from '../src/lake/lake.ts';
import { type ObjectStore, openDiskStore } from '../src/object-store/object-store.ts';
import { STAGING, STAGING_NAME } from '../src/tables/tables.ts';

const DAYS = 365;
const TYPES = 60;
const LATE = 0.05;
const FIRST_DAY = 20_000;
const DAY_US = 86_400_000_000n;
/** By which maintenance merges: so many manifests more than the files need, of so many files each. */
const NEEDLESS_MOST = 50;
const FILES_A_MANIFEST = 10_000;

/** Eight that lie over each other before they are sorted anew, and those of commits that were not merged yet. */
const OPENED_MOST = 8 + NEEDLESS_MOST;
/** Of all manifests' bytes. A commit that was not merged yet may hold late files for any day, a seventh of all here. */
const BYTES_MOST = 0.25;
/** Beside what the program takes before it plans: eight manifests are read at once, of each the matching files kept. */
const MEMORY_MOST_BYTES = 128e6;

interface Asked {
  day: number;
  type: string;
}

interface Planned {
  listed: number;
  opened: string[];
  files: number;
  manifests: { listed: number; opened: number };
  bytes: number;
  ms: number;
  before_bytes: number;
  peak_bytes: number;
}

async function bench(count: number): Promise<number> {
  if (!Number.isInteger(count) || count < 10_000)
    throw new Error('FILES is a whole number of at least 10000');
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-planning-'));
  try {
    const { lake } = opened(folder);
    const { table, files } = await fill(lake, count);
    const manifests = await manifestsByIcebird(table);
    const bytes = manifests.reduce((sum, { length }) => sum + length, 0);
    console.log(
      `${count.toLocaleString('en')} files in ${manifests.length} manifests, ${megabytes(bytes)}; ${DAYS} days, ${TYPES} types`,
    );
    console.log('day  type     can match  opened   files      read  planned  memory');
    const days = [0, DAYS / 4, DAYS / 2, DAYS - 2, DAYS - 1].map(Math.floor);
    const faults: string[] = [];
    let worst = { opened: 0, bytes: 0, memory_bytes: 0 };
    for (const [at, day] of days.entries()) {
      const question = { day: FIRST_DAY + day, type: typeName((at * 17) % TYPES) };
      const planned = planInProcess(folder, question);
      const can = manifests
        .filter((manifest) => canMatch(manifest, question))
        .map(({ location }) => location);
      const right = files.get(keyOf(question)) ?? 0;
      if (planned.files !== right)
        faults.push(`${keyOf(question)}: ${planned.files} files instead of ${right}`);
      const needless = planned.opened.filter((location) => !can.includes(location));
      if (needless.length > 0) faults.push(`${keyOf(question)}: ${needless.length} manifests opened in vain`);
      const memory_bytes = planned.peak_bytes - planned.before_bytes;
      worst = {
        opened: Math.max(worst.opened, planned.opened.length),
        bytes: Math.max(worst.bytes, planned.bytes),
        memory_bytes: Math.max(worst.memory_bytes, memory_bytes),
      };
      console.log(
        [
          String(day).padStart(3),
          question.type.padEnd(7),
          String(can.length).padStart(10),
          String(planned.opened.length).padStart(7),
          String(planned.files).padStart(7),
          megabytes(planned.bytes).padStart(9),
          `${Math.round(planned.ms)} ms`.padStart(8),
          megabytes(memory_bytes).padStart(7),
        ].join(' '),
      );
    }
    await lake.close();
    for (const fault of faults) console.log(`WRONG: ${fault}`);
    const share = worst.bytes / bytes;
    const held =
      faults.length === 0 &&
      worst.opened <= OPENED_MOST &&
      share <= BYTES_MOST &&
      worst.memory_bytes <= MEMORY_MOST_BYTES;
    console.log(
      `${held ? 'held' : 'MISSED'}: a day and a type open at most ${worst.opened} of ${manifests.length} manifests (bar ${OPENED_MOST}, none in vain), ${(100 * share).toFixed(1)}% of their bytes (bar ${100 * BYTES_MOST}%), ${megabytes(worst.memory_bytes)} of memory (bar ${megabytes(MEMORY_MOST_BYTES)})`,
    );
    return held ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function opened(folder: string): { lake: Lake; read: { locations: string[]; bytes: number } } {
  const disk = openDiskStore({ root: join(folder, 'lake') });
  const read = { locations: [] as string[], bytes: 0 };
  const store: ObjectStore = new Proxy(disk, {
    get(target, name: keyof ObjectStore) {
      if (name === 'read') return counted;
      const value = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  async function counted(location: string, range?: { offset: number; length: number }) {
    const bytes = await disk.read(location, range);
    read.locations.push(location);
    read.bytes += bytes.length;
    return bytes;
  }
  const catalog = openSqliteCatalog({ path: join(folder, 'catalog.sqlite') });
  return {
    lake: openLake({ store, catalog, clock: systemClock, log: silentLog, random: Math.random }),
    read,
  };
}

/** As `lakeward sql` plans, after the table is loaded. */
async function plan(folder: string, question: Asked): Promise<Planned> {
  const { lake, read } = opened(folder);
  const table = (await lake.load(STAGING_NAME))!;
  const list = currentSnapshot(table.metadata)!['manifest-list'];
  const before_bytes = process.memoryUsage.rss();
  [read.locations, read.bytes] = [[], 0];
  const started = performance.now();
  const { files, manifests, listed } = await lake.files(table, { where: filterOf(question) });
  const ms = performance.now() - started;
  await lake.close();
  return {
    ...{ listed, manifests, ms, before_bytes, bytes: read.bytes },
    opened: read.locations.filter((location) => location !== list),
    files: files.length,
    peak_bytes: process.resourceUsage().maxRSS * 1024,
  };
}

function planInProcess(folder: string, question: Asked): Planned {
  const args = [import.meta.filename, '--plan', folder, JSON.stringify(question)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Planned;
}

function filterOf({ day, type }: Asked): FileFilter[] {
  const from = BigInt(day) * DAY_US;
  return [
    { column: 'created_datetime', min: from, max: from + DAY_US - 1n },
    { column: 'event_type', in: [type] },
  ];
}

async function fill(lake: Lake, count: number): Promise<{ table: Table; files: Map<string, number> }> {
  const files = new Map<string, number>();
  let table = await lake.create(STAGING_NAME, STAGING, { commitId: crypto.randomUUID(), stage });
  const random = uniform();
  const started = performance.now();
  for (let at = 0, made = 0; at < DAYS; at++) {
    const today = Math.round((count * (at + 1)) / DAYS) - made;
    const some = Array.from({ length: today }, (_, n) => {
      const day = FIRST_DAY + (random() < LATE ? Math.floor(random() * at) : at);
      return synthetic(lake, table, { day, type: typeName((made + n) % TYPES) });
    });
    made += today;
    for (const { partition } of some) {
      const key = keyOf({ day: partition[0] as number, type: partition[1] as string });
      files.set(key, (files.get(key) ?? 0) + 1);
    }
    table = await committed(lake, table, { operation: 'append', manifests: await lake.prepare(table, some) });
    table = await tidied(lake, table, made);
    if (at % 30 === 29) console.error(`${made} files, ${Math.round((performance.now() - started) / 1000)} s`);
  }
  return { table, files };
}

/** Merges manifests when maintenance would, and keeps the last snapshot alone. */
async function tidied(lake: Lake, table: Table, files: number): Promise<Table> {
  const after = { afterSequenceNumber: table.metadata['last-sequence-number'] };
  const { listed } = (await lake.files(table, after)).manifests;
  if (listed - Math.ceil(files / FILES_A_MANIFEST) < NEEDLESS_MOST) return table;
  const merge = await lake.mergeManifests(table);
  const current = table.metadata['current-snapshot-id'];
  const ids = table.metadata.snapshots.map((snapshot) => snapshot['snapshot-id']);
  const next = await committed(lake, table, {
    operation: 'replace',
    manifests: [],
    ...(merge && { merge }),
    expire: ids.filter((id) => id !== current),
  });
  await lake.deleteExpired({ before: table, after: next });
  return next;
}

const stage: Change['stage'] = () => ({ summary: {}, properties: {} });

async function committed(
  lake: Lake,
  table: Table,
  change: Pick<Change, 'operation' | 'manifests' | 'merge' | 'expire'>,
): Promise<Table> {
  const outcome = await lake.commit(table, { commitId: crypto.randomUUID(), stage, ...change });
  if (outcome.kind !== 'committed') throw new Error(outcome.why);
  return outcome.table;
}

const typeName = (n: number): string => `type${String(n).padStart(2, '0')}`;
const keyOf = ({ day, type }: Asked): string => `${day} ${type}`;

/** With statistics as the engine gives them for twelve columns. */
function synthetic(lake: Lake, table: Table, { day, type }: Asked): DataFile {
  const rows = 1_000;
  const from = BigInt(day) * DAY_US;
  const ids = STAGING.schema.fields.map(({ id }) => id);
  return {
    location: lake.newFileLocation(table, `day=${day}/type=${type}`),
    ...{ specId: 0, partition: [day, type], recordCount: rows, fileSize: 100_000, sortOrderId: 1 },
    columnSizes: new Map(ids.map((id) => [id, 8_000])),
    valueCounts: new Map(ids.map((id) => [id, rows])),
    nullValueCounts: new Map(ids.map((id) => [id, 0])),
    nanValueCounts: new Map([[5, 0]]),
    lowerBounds: new Map<number, string | bigint>([
      ...([1, 2, 3].map((id) => [id, type]) as [number, string][]),
      [6, from],
    ]),
    upperBounds: new Map<number, string | bigint>([
      ...([1, 2, 3].map((id) => [id, type]) as [number, string][]),
      [6, from + DAY_US - 1n],
    ]),
  };
}

/** The same every time: what is opened does not hang on luck. */
function uniform(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Summarised {
  location: string;
  length: number;
  days: [number, number];
  types: [string, string];
}

/** The list of the current snapshot, by a reader that is not ours. */
async function manifestsByIcebird(table: Table): Promise<Summarised[]> {
  const location = currentSnapshot(table.metadata)!['manifest-list'];
  const bytes = await readFile(new URL(location));
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const { metadata, syncMarker } = avroMetadata(reader);
  const records = (await avroRead({ reader, metadata, syncMarker })) as Record<string, unknown>[];
  return records.map((record) => {
    const [day, type] = record['partitions'] as Record<'lower_bound' | 'upper_bound', Uint8Array>[];
    const dayOf = (bound: Uint8Array) => Buffer.from(bound).readInt32LE();
    const typeOf = (bound: Uint8Array) => Buffer.from(bound).toString('utf8');
    return {
      location: String(record['manifest_path']),
      length: Number(record['manifest_length']),
      days: [dayOf(day!.lower_bound), dayOf(day!.upper_bound)],
      types: [typeOf(type!.lower_bound), typeOf(type!.upper_bound)],
    };
  });
}

const canMatch = ({ days, types }: Summarised, { day, type }: Asked): boolean =>
  days[0] <= day && day <= days[1] && types[0] <= type && type <= types[1];

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const [first, folderAsked, asked] = process.argv.slice(2);
if (first === '--plan') console.log(JSON.stringify(await plan(folderAsked!, JSON.parse(asked!) as Asked)));
else process.exitCode = await bench(Number(first ?? 1_000_000));
