/**
 * Four processors as processes share one stream, each on a machine of its own as far as the lease goes: one is stopped
 * for longer than its lease and goes on with what it had in hand, one is killed, and shards split and merge meanwhile.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDiskStore } from '../../src/object-store/object-store.ts';
import { type ShardInfo, type Stream, workersHeard } from '../../src/stream/stream.ts';
import type { StreamServer } from '../../src/stream-server/stream-server.ts';
import { clientOf, control, serveStream } from '../support/embedded-stream.ts';
import { lakeward, type Running, start } from '../support/program.ts';

const WORKERS = 4;
/** So many that none of the workers has none: of 32 once in 2,500 runs. */
const SHARDS = 32;
const PUT = 50;

let folder: string;
let server: StreamServer;
let stream: Stream;
const running: Running[] = [];
/** By a worker, into its log. */
let spoken = Promise.withResolvers<void>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workers-'));
  server = await serveStream(folder);
  stream = clientOf(server);
  await stream.ensure(SHARDS);
});
afterEach(async () => {
  for (const { process, ended } of running.splice(0)) {
    process.kill('SIGKILL');
    await ended;
  }
  await stream.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const dir = () => join(folder, 'lake');

function startWorker(): Running {
  const worker = start(
    [
      ...['run', 'processor', 'quarantine', '--dir', dir(), '--endpoint', server.endpoint],
      ...['--workers-lease', '3s', '--commit-spacing', '50ms', '--commit-max-age', '200ms'],
      ...['--commit-max-rows', '500', '--monitor-port', '0', '--log-format', 'json', '--log-level', 'debug'],
      ...['--engine-threads', '1', '--engine-memory', '256MB'],
    ],
    { env: { LAKEWARD_STREAM_NAME: 'events' } },
  );
  running.push(worker);
  worker.process.stderr!.on('data', () => {
    spoken.resolve();
    spoken = Promise.withResolvers();
  });
  return worker;
}

const acknowledged = new Set<string>();

async function putMore(): Promise<void> {
  const uuids = Array.from({ length: PUT }, (_, i) => `event-${acknowledged.size + i}`);
  await stream.send(bodiesOf(uuids));
  for (const uuid of uuids) acknowledged.add(uuid);
}

async function* bodiesOf(uuids: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const uuid of uuids) {
    const event = { event_uuid: uuid, event_name: 'thing:made', created_at: 1_767_225_600 };
    yield Buffer.from(JSON.stringify(event));
  }
}

async function openShards(): Promise<ShardInfo[]> {
  const open = (await stream.shards()).filter(({ closed }) => !closed);
  return open.sort((a, b) => (a.hashKeys.start < b.hashKeys.start ? -1 : 1));
}

async function split(): Promise<void> {
  const [{ id, hashKeys }] = (await openShards()) as [ShardInfo];
  const middle = (hashKeys.start + hashKeys.end) / 2n;
  await control(server, 'SplitShard', { ShardToSplit: id, NewStartingHashKey: String(middle) });
}

async function merge(): Promise<void> {
  const [one, other] = (await openShards()) as [ShardInfo, ShardInfo];
  await control(server, 'MergeShards', { ShardToMerge: one.id, AdjacentShardToMerge: other.id });
}

/** Puts some more events and waits for a worker to say something, as one does that commits, until it holds. */
async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) {
    const ended = running.find(({ process }) => process.exitCode !== null);
    if (ended !== undefined) throw new Error(`a worker ended before ${what}: ${ended.stderr()}`);
    const word = spoken.promise;
    await putMore();
    await word;
  }
}

const heard = () => workersHeard(openDiskStore({ root: join(dir(), 'lake') }));
const said = (worker: Running, id: string) => worker.stderr().split(`"${id}"`).length - 1;
const pidOf = (worker: Running) => worker.process.pid!;

/** Together they read every open shard, and none of them twice. */
async function shared(workers: readonly Running[]): Promise<boolean> {
  const pids = new Set(workers.map(pidOf));
  const reading = (await heard()).filter(({ pid }) => pids.has(pid));
  const taken = reading.flatMap(({ shards }) => shards);
  const open = await openShards();
  return (
    reading.length === workers.length &&
    new Set(taken).size === taken.length &&
    open.every(({ id }) => taken.includes(id))
  );
}

it('one stopped past its lease, one killed, shards split and merged meanwhile: every event is there once', async () => {
  const workers = Array.from({ length: WORKERS }, startWorker);
  const [stopped, killed, ...others] = workers as [Running, Running, ...Running[]];
  await until('all share', () => shared(workers));
  await until('all commit', () => workers.every((worker) => said(worker, 'processor.committed') > 1));
  const status = await lakeward(['status', '--json', '--dir', dir(), '--endpoint', server.endpoint]);
  const told = JSON.parse(status.stdout).data.workers as { pid: number; live: boolean }[];
  expect(told.map(({ pid, live }) => ({ pid, live })).sort((a, b) => a.pid - b.pid)).toEqual(
    workers.map((worker) => ({ pid: pidOf(worker), live: true })),
  );
  await split();

  stopped.process.kill('SIGSTOP');
  await until('it is lost', () => others.every((worker) => said(worker, 'workers.lost') > 0));
  await split();
  await until('the rest share', () => shared([killed, ...others]));
  const before = said(stopped, 'processor.committed');
  stopped.process.kill('SIGCONT');
  await until('it is back', () => said(stopped, 'workers.lease_lost') > 0 && shared(workers));
  await until('it commits', () => said(stopped, 'processor.committed') > before);

  running.splice(running.indexOf(killed), 1);
  killed.process.kill('SIGKILL');
  await killed.ended;
  await merge();
  await until('the rest share', () => shared([stopped, ...others]));

  for (const worker of [stopped, ...others]) worker.process.kill('SIGTERM');
  for (const worker of running.splice(0)) expect(await worker.ended).toMatchObject({ code: 0 });
  // Of the killed one a heartbeat is left, or not even that.
  expect((await heard()).filter(({ pid }) => pid !== pidOf(killed))).toEqual([]);

  const args = ['--dir', dir(), '--endpoint', server.endpoint, '--json'];
  expect(await lakeward(['run', '--once', ...args])).toMatchObject({ code: 0 });
  const verified = await lakeward(['verify', '--deep', ...args]);
  expect(JSON.parse(verified.stdout).data.findings).toEqual([]);
  const question = 'select event_uuid from staging.events';
  const staged = await lakeward(['sql', '--dir', dir(), '--format', 'csv', question]);
  const uuids = staged.stdout.trim().split('\n').slice(1);
  expect(uuids.length).toBe(acknowledged.size);
  expect(new Set(uuids)).toEqual(acknowledged);
});
