import { expect, test } from 'vitest';
import { compareSequenceNumbers, hashKeyOf, type Operations, type ShardShape } from '../kinesis/kinesis.ts';
import { FaultyFiles } from './faulty-files.ts';
import type { HeldPositions } from './stream-server.ts';
import {
  base64,
  call,
  crashImage,
  HOUR_MS,
  iterator,
  ManualClock,
  START_MS,
  type TestServer,
  testServer,
  texts,
} from './test-server.ts';

const StreamName = 'events';
const HALF = String(2n ** 127n);
const SHARD = (index: number) => `shardId-${String(index).padStart(12, '0')}`;

async function withShards(ShardCount: number, options: Parameters<typeof testServer>[0] = {}) {
  const server = await testServer(options);
  await call(server, 'CreateStream', { StreamName, ShardCount });
  return server;
}

function put(server: TestServer, PartitionKey: string, text: string) {
  return call(server, 'PutRecord', { StreamName, PartitionKey, Data: base64(text) });
}

async function shards(server: TestServer): Promise<ShardShape[]> {
  return (await call(server, 'ListShards', { StreamName })).Shards;
}

const split = (server: TestServer, ShardToSplit = SHARD(0), NewStartingHashKey = HALF) =>
  call(server, 'SplitShard', { StreamName, ShardToSplit, NewStartingHashKey });
const merge = (server: TestServer, ShardToMerge: string, AdjacentShardToMerge: string) =>
  call(server, 'MergeShards', { StreamName, ShardToMerge, AdjacentShardToMerge });
const scale = (server: TestServer, TargetShardCount: number) =>
  call(server, 'UpdateShardCount', { StreamName, TargetShardCount, ScalingType: 'UNIFORM_SCALING' });

/** All records of the stream, parents before children, by following what ends of shards name. */
async function walk(server: TestServer): Promise<string[]> {
  const listed = await shards(server);
  const isOldest = ({ ParentShardId, AdjacentParentShardId }: ShardShape) =>
    !listed.some(({ ShardId }) => ShardId === ParentShardId || ShardId === AdjacentParentShardId);
  const ready = listed.filter(isOldest).map(({ ShardId }) => ShardId);
  const ended = new Set<string>();
  const found: string[] = [];
  for (let ShardId = ready.shift(); ShardId !== undefined; ShardId = ready.shift()) {
    let next: string | null | undefined = await iterator(server, StreamName, {
      ShardId,
      ShardIteratorType: 'TRIM_HORIZON',
    });
    while (next) {
      const answer: Operations['GetRecords']['output'] = await call(server, 'GetRecords', {
        ShardIterator: next,
      });
      found.push(...answer.Records.map(({ Data }) => Buffer.from(Data, 'base64').toString('utf8')));
      if (answer.NextShardIterator && answer.MillisBehindLatest === 0) break;
      next = answer.NextShardIterator;
      if (!next) ended.add(ShardId);
      for (const child of answer.ChildShards ?? [])
        if (child.ParentShards.every((id) => ended.has(id))) ready.push(child.ShardId);
    }
  }
  return found;
}

test('a split shard is closed, and two children share its keys from the given one on', async () => {
  await using server = await withShards(1);
  await put(server, 'a', 'before');
  server.clock.move(5_000);
  await split(server);
  const [parent, low, high] = await shards(server);
  expect(parent?.SequenceNumberRange.EndingSequenceNumber).toMatch(/^\d{56}$/);
  expect(low).toMatchObject({
    ShardId: SHARD(1),
    ParentShardId: SHARD(0),
    HashKeyRange: { StartingHashKey: '0', EndingHashKey: String(2n ** 127n - 1n) },
  });
  expect(high).toMatchObject({
    ShardId: SHARD(2),
    ParentShardId: SHARD(0),
    HashKeyRange: { StartingHashKey: HALF, EndingHashKey: String(2n ** 128n - 1n) },
  });
  for (const child of [low, high]) {
    expect(child).not.toHaveProperty('AdjacentParentShardId');
    expect(child?.SequenceNumberRange).not.toHaveProperty('EndingSequenceNumber');
    const [first, end] = [child!, parent!].map(({ SequenceNumberRange: r }) => r);
    expect(compareSequenceNumbers(first!.StartingSequenceNumber, end!.EndingSequenceNumber!)).toBeGreaterThan(
      0,
    );
  }
});

test('records go to the child that owns their key, with numbers above the parent’s end', async () => {
  await using server = await withShards(1);
  await put(server, 'a', 'before');
  await split(server);
  const end = (await shards(server))[0]!.SequenceNumberRange.EndingSequenceNumber!;
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const { ShardId, SequenceNumber } = await put(server, key, 'after');
    expect(ShardId).toBe(hashKeyOf(key) < 2n ** 127n ? SHARD(1) : SHARD(2));
    expect(SequenceNumber > end).toBe(true);
  }
});

test('two adjacent shards merge into one, named in either order', async () => {
  await using server = await withShards(3);
  await merge(server, SHARD(1), SHARD(0));
  expect((await shards(server))[3]).toMatchObject({
    ShardId: SHARD(3),
    ParentShardId: SHARD(1),
    AdjacentParentShardId: SHARD(0),
    HashKeyRange: { StartingHashKey: '0' },
  });
  expect((await put(server, 'a', 'x')).ShardId).toBe(
    hashKeyOf('a') < (2n ** 128n / 3n) * 2n ? SHARD(3) : SHARD(2),
  );
});

test('a closed shard ends with no iterator and with its children, which may come with the last records', async () => {
  await using server = await withShards(1);
  await put(server, 'a', 'x');
  const latest = await iterator(server, StreamName, { ShardIteratorType: 'LATEST' });
  await split(server);
  const ChildShards = [
    { ShardId: SHARD(1), ParentShards: [SHARD(0)] },
    { ShardId: SHARD(2), ParentShards: [SHARD(0)] },
  ];
  const all = await call(server, 'GetRecords', { ShardIterator: await iterator(server, StreamName) });
  expect(all).toMatchObject({
    Records: [{ Data: base64('x') }],
    NextShardIterator: null,
    MillisBehindLatest: 0,
    ChildShards,
  });
  expect(await call(server, 'GetRecords', { ShardIterator: latest })).toMatchObject({
    Records: [],
    NextShardIterator: null,
    ChildShards,
  });
});

test('a closed shard without a record ends at once, also after a restart', async () => {
  const before = await withShards(2);
  await merge(before, SHARD(0), SHARD(1));
  await before.close();
  await using server = await testServer({ folder: before.folder, clock: before.clock });
  for (const index of [0, 1]) {
    const ShardIterator = await iterator(server, StreamName, {
      ShardId: SHARD(index),
      ShardIteratorType: 'LATEST',
    });
    expect(await call(server, 'GetRecords', { ShardIterator })).toMatchObject({
      Records: [],
      NextShardIterator: null,
      ChildShards: [{ ShardId: SHARD(2), ParentShards: [SHARD(0), SHARD(1)] }],
    });
  }
});

test('the end of a closed shard is a position: reading at or after it finds the end', async () => {
  await using server = await withShards(1);
  await put(server, 'a', 'x');
  await split(server);
  const { EndingSequenceNumber } = (await shards(server))[0]!.SequenceNumberRange;
  for (const ShardIteratorType of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'] as const) {
    const start = { ShardIteratorType, StartingSequenceNumber: EndingSequenceNumber! };
    const answer = await call(server, 'GetRecords', {
      ShardIterator: await iterator(server, StreamName, start),
    });
    expect(answer).toMatchObject({ Records: [], NextShardIterator: null });
  }
});

test('scaling answers with both counts and leaves shards of even width', async () => {
  await using server = await withShards(2);
  expect(await scale(server, 3)).toEqual({
    StreamName,
    StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
    CurrentShardCount: 2,
    TargetShardCount: 3,
  });
  const open = (await shards(server)).filter((s) => !s.SequenceNumberRange.EndingSequenceNumber);
  expect(open.map(({ HashKeyRange }) => BigInt(HashKeyRange.StartingHashKey)).toSorted()).toEqual([
    0n,
    2n ** 128n / 3n,
    (2n ** 128n / 3n) * 2n,
  ]);
  const { StreamDescriptionSummary } = await call(server, 'DescribeStreamSummary', { StreamName });
  expect(StreamDescriptionSummary).toMatchObject({ OpenShardCount: 3, StreamStatus: 'ACTIVE' });
});

test('puts during reshards get through, and each key’s records stay in their order', async () => {
  await using server = await withShards(1);
  const keys = Array.from({ length: 8 }, (_, i) => `key-${i}`);
  let isOver = false;
  const puts = keys.map(async (key) => {
    let i = 0;
    while (!isOver || i < 5) await put(server, key, `${key} ${i++}`);
    return Array.from({ length: i }, (_, n) => `${key} ${n}`);
  });
  for (const count of [2, 4, 3, 6, 3, 2, 1]) await scale(server, count);
  isOver = true;
  const sent = await Promise.all(puts);
  const read = await walk(server);
  for (const [i, key] of keys.entries())
    expect(read.filter((text) => text.startsWith(`${key} `))).toEqual(sent[i]);
  expect(read).toHaveLength(sent.flat().length);
});

test('while it reshards a stream is UPDATING and takes no other reshard; puts wait for the children', async () => {
  const files = new FaultyFiles();
  await using server = await withShards(1, { files });
  const release = files.holdSyncs();
  const early = put(server, 'a', 'early');
  while (!files.done.some((entry) => entry.startsWith('syncData'))) await new Promise((r) => setImmediate(r));
  const splitting = split(server);
  for (;;) {
    const { StreamDescriptionSummary } = await call(server, 'DescribeStreamSummary', { StreamName });
    if (StreamDescriptionSummary.StreamStatus === 'UPDATING') break;
  }
  await expect(split(server)).rejects.toThrow(
    'ResourceInUseException: Stream events under account 000000000000 not ACTIVE, instead in state UPDATING',
  );
  const late = put(server, 'a', 'late');
  let isSplit = false;
  void splitting.then(() => {
    isSplit = true;
  });
  const ShardIterator = await iterator(server, StreamName);
  for (let i = 0; i < 30; i++) {
    const answer = await call(server, 'GetRecords', { ShardIterator });
    expect(answer).toMatchObject({ Records: [], NextShardIterator: expect.any(String) });
  }
  expect(isSplit).toBe(false);
  release();
  await splitting;
  expect((await early).ShardId).toBe(SHARD(0));
  expect((await late).ShardId).not.toBe(SHARD(0));
  expect(await walk(server)).toEqual(['early', 'late']);
});

test('whichever write of a split fails, and after a crash there, all is as before or all is done', async () => {
  for (let failing = 0, isDone = false; !isDone; failing++) {
    const files = new FaultyFiles();
    await using server = await withShards(1, { files });
    await put(server, 'a', 'first');
    let operations = 0;
    files.failWhen(() => operations++ >= failing);
    isDone = await split(server).then(
      () => true,
      () => false,
    );
    await using opened = await testServer({ folder: await crashImage(server) });
    const open = (await call(opened, 'ListShards', { StreamName, ShardFilter: { Type: 'AT_LATEST' } }))
      .Shards;
    expect([1, 2]).toContain(open.length);
    if (isDone) expect(open).toHaveLength(2);
    expect(await walk(opened)).toEqual(['first']);
    // The server that lived on goes on as well.
    files.failWhen(() => false);
    await put(server, 'a', 'second');
    expect(await walk(server)).toEqual(['first', 'second']);
    await using again = await testServer({ folder: await crashImage(server) });
    expect(await walk(again)).toEqual(['first', 'second']);
    expect(failing).toBeLessThan(20);
  }
});

test('shards are listed by when they were open', async () => {
  await using server = await withShards(1);
  server.clock.move(10_000);
  await split(server);
  server.clock.move(10_000);
  await merge(server, SHARD(1), SHARD(2));
  const listed = async (ShardFilter: Parameters<typeof call<'ListShards'>>[2]['ShardFilter']) =>
    (await call(server, 'ListShards', { StreamName, ShardFilter: ShardFilter! })).Shards.map(({ ShardId }) =>
      Number(ShardId.slice(-1)),
    ).join('');
  const at = (after_ms: number) => (START_MS + after_ms) / 1000;
  expect(await listed({ Type: 'FROM_TRIM_HORIZON' })).toBe('0123');
  expect(await listed({ Type: 'AT_TRIM_HORIZON' })).toBe('0');
  expect(await listed({ Type: 'AT_LATEST' })).toBe('3');
  expect(await listed({ Type: 'AFTER_SHARD_ID', ShardId: SHARD(1) })).toBe('23');
  expect(await listed({ Type: 'AT_TIMESTAMP', Timestamp: at(-1000) })).toBe('0');
  expect(await listed({ Type: 'AT_TIMESTAMP', Timestamp: at(5_000) })).toBe('0');
  expect(await listed({ Type: 'AT_TIMESTAMP', Timestamp: at(15_000) })).toBe('12');
  expect(await listed({ Type: 'AT_TIMESTAMP', Timestamp: at(20_001) })).toBe('3');
  expect(await listed({ Type: 'FROM_TIMESTAMP', Timestamp: at(5_000) })).toBe('0123');
  expect(await listed({ Type: 'FROM_TIMESTAMP', Timestamp: at(15_000) })).toBe('123');
});

/** What is listed when the server has trimmed, so many hours later. */
async function listedAfter(server: TestServer, hours: number): Promise<string[]> {
  await server.clock.asleep();
  server.clock.move(hours * HOUR_MS);
  await server.clock.asleep();
  return (await shards(server)).map(({ ShardId }) => ShardId);
}

test('closed shards go when the retention is over, oldest first; what is open stays', async () => {
  await using server = await withShards(1, { held: () => 'none' });
  await put(server, 'a', 'x');
  server.clock.move(HOUR_MS);
  await split(server);
  server.clock.move(HOUR_MS);
  await merge(server, SHARD(1), SHARD(2));
  expect(await listedAfter(server, 22.5)).toEqual([SHARD(0), SHARD(1), SHARD(2), SHARD(3)]);
  expect(await listedAfter(server, 1)).toEqual([SHARD(1), SHARD(2), SHARD(3)]);
  expect(await listedAfter(server, 1)).toEqual([SHARD(3)]);
  await expect(iterator(server, StreamName)).rejects.toThrow(/^ResourceNotFoundException/);
  expect((await shards(server))[0]).toMatchObject({ ParentShardId: SHARD(1) });
  await using opened = await testServer({ folder: await crashImage(server), clock: server.clock });
  expect((await shards(opened)).map(({ ShardId }) => ShardId)).toEqual([SHARD(3)]);
});

test('a closed shard that the lake has not read to its end stays, however old', async () => {
  let positions = new Map<string, string>();
  const held: HeldPositions = () => positions;
  const clock = new ManualClock();
  await using server = await withShards(1, { held, clock });
  const { SequenceNumber } = await put(server, 'a', 'x');
  await split(server);
  expect(await listedAfter(server, 1_000)).toHaveLength(3);
  positions = new Map([[SHARD(0), SequenceNumber]]);
  expect(await listedAfter(server, 1)).toHaveLength(3);
  positions = new Map([[SHARD(0), 'end']]);
  expect(await listedAfter(server, 1)).toEqual([SHARD(1), SHARD(2)]);
});

test('a stream that is deleted while it reshards is gone, also after a restart', async () => {
  const server = await withShards(1);
  await Promise.allSettled([split(server), call(server, 'DeleteStream', { StreamName })]);
  await server.close();
  await using opened = await testServer({ folder: server.folder });
  expect(await call(opened, 'ListStreams', {})).toMatchObject({ StreamNames: [] });
});

const refusals: [string, (server: TestServer) => Promise<unknown>, RegExp][] = [
  [
    'a key outside of the shard',
    (server) => split(server, SHARD(0), String(2n ** 127n - 1n)),
    /^InvalidArgumentException: NewStartingHashKey \d+ used in SplitShard\(\) on shard shardId-000000000000 .* is not both greater than one plus the shard's StartingHashKey 0 and less than/,
  ],
  [
    'the key after the first',
    (server) => split(server, SHARD(0), '1'),
    /^InvalidArgumentException: NewStart/,
  ],
  [
    'a shard that is not there',
    (server) => split(server, SHARD(7)),
    /^ResourceNotFoundException: Could not find shard shardId-000000000007 in stream events under account 000000000000\./,
  ],
  [
    'shards that do not touch',
    (server) => merge(server, SHARD(0), SHARD(2)),
    /^InvalidArgumentException: Shards shardId-000000000000 and shardId-000000000002 .* are not an adjacent pair/,
  ],
  ['a shard and itself', (server) => merge(server, SHARD(1), SHARD(1)), /not an adjacent pair/],
  ['more than double', (server) => scale(server, 9), /^InvalidArgumentException: .*over double/],
  ['less than half', (server) => scale(server, 1), /^InvalidArgumentException: .*below half/],
  [
    'a shard that was split',
    async (server) => {
      await split(server, SHARD(0), '2');
      await split(server, SHARD(0), '2');
    },
    /^InvalidArgumentException: Shard shardId-000000000000 .* has already been merged or split, and thus is not eligible/,
  ],
];

test.each(refusals)('%s is refused, and nothing changes', async (_what, change, error) => {
  await using server = await withShards(4);
  await expect(change(server)).rejects.toThrow(error);
  expect(await texts(server, StreamName)).toEqual([]);
});

test('an on-demand stream is not resharded by hand', async () => {
  await using server = await testServer();
  await call(server, 'CreateStream', { StreamName, StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
  await expect(scale(server, 5)).rejects.toThrow(/^ValidationException/);
});

test('shards of all streams together are bounded', async () => {
  await using server = await withShards(1);
  await call(server, 'CreateStream', { StreamName: 'other', ShardCount: 999 });
  await expect(split(server)).rejects.toThrow(
    /^LimitExceededException: This request would exceed the shard limit/,
  );
});
