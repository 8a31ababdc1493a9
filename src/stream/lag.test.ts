import { expect, it } from 'vitest';
import { type StreamUnderTest, streamUnderTest } from '../../tests/support/stream-under-test.ts';
import type { Position, ShardRead } from './stream.ts';

const A = 'shardId-000000000000';
const pin = 'TRIM_HORIZON' as const;
const texts = (count: number) => Array.from({ length: count }, (_, i) => `record ${i}`);

/** Positions behind everything that is there now. */
async function read(test: StreamUnderTest): Promise<Map<string, Position>> {
  const taking = await test.take();
  const positions = new Map<string, Position>();
  for (let spool = await taking.next(); spool !== undefined; spool = await taking.next()) {
    for (const [shard, { to }] of spool.ranges) positions.set(shard, to);
    await spool[Symbol.asyncDispose]();
  }
  return positions;
}

it('of what was read to its end is none', async () => {
  const test = await streamUnderTest();
  test.fake.put('events', A, ...texts(3));
  const positions = await read(test);
  expect(await test.stream.lag({ positions, pin, shardsMax: 10 })).toEqual({
    shards: [{ shard: A, behindLatest_ms: 0, oldestAge_ms: undefined }],
    notAsked: 0,
  });
});

it('is the age of the first record behind the position, by the clock of the server', async () => {
  const test = await streamUnderTest();
  test.fake.put('events', A, 'read');
  const positions = await read(test);
  test.fake.now_ms = Math.ceil(test.fake.now_ms / 1000) * 1000 + 5_000;
  test.fake.put('events', A, 'unread');
  test.fake.now_ms += 3_600_000;
  test.fake.put('events', A, 'newer');
  const { shards } = await test.stream.lag({ positions, pin, shardsMax: 10 });
  expect(shards[0]!.oldestAge_ms).toBeGreaterThanOrEqual(3_599_000);
  expect(shards[0]!.oldestAge_ms).toBeLessThanOrEqual(3_601_000);
  expect(shards[0]!.behindLatest_ms).toBeGreaterThanOrEqual(shards[0]!.oldestAge_ms!);
});

it('asks no more shards than it may, and says how many it left out', async () => {
  const test = await streamUnderTest({ shards: 5 });
  const { shards, notAsked } = await test.stream.lag({ positions: new Map(), pin, shardsMax: 2 });
  expect([shards.length, notAsked]).toEqual([2, 3]);
  expect(test.fake.count('GetRecords')).toBe(2);
});

it('goes on behind empty answers, but not for ever', async () => {
  const test = await streamUnderTest();
  for (let i = 0; i < 20; i++) test.fake.script('GetRecords', { empty: true, behind_ms: 7_000 });
  const { shards } = await test.stream.lag({ positions: new Map(), pin, shardsMax: 1 });
  expect(shards).toEqual([{ shard: A, behindLatest_ms: 7_000, oldestAge_ms: undefined }]);
  expect(test.fake.count('GetRecords')).toBe(5);
});

it('is told with every answer that a taking takes, and so is what goes wrong with one', async () => {
  const test = await streamUnderTest();
  test.fake.put('events', A, ...texts(4));
  test.fake.script(
    'GetRecords',
    { limit: 3 },
    { error: 'ProvisionedThroughputExceededException' },
    { error: 'InternalFailure', status: 500 },
  );
  const reads: ShardRead[] = [];
  const failures: string[] = [];
  const taking = await test.take({
    onRead: (one) => reads.push(one),
    onRetry: ({ code }) => failures.push(code),
  });
  await (await taking.next())![Symbol.asyncDispose]();
  expect(await taking.next()).toBeUndefined();
  expect(reads.map(({ shard, records }) => [shard, records])).toEqual([
    [A, 3],
    [A, 1],
    [A, 0],
  ]);
  expect(failures).toEqual(['kinesis.ProvisionedThroughputExceededException', 'kinesis.InternalFailure']);
});

it('is idle only when everything that was read is handed over', async () => {
  const test = await streamUnderTest();
  test.fake.put('events', A, 'one');
  const reads: ShardRead[] = [];
  const idle = Promise.withResolvers<void>();
  const taking = await test.follow({
    poll_ms: 10,
    onRead: (one) => {
      reads.push(one);
      if (one.idle) idle.resolve();
    },
  });
  await (await taking.next())![Symbol.asyncDispose]();
  await idle.promise;
  await taking.abandon();
  expect(reads[0]).toMatchObject({ records: 1, idle: false });
});
