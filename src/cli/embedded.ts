/** Everything in one process on one folder: the embedded stream and all roles. What `dev` and `demo` run. */
import { rm } from 'node:fs/promises';
import { Failure } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import type { Catalog } from '../lake/lake.ts';
import type { Stream } from '../stream/stream.ts';
import type { StreamServer } from '../stream-server/stream-server.ts';
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
import { onFreePort } from './free-port.ts';
import { type RolesOptions, runRoles } from './roles.ts';

type Observers = Pick<
  RolesOptions,
  'onRaw' | 'onStaging' | 'onTransform' | 'onTransformRan' | 'transforms' | 'monitor'
>;

export interface Embedded {
  server: StreamServer;
  stream: Stream;
  lake: LocalLake;
  catalog: Catalog;
  engine: Engine;
  spoolFolder: string;
  /** Runs all roles until the signal; then reads the stream to its end and stages it. */
  run(signal: AbortSignal, observe?: Observers): Promise<void>;
  close(): Promise<void>;
}

export async function openEmbedded(around: Surroundings): Promise<Embedded> {
  const { settings } = around;
  const owner = await readEndpoint(settings.dir);
  if (owner !== undefined) throw ownedBy(settings.dir, owner.pid);
  await sweepWork(around);
  const parts = await composeCatalog(around, 'writes');
  const lake = lakeOver(around, parts);
  const server = await serverOnFreePort(around, lake).catch((error: unknown) => {
    throw error instanceof Failure && error.code === 'stream_server.in_use'
      ? ownedBy(settings.dir, undefined)
      : error;
  });
  await writeEndpoint(settings.dir, { endpoint: server.endpoint, pid: process.pid });
  const stream = openOwnStream(around, server.endpoint);
  await stream.ensure(settings['stream.shards']);
  const engine = await composeEngine(around, lake, 'batches');
  const spools = await spoolFolder(around);
  return {
    server,
    stream,
    lake,
    catalog: parts.catalog,
    engine,
    spoolFolder: spools,
    async run(signal, observe = {}) {
      const options = { ...around, ...observe, lake, engine, stream, roles: ROLES, spoolFolder: spools };
      await runRoles(options, { signal });
      const drain = { signal: new AbortController().signal, until_ms: await stream.serverTime() };
      // Whoever stops it does not wait for what the next start can do as well.
      await runRoles({ ...options, roles: ROLES.filter((role) => role !== 'maintenance') }, drain);
    },
    async close() {
      await removeEndpoint(settings.dir);
      await stream.close();
      await server.close();
      await engine.close();
      await lake.close();
      await rm(spools, { recursive: true, force: true });
    },
  };
}

/** A taken port is named, and the next free one used. */
async function serverOnFreePort(around: Surroundings, lake: LocalLake): Promise<StreamServer> {
  const wanted = around.settings['stream.port'];
  const server = await onFreePort(wanted, (port) => composeServer(around, lake, { port }));
  if (server.port !== wanted)
    around.log.warn('dev.port_taken', `port ${wanted} is taken; using ${server.port}`);
  return server;
}

function ownedBy(dir: string, pid: number | undefined): Failure {
  return new Failure(`${dir} is in use`, {
    code: 'cli.folder_in_use',
    fault: 'user',
    why: `${pid === undefined ? 'another process' : `process ${pid}`} has its stream open`,
    hint: 'stop that one, or name another folder with --dir',
    docs: 'lakeward dev --help',
  });
}
