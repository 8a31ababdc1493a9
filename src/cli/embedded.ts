/** Everything in one process on one folder: the embedded stream and all roles. What `dev` and `demo` run. */
import { Failure } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import type { Catalog } from '../lake/lake.ts';
import type { Stream } from '../stream/stream.ts';
import type { StreamServer } from '../stream-server/stream-server.ts';
import { closing } from './closing.ts';
import { ROLES } from './commands/run.ts';
import {
  composeCatalog,
  composeEngine,
  composeServer,
  type LocalLake,
  lakeOver,
  openOwnStream,
  type Surroundings,
  spoolFolder,
  sweepWork,
} from './compose.ts';
import { readEndpoint, removeEndpoint, writeEndpoint } from './endpoint-file.ts';
import { isAnotherPort, onFreePort } from './free-port.ts';
import { type RolesOptions, runRoles } from './roles.ts';

type Observers = Pick<
  RolesOptions,
  'onRaw' | 'onStaging' | 'onTransform' | 'onTransformRan' | 'transforms' | 'monitor'
>;

export interface Embedded extends AsyncDisposable {
  server: StreamServer;
  stream: Stream;
  lake: LocalLake;
  catalog: Catalog;
  engine: Engine;
  spoolFolder: string;
  /** Runs all roles until the signal; then reads the stream to its end and stages it. */
  run(signal: AbortSignal, observe?: Observers): Promise<void>;
}

export async function openEmbedded(around: Surroundings): Promise<Embedded> {
  const { settings } = around;
  if (settings['stream.name'].startsWith('arn:')) throw notOurs(settings['stream.name']);
  const owner = await readEndpoint(settings.dir);
  if (owner !== undefined) throw ownedBy(settings.dir, owner.pid);
  await sweepWork(around);
  await using opening = new AsyncDisposableStack();
  const parts = await composeCatalog(around, 'writes');
  const lake = opening.use(lakeOver(around, parts));
  const server = opening.use(closing(await ownServer(around, lake)));
  opening.defer(() => removeEndpoint(settings.dir));
  await writeEndpoint(settings.dir, server);
  const stream = opening.use(closing(openOwnStream(around, server.endpoint)));
  await stream.ensure(settings['stream.shards']);
  const engine = opening.use(await composeEngine(around, lake, 'batches'));
  const spools = opening.use(await spoolFolder(around));
  const open = opening.move();
  return {
    server,
    stream,
    lake,
    catalog: parts.catalog,
    engine,
    spoolFolder: spools.path,
    async run(signal, observe = {}) {
      const parts = { lake, engine, stream, roles: ROLES, spoolFolder: spools.path };
      const options = { ...around, ...observe, ...parts, keepsUncommitted: true };
      await runRoles(options, { signal });
      const drain = { signal: new AbortController().signal, until_ms: await stream.serverTime() };
      // Whoever stops it does not wait for what the next start can do as well.
      await runRoles({ ...options, roles: ROLES.filter((role) => role !== 'maintenance') }, drain);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function ownServer(around: Surroundings, lake: LocalLake): Promise<StreamServer> {
  return serverOnFreePort(around, lake).catch((error: unknown) => {
    const isOwned = error instanceof Failure && error.code === 'stream_server.in_use';
    throw isOwned ? ownedBy(around.settings.dir, undefined) : error;
  });
}

/** A taken port is named, and the next free one used. */
async function serverOnFreePort(around: Surroundings, lake: LocalLake): Promise<StreamServer> {
  const wanted = around.settings['stream.port'];
  const server = await onFreePort(wanted, (port) => composeServer(around, lake, { port }));
  if (isAnotherPort(wanted, server.port))
    around.log.warn('dev.port_taken', `port ${wanted} is taken; using ${server.port}`);
  return server;
}

const notOurs = (arn: string): Failure =>
  new Failure('the embedded stream has a name, and no ARN', {
    code: 'config.stream_elsewhere',
    fault: 'user',
    why: `stream.name is ${arn}, which is a stream of Amazon Kinesis`,
    hint: 'name the embedded one, as --stream events does; lakeward run takes from the other',
    docs: 'lakeward run --help',
  });

function ownedBy(dir: string, pid: number | undefined): Failure {
  return new Failure(`${dir} is in use`, {
    code: 'cli.folder_in_use',
    fault: 'user',
    why: `${pid === undefined ? 'another process' : `process ${pid}`} has its stream open`,
    hint: 'stop that one, or name another folder with --dir',
    docs: 'lakeward dev --help',
  });
}
