/** Every way of reading our stream server gives the same: JSON, CBOR, pushed; split and merged meanwhile; throttled. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Stream, TakeOptions } from '../../src/stream/stream.ts';
import type { StreamServer } from '../../src/stream-server/stream-server.ts';
import { aggregate } from '../support/aggregate.ts';
import { clientOf, control, serveStream } from '../support/embedded-stream.ts';
import { expectJoinedRanges, type TakenSpool, takeAll } from '../support/spools.ts';

type Way = 'json' | 'cbor' | 'pushed';

let folder: string;
let server: StreamServer;
const streams: Stream[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stream-ways-'));
});
afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.close();
  await server.close();
  await rm(folder, { recursive: true });
});

async function open(limits: 'on' | 'off' = 'off'): Promise<void> {
  server = await serveStream(folder, { limits });
}

function client(way: Way): Stream {
  const stream = clientOf(server, { encoding: way === 'cbor' ? 'cbor' : 'json' });
  streams.push(stream);
  return stream;
}

async function take(stream: Stream, way: Way, options: Partial<TakeOptions> = {}): Promise<TakenSpool[]> {
  const taking = await stream.take({
    stream: await stream.describe(),
    positions: new Map(),
    pin: 'TRIM_HORIZON',
    spoolFolder: join(folder, `spools-${way}`),
    maxRows: 3_000,
    maxBytes: 1e9,
    maxAge_ms: 60_000,
    spoolsAhead: 2,
    poll_ms: 20,
    ...(way === 'pushed' && { fanOut: 'lake' }),
    until_ms: await stream.serverTime(),
    ...options,
  });
  const spools = await takeAll(taking);
  expectJoinedRanges(spools);
  return spools;
}

async function* numbered(from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let i = from; i < to; i++) yield Buffer.from(`{"event":${i},"text":"é\\n"}`);
}

async function* these(...records: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* records;
}

const numbers = (spools: readonly TakenSpool[]) =>
  spools
    .flatMap(({ content }) => content.map(({ body }) => Number(/\d+/.exec(body)![0])))
    .toSorted((a, b) => a - b);
const sequence = (to: number) => Array.from({ length: to }, (_, i) => i);

describe.each<Way>(['json', 'cbor', 'pushed'])('read as %s', (way) => {
  it('what was sent is what is taken, through splits and merges, once', async () => {
    await open();
    const stream = client(way);
    await stream.ensure(2);
    await stream.send(numbered(0, 5_000));
    await control(server, 'SplitShard', {
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: `${2n ** 126n}`,
    });
    await stream.send(numbered(5_000, 7_000));
    await control(server, 'MergeShards', {
      ShardToMerge: 'shardId-000000000001',
      AdjacentShardToMerge: 'shardId-000000000003',
    });
    await stream.send(numbered(7_000, 9_000));
    const spools = await take(stream, way);
    expect(numbers(spools)).toEqual(sequence(9_000));
    expect([...new Set(spools.flatMap((s) => [...s.ended.keys()]))].toSorted()).toEqual([
      'shardId-000000000000',
      'shardId-000000000001',
      'shardId-000000000003',
    ]);
  });

  it('user records of aggregated records have their place', async () => {
    await open();
    const stream = client(way);
    await stream.ensure(1);
    await stream.send(these(aggregate({ data: '{"a":0}' }, { data: '{"a":1}' }), Buffer.from('{"plain":2}')));
    const [spool] = await take(stream, way);
    expect(spool!.content.map(({ body, sub }) => [body, sub]).toSorted()).toEqual([
      ['{"a":0}', 0],
      ['{"a":1}', 1],
      ['{"plain":2}', -1],
    ]);
  });
});

it('shards that give no more than Amazon’s are read at their pace, and nothing is lost', async () => {
  await open('on');
  const stream = client('cbor');
  await stream.ensure(2);
  await stream.send(numbered(0, 1_500));
  expect(numbers(await take(stream, 'cbor', { maxRows: 100 }))).toEqual(sequence(1_500));
});
