/** Our client on our server: what was sent is what is taken, exactly. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Position, Stream, TakeOptions } from '../../src/stream/stream.ts';
import type { StreamServer } from '../../src/stream-server/stream-server.ts';
import { clientOf, control, serveStream } from '../support/embedded-stream.ts';
import { expectJoinedRanges, takeAll } from '../support/spools.ts';

let folder: string;
let server: StreamServer;
let stream: Stream;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stream-scenario-'));
  await openServer();
});
afterEach(async () => {
  await stream.close();
  await server.close();
  await rm(folder, { recursive: true });
});

async function openServer(): Promise<void> {
  server = await serveStream(folder);
  stream = clientOf(server);
}

async function takeOptions(): Promise<TakeOptions> {
  return {
    stream: await stream.describe(),
    positions: new Map(),
    pin: 'TRIM_HORIZON',
    spoolFolder: join(folder, 'spools'),
    maxRows: 3_000,
    maxBytes: 1e9,
    maxAge_ms: 60_000,
    spoolsAhead: 2,
    poll_ms: 20,
    until_ms: await stream.serverTime(),
  };
}

async function* numbered(from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let i = from; i < to; i++) yield Buffer.from(`{"event":${i},"text":"é\\n"}`);
}

const numberOf = (body: string) => Number(/\d+/.exec(body)![0]);
const sequence = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

it('takes back exactly what was sent over three shards', async () => {
  await stream.ensure(3);
  expect(await stream.send(numbered(0, 20_000))).toMatchObject({ records: 20_000, retried: 0 });
  const spools = await takeAll(await stream.take(await takeOptions()));
  const rows = spools.flatMap((spool) => spool.content);
  expect(rows.map((row) => numberOf(row.body)).toSorted((a, b) => a - b)).toEqual(sequence(0, 20_000));
  expect(new Set(rows.map((row) => row.shard)).size).toBe(3);
  expectJoinedRanges(spools);
  expect(await readdir(join(folder, 'spools'))).toEqual([]);
});

it('takes each event once through a split and a merge, also behind what was taken before', async () => {
  await stream.ensure(1);
  await stream.send(numbered(0, 3_000));
  const first = await takeAll(await stream.take(await takeOptions()));
  const positions = new Map(
    first.flatMap(({ ranges }) => [...ranges].map(([id, { to }]) => [id, to] as const)),
  );
  await stream.send(numbered(3_000, 4_000));
  await control(server, 'SplitShard', {
    ShardToSplit: 'shardId-000000000000',
    NewStartingHashKey: `${2n ** 127n}`,
  });
  await stream.send(numbered(4_000, 5_000));
  await control(server, 'MergeShards', {
    ShardToMerge: 'shardId-000000000001',
    AdjacentShardToMerge: 'shardId-000000000002',
  });
  await stream.send(numbered(5_000, 6_000));
  const rest = await takeAll(await stream.take({ ...(await takeOptions()), positions }));
  const numbers = [...first, ...rest].flatMap(({ content }) => content.map(({ body }) => numberOf(body)));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(sequence(0, 6_000));
  expect(rest.flatMap(({ ended }) => [...ended.keys()]).toSorted()).toEqual([
    'shardId-000000000000',
    'shardId-000000000001',
    'shardId-000000000002',
  ]);
});

it('goes on behind what was taken when the server was started again', async () => {
  await stream.ensure(2);
  await stream.send(numbered(0, 1_000));
  const first = await takeAll(await stream.take(await takeOptions()));
  const positions = new Map<string, Position>();
  for (const { ranges } of first) for (const [shard, { to }] of ranges) positions.set(shard, to);
  await stream.send(numbered(1_000, 1_500));
  await stream.close();
  await server.close();
  await openServer();
  const second = await takeAll(await stream.take({ ...(await takeOptions()), positions }));
  const numbers = (spools: typeof first) => spools.flatMap((s) => s.content.map((row) => numberOf(row.body)));
  expect(numbers(first).toSorted((a, b) => a - b)).toEqual(sequence(0, 1_000));
  expect(numbers(second).toSorted((a, b) => a - b)).toEqual(sequence(1_000, 1_500));
  expectJoinedRanges([...first, ...second]);
});
