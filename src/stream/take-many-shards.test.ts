/** What only a stream of several shards brings: reshards one after another, a shard that fails for long, waits for room. */
import { describe, expect, it } from 'vitest';
import { type TakenSpool, takeAll } from '../../tests/support/spools.ts';
import { type StreamUnderTest, streamUnderTest } from '../../tests/support/stream-under-test.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import { silentLog } from '../base/base.ts';
import { connect } from './connect.ts';
import type { Spool, Taking } from './stream.ts';

const A = 'shardId-000000000000';
const B = 'shardId-000000000001';

const texts = (count: number, prefix = 'r') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const orderOf = (spools: readonly TakenSpool[]) => spools.flatMap((s) => s.content.map(({ body }) => body));

/** Batches until so many records were taken. */
async function until(taking: Taking, rows: number): Promise<TakenSpool[]> {
  let left = rows;
  return takeAll({
    async next() {
      const spool = left > 0 ? await taking.next() : undefined;
      left -= spool?.rows ?? 0;
      return spool;
    },
  });
}

it('a merge waits for a parent that was itself made after the last listing', async () => {
  // UpdateShardCount splits and merges in one go: B becomes C and D, and C goes together with A before we list again.
  const clock = new VirtualClock();
  const test = await streamUnderTest({ shards: 2, clock });
  const taking = await test.follow({ maxRows: 1 });
  // Both shards, and the audit, which never comes.
  while (clock.sleeping < 3) await new Promise(setImmediate);
  test.fake.put('events', A, 'a');
  test.fake.put('events', B, ...texts(9, 'b'));
  const [c, d] = test.fake.reshard('events', [B], 2) as [string, string];
  test.fake.put('events', c, ...texts(9, 'c'));
  test.fake.put('events', d, 'd');
  const [e] = test.fake.reshard('events', [A, c], 1) as [string];
  test.fake.put('events', e, ...texts(9, 'e'));
  clock.advance(1_000);
  const order = orderOf(await until(taking, 29));
  expect(order.toSorted()).toEqual(
    ['a', ...texts(9, 'b'), ...texts(9, 'c'), 'd', ...texts(9, 'e')].toSorted(),
  );
  expect(order.indexOf('c8')).toBeLessThan(order.indexOf('e0'));
  await taking.abandon();
});

describe('a shard that fails for as long as one looks', () => {
  const failing = (test: StreamUnderTest) => {
    for (let i = 0; i < 1_000; i++)
      test.fake.script('GetRecords', { on: B, error: 'InternalFailure', status: 500 });
  };

  it('does not keep the others from being handed over', async () => {
    const clock = new VirtualClock();
    const test = await streamUnderTest({ shards: 2, clock });
    failing(test);
    test.fake.put('events', A, ...texts(3));
    const told: unknown[] = [];
    const onRetry = (_: unknown, shard: string | undefined) => void told.push(shard);
    const taking = await test.follow({ maxAge_ms: 200_000, onRetry });
    let handed: Spool | undefined;
    const next = taking.next().then((spool) => {
      handed = spool;
    });
    while (handed === undefined) {
      // Of A until it is polled again, of B after its failure, of the batch, and of the audit.
      while (clock.sleeping < 4 && handed === undefined)
        await Promise.race([next, new Promise(setImmediate)]);
      clock.advance(10_000);
    }
    expect(handed.rows).toBe(3);
    expect(new Set(told)).toEqual(new Set([B]));
    expect(told.length).toBeGreaterThan(8);
    await taking.abandon();
  });

  it('ends the taking when no other is left that answers', async () => {
    const test = await streamUnderTest({ shards: 2 });
    failing(test);
    test.fake.put('events', A, ...texts(3));
    const taking = await test.take();
    await expect(takeAll(taking)).rejects.toMatchObject({ code: 'kinesis.InternalFailure' });
    await taking.abandon();
  });
});

it('an iterator is asked for when there is room for its answer: before that it may expire', async () => {
  const test = await streamUnderTest({ shards: 9 });
  test.fake.iteratorLife_ms = 300_000;
  const until_ms = test.fake.now_ms;
  const shards = test.fake.openShards('events');
  for (const shard of shards) test.fake.put('events', shard, ...texts(20, shard));
  const taking = await test.take({ until_ms, maxRows: 10, spoolsAhead: 1, answers_bytes: 17 << 20 });
  const spools = await takeAll({
    async next() {
      // The processor takes a batch every seven minutes.
      test.fake.now_ms += 420_000;
      return taking.next();
    },
  });
  expect(orderOf(spools).toSorted()).toEqual(shards.flatMap((shard) => texts(20, shard)).toSorted());
});

it('a shard is read no more than five times a second where the endpoint has that limit, also behind a backlog', async () => {
  const test = await streamUnderTest({ shards: 2 });
  for (const shard of [A, B]) test.fake.put('events', shard, ...texts(15));
  const { clock, fake } = test;
  const stream = connect({
    ...{ name: 'events', endpoint: fake.endpoint, region: 'us-east-1', readSpacing_ms: 200 },
    ...{ credentials: { accessKeyId: 'id', secretAccessKey: 's' }, clock, log: silentLog, random: () => 0.5 },
  });
  const reads = new Map<string, number[]>([
    [A, []],
    [B, []],
  ]);
  const taking = await stream.take({
    ...{
      stream: await stream.describe(),
      positions: new Map(),
      pin: 'TRIM_HORIZON',
      spoolFolder: test.folder,
    },
    ...{ maxRows: 1, maxBytes: 1e9, maxAge_ms: 1e12, spoolsAhead: 2, poll_ms: 1_000, until_ms: fake.now_ms },
    onRead: ({ shard }) => reads.get(shard)!.push(clock.now()),
  });
  expect(orderOf(await takeAll(taking))).toHaveLength(30);
  await stream.close();
  for (const times of reads.values()) {
    expect(times).toHaveLength(16);
    expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(15 * 200 - 200);
  }
});

it('what was read of a stream that is gone, or another one by now, is handed over before that is told', async () => {
  for (const [gone, code] of [
    [(test: StreamUnderTest) => test.fake.create('events', 2), 'stream.recreated'],
    [(test: StreamUnderTest) => test.fake.delete('events'), 'stream.not_found'],
  ] as const) {
    const test = await streamUnderTest({ shards: 2 });
    test.fake.put('events', A, ...texts(5));
    // So that the batch is not handed over because all is read.
    for (let i = 0; i < 10_000; i++)
      test.fake.script('GetRecords', { on: B, error: 'LimitExceededException' });
    const read = Promise.withResolvers<void>();
    const taking = await test.follow({ onRead: () => read.resolve() });
    await read.promise;
    gone(test);
    expect(orderOf(await until(taking, 5))).toEqual(texts(5));
    await expect(taking.next()).rejects.toMatchObject({ code });
    await taking.abandon();
    expect(await test.files()).toEqual([]);
  }
});

describe('iterators of many shards that expire at once', () => {
  it('ask only now and then whether the stream is the same: that is allowed twenty times a second an account', async () => {
    const clock = new VirtualClock();
    const test = await streamUnderTest({ shards: 40, clock });
    const shards = test.fake.openShards('events');
    for (const shard of shards) test.fake.put('events', shard, 'r');
    test.fake.script('GetRecords', ...shards.map((on) => ({ on, error: 'ExpiredIteratorException' })));
    let taken: TakenSpool[] | undefined;
    void takeAll(await test.take()).then((spools) => {
      taken = spools;
    });
    // Time passes, but no faster than answers come.
    for (; taken === undefined; clock.advance(0.2)) await new Promise(setImmediate);
    expect(orderOf(taken)).toHaveLength(40);
    expect(test.fake.count('GetShardIterator')).toBe(80);
    expect(test.fake.count('DescribeStreamSummary')).toBeLessThan(20);
  });

  it('wait where even that is throttled', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, 'r');
    const passes = [{ limit: 0 }, { limit: 0 }];
    const throttled = Array.from({ length: 12 }, () => ({ error: 'LimitExceededException' }));
    test.fake.script('DescribeStreamSummary', ...passes, ...throttled);
    test.fake.script('GetRecords', { error: 'ExpiredIteratorException' });
    expect(orderOf(await takeAll(await test.take()))).toEqual(['r']);
  });
});
