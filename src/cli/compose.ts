/**
 * Where configuration becomes running parts; the only place that knows all modules. Everything that varies between a
 * laptop and a deployment is decided here: which stream, which store, which catalog, which engine.
 */
import { access as allowed, constants, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, Failure, hostName, isLoopback, type Log, makeFolder } from '../base/base.ts';
import type { Settings } from '../config/config.ts';
import { type Engine, type LocalFiles, openEngine, openSparkEngine } from '../engine/engine.ts';
import { type Lake, openLake, openMemoryCatalog } from '../lake/lake.ts';
import { openMemoryStore } from '../object-store/object-store.ts';
import {
  openStream,
  openWorkers,
  type Sharing,
  type Stream,
  type StreamOptions,
  type Workers,
} from '../stream/stream.ts';
import { openStreamServer, type StreamServer } from '../stream-server/stream-server.ts';
import { needsForgotten } from '../tables/tables.ts';
import { closing } from './closing.ts';
import { chainedCredentials, LOCAL_CREDENTIALS } from './credentials.ts';
import { type Endpoint, readEndpoint } from './endpoint-file.ts';
import { heldPositions } from './held-positions.ts';
import { type Access, ensureLake, ensureNamed, openCatalog, openStore } from './lake-parts.ts';
import { isAlive, thisWorker } from './this-process.ts';

export interface Surroundings {
  settings: Settings;
  clock: Clock;
  log: Log;
  env: Readonly<Record<string, string | undefined>>;
}

export interface Folders {
  root: string;
  warehouse: string;
  catalog: string;
  stream: string;
  /** The index of staging's identities: a copy, which may be deleted. */
  identities: string;
  work: string;
}

export function foldersOf(dir: string): Folders {
  return {
    root: dir,
    warehouse: join(dir, 'lake'),
    catalog: join(dir, 'catalog.sqlite'),
    stream: join(dir, 'stream'),
    identities: join(dir, 'identities'),
    work: join(dir, 'work'),
  };
}

export const newId = () => crypto.randomUUID();
export const writerName = (role: string) => `lakeward ${role}`;

/** A lake, and how engines of this machine read its files. */
export type LocalLake = Lake & { localFiles: LocalFiles };

export async function composeLake(
  around: Surroundings,
  access: Access,
): Promise<LocalLake & AsyncDisposable> {
  return lakeOver(around, await composeCatalog(around, access));
}

/** For what is told of definitions, which are there before any lake is: where there is none, an empty one in memory. */
export async function composeLakeOrEmpty(around: Surroundings): Promise<Lake & AsyncDisposable> {
  try {
    return await composeLake(around, 'reads');
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'lake.no_lake')) throw error;
    const parts = { store: openMemoryStore(around), catalog: openMemoryCatalog() };
    return closing(openLake({ ...around, ...parts, random: Math.random, needsForgotten }));
  }
}

/** Closing it closes the parts. */
export function lakeOver(
  { settings, clock, log }: Surroundings,
  parts: Awaited<ReturnType<typeof composeCatalog>>,
): LocalLake & AsyncDisposable {
  const formatVersion = settings['table.formatVersion'] === '3' ? 3 : 2;
  const { store, catalog } = parts;
  const around = { store, catalog, clock, log, random: Math.random };
  const lake = openLake({ ...around, formatVersion, needsForgotten });
  return closing({ ...lake, close: () => parts.close(), localFiles: parts.files });
}

/** Where the tables are, and who says which version of each is the current one. */
export async function composeCatalog(around: Surroundings, access: Access) {
  const folders = foldersOf(around.settings.dir);
  const { warehouse, catalog: sqlite, work } = folders;
  const copies = join(work, `copies-${process.pid}-${newId().slice(0, 8)}`);
  const { store, files } = await openStore(around, { warehouse, copies });
  await ensureLake(around.settings, { sqlite, store, access });
  if (access !== 'reads') await makeFolder(around.settings['store.url'] === undefined ? warehouse : work);
  const catalog = await openCatalog(around, { store, sqlite, access });
  const parts = closing({
    ...{ store, files, catalog },
    async close() {
      await catalog.close();
      await rm(copies, { recursive: true, force: true });
    },
  });
  try {
    // A service would give all of a table's metadata for every question.
    if (access !== 'serves' && (access !== 'reads' || 'swap' in catalog)) await ensureNamed(catalog, store);
  } catch (error) {
    await parts.close();
    throw error;
  }
  return parts;
}

type Use = 'batches' | 'questions' | 'transforms' | 'maintenance';

/** More would keep the file system out of the pool of threads that they share with it. */
const MOST_LANES = 4;

/**
 * Batch work runs on one thread a batch: two batches in flight use two cores, and staging, which is alone at the end of
 * a run, writes on several connections at once (1M events: 4.3 s instead of 5.8). Questions use every thread.
 */
export async function composeEngine(
  around: Surroundings,
  lake: LocalLake,
  use: Use,
): Promise<Engine & AsyncDisposable> {
  const { settings } = around;
  const how = {
    batches: { threads: 1, lanes: Math.min(settings['engine.threads'], MOST_LANES) },
    questions: { threads: settings['engine.threads'] },
    transforms: { threads: settings['engine.threads'] },
    maintenance: { threads: 1 },
  };
  // Maintenance sorts on disk what does not fit, and has time for it.
  const share = use === 'maintenance' ? 0.5 : 1;
  const embedded = await openEngine({
    files: lake.localFiles,
    workFolder: join(await workOf(use, foldersOf(settings.dir).work), workName(use)),
    memory_bytes: settings['engine.memory'] * share,
    ...how[use],
  });
  if (use === 'questions' || settings['engine.kind'] === 'duckdb') return closing(embedded);
  // A branch that maintenance finds is of the role that writes the table, and in use.
  return closing(composeSpark(around, { lake, embedded, sweeps: use !== 'maintenance' }));
}

/** Who may not write the lake's folder can ask all the same: what a question spills is elsewhere then. */
async function workOf(use: Use, work: string): Promise<string> {
  if (use !== 'questions') return work;
  try {
    await makeFolder(work);
    await allowed(work, constants.W_OK);
    return work;
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return tmpdir();
  }
}

function composeSpark(
  { settings, clock, log }: Surroundings,
  { lake, embedded, sweeps }: { lake: Lake; embedded: Engine; sweeps: boolean },
): Engine {
  const url = settings['spark.url'];
  if (url === undefined) {
    throw new Failure('cannot use Spark: spark.url is not set', {
      code: 'config.no_spark',
      fault: 'user',
      why: 'engine.kind is spark, and nothing says where it is',
      hint: 'set spark.url to the address of a Spark Connect server, such as sc://127.0.0.1:15002',
      docs: 'docs/how-to/spark.md',
    });
  }
  return openSparkEngine({
    ...{ url, lake, embedded, sweeps, clock, log, newId, random: Math.random },
    attempts: settings['spark.attempts'],
    catalog: { name: settings['spark.catalog'], uri: settings['spark.catalogUri'] },
  });
}

export interface OpenedStream extends AsyncDisposable {
  stream: Stream;
  /** Set when the stream is the embedded one of this folder. */
  embedded: { endpoint: string; server: StreamServer | undefined } | undefined;
}

/**
 * The stream that the settings name: another endpoint, Amazon's own for an ARN, or the embedded stream of this folder.
 * The embedded one is that of a running `lakeward dev`; without one its server is opened here, and only that asks for
 * the lake: who puts events on a stream elsewhere need not be able to read it.
 */
export async function composeStream(
  around: Surroundings,
  lake: () => Promise<Lake>,
  { port = 0, makes = true }: { port?: number; makes?: boolean } = {},
): Promise<OpenedStream> {
  const { settings } = around;
  if (isElsewhere(settings)) {
    const stream = openStream(clientOptions(around, settings['stream.endpoint']));
    return { stream, embedded: undefined, [Symbol.asyncDispose]: () => stream.close() };
  }
  const running = await readEndpoint(settings.dir);
  if (running !== undefined) return attach(around, running);

  await using opening = new AsyncDisposableStack();
  const server = opening.use(closing(await composeServer(around, await lake(), { port })));
  const { endpoint } = server;
  const stream = opening.use(closing(openOwnStream(around, endpoint)));
  if (makes) await stream.ensure(settings['stream.shards']);
  const open = opening.move();
  return { stream, embedded: { endpoint, server }, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const isElsewhere = (settings: Settings): boolean =>
  settings['stream.endpoint'] !== undefined || settings['stream.name'].startsWith('arn:');

/** For who only asks: an embedded stream that is not there is not made. */
export async function composeStreamThere(
  around: Surroundings,
  lake: () => Promise<Lake>,
): Promise<OpenedStream | undefined> {
  if (isElsewhere(around.settings)) return composeStream(around, lake);
  const folder = await stat(foldersOf(around.settings.dir).stream).catch(() => undefined);
  if (folder === undefined) return undefined;
  await using opening = new AsyncDisposableStack();
  const opened = opening.use(await composeStream(around, lake, { makes: false }));
  try {
    await opened.stream.describe();
    opening.move();
    return opened;
  } catch (error) {
    if (error instanceof Failure && error.code === 'stream.not_found') return undefined;
    throw error;
  }
}

function attach(around: Surroundings, { endpoint }: Endpoint): OpenedStream {
  const stream = openOwnStream(around, endpoint);
  return {
    ...{ stream, embedded: { endpoint, server: undefined } },
    [Symbol.asyncDispose]: () => stream.close(),
  };
}

/** The embedded stream; retention never passes what this lake has committed. */
export async function composeServer(
  { settings, clock, log }: Surroundings,
  lake: Lake,
  { port }: { port: number },
): Promise<StreamServer> {
  const held = await heldPositions(lake);
  return openStreamServer({
    folder: foldersOf(settings.dir).stream,
    host: settings['stream.host'],
    port,
    region: settings['stream.region'],
    maxBytes: settings['stream.maxBytes'],
    retention_ms: settings['stream.retention'],
    limits: settings['stream.limits'],
    held,
    clock,
    log,
  });
}

/** The embedded stream keeps what this lake has not committed: nothing of it expires unread. */
export const openOwnStream = (around: Surroundings, endpoint: string): Stream =>
  openStream({ ...clientOptions(around, endpoint), keepsUnread: true });

export function clientOptions(
  { settings, clock, log, env }: Surroundings,
  endpoint: string | undefined,
): StreamOptions {
  const encoding = settings['stream.encoding'];
  return {
    name: settings['stream.name'],
    ...(endpoint === undefined ? {} : { endpoint }),
    region: settings['stream.region'],
    credentials:
      isOnThisMachine(endpoint) && env['AWS_ACCESS_KEY_ID'] === undefined
        ? LOCAL_CREDENTIALS
        : chainedCredentials(),
    ...(encoding === 'auto' ? {} : { encoding }),
    clock,
    log,
    random: Math.random,
  };
}

function isOnThisMachine(endpoint: string | undefined): boolean {
  return endpoint !== undefined && isLoopback(hostName(URL.parse(endpoint)?.host ?? ''));
}

/** This process among the processors of the lake. */
export function composeWorkers(
  { settings, clock, log, lake }: Surroundings & { lake: Lake },
  onChange: (sharing: Sharing) => void,
): Workers {
  return openWorkers({
    store: lake.store,
    clock,
    log,
    random: Math.random,
    elapsed_ms: () => performance.now(),
    self: thisWorker(),
    lease_ms: settings['workers.lease'],
    isAlive,
    onChange,
  });
}

/** Spools of this process; what a crash left of others is of no use to anybody, positions stand in the lake. */
export async function spoolFolder({
  settings,
}: Surroundings): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = join(foldersOf(settings.dir).work, workName('spools'));
  await makeFolder(path);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Tells this process from an earlier one of the same number: in a container every process is number 1. */
const THIS_RUN = newId().slice(0, 8);

const workName = (use: string): string => `${use}-${process.pid}-${THIS_RUN}-${newId().slice(0, 8)}`;

/** Work folders that processes left behind which are gone. */
export async function sweepWork({ settings }: Surroundings): Promise<void> {
  const { readdir } = await import('node:fs/promises');
  const work = foldersOf(settings.dir).work;
  for (const name of await readdir(work).catch(() => [])) {
    const [, pid, run] = name.split('-');
    const left = Number(pid) === process.pid ? run !== THIS_RUN : !isAlive(Number(pid));
    if (/^\d+$/.test(pid ?? '') && left) await rm(join(work, name), { recursive: true, force: true });
  }
}
