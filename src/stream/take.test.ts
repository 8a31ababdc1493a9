import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { bodiesByShard, expectJoinedRanges, takeAll } from '../../tests/support/spools.ts';
import { streamUnderTest } from '../../tests/support/stream-under-test.ts';
import { toldLog } from '../../tests/support/told-log.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import type { Position } from './stream.ts';

const A = 'shardId-000000000000';
const B = 'shardId-000000000001';
const C = 'shardId-000000000002';

const texts = (count: number, prefix = 'r') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('positions', () => {
  it('go on where the table stands, as integers', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(12));
    const positions = new Map<string, Position>([[A, '9']]);
    const spools = await takeAll(await test.take({ positions }));
    expect(bodiesByShard(spools).get(A)).toEqual(['r9', 'r10', 'r11']);
    expect(spools[0]!.ranges).toEqual(new Map([[A, { from: '9', to: '12' }]]));
  });

  it('of shards that did not move are in no batch', async () => {
    const test = await streamUnderTest({ shards: 2 });
    test.fake.put('events', B, 'x');
    const [spool] = await takeAll(await test.take());
    expect([...spool!.ranges.keys()]).toEqual([B]);
  });

  it('begin at the pin, and a restart before the first event loses nothing', async () => {
    const test = await streamUnderTest();
    const pinned_ms = test.fake.now_ms;
    const pin = `AT_TIMESTAMP:${pinned_ms}` as const;
    test.fake.put('events', A, { data: 'before', arrived_ms: pinned_ms - 1_000 });
    expect(await takeAll(await test.take({ pin }))).toEqual([]);
    test.fake.now_ms += 10_000;
    test.fake.put('events', A, { data: 'between', arrived_ms: pinned_ms + 5_000 });
    const [spool] = await takeAll(await test.take({ pin }));
    expect(spool!.content.map((row) => row.body)).toEqual(['between']);
    expect(spool!.ranges.get(A)).toEqual({ from: pin, to: '2' });
  });
});

describe('a batch', () => {
  it('ends when it holds enough records', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(25));
    const spools = await takeAll(await test.take({ maxRows: 10 }));
    expect(spools.map((s) => [s.rows, s.drained])).toEqual([
      [10, false],
      [10, false],
      [5, true],
    ]);
    expectJoinedRanges(spools);
  });

  it('ends when it holds enough bytes, and counts the bytes of its records', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(6, 'x'.repeat(999)));
    test.fake.script('GetRecords', ...[1, 1, 1, 1, 1, 1].map((limit) => ({ limit })));
    const spools = await takeAll(await test.take({ maxBytes: 1_500 }));
    expect(spools.map((s) => [s.rows, s.bytes])).toEqual([
      [2, 2_000],
      [2, 2_000],
      [2, 2_000],
    ]);
  });

  it('ends when the stream is drained, and says so', async () => {
    const test = await streamUnderTest({ shards: 2 });
    test.fake.put('events', A, 'a');
    test.fake.put('events', B, 'b');
    const taking = await test.follow();
    const spool = await taking.next();
    expect(spool).toMatchObject({ rows: 2, drained: true, behindLatest_ms: 0 });
    await taking.abandon();
  });

  it('is handed over by age while another shard is never caught up', async () => {
    const clock = new VirtualClock();
    const test = await streamUnderTest({ shards: 2, clock });
    test.fake.put('events', A, 'a');
    for (let i = 0; i < 1_000; i++)
      test.fake.script('GetRecords', { on: B, error: 'LimitExceededException' });
    const aging = clock.whenSleeping(45_000);
    const taking = await test.follow({ maxAge_ms: 45_000 });
    await aging;
    let handed = false;
    const next = taking.next().then((spool) => {
      handed = true;
      return spool;
    });
    clock.advance(44_999);
    await new Promise(setImmediate);
    expect(handed).toBe(false);
    clock.advance(1);
    expect(await next).toMatchObject({ drained: false });
    await taking.abandon();
    expect(clock.sleeping).toBe(0);
  });

  it('says how long ago its records arrived and how far the stream is ahead', async () => {
    const test = await streamUnderTest();
    const { now_ms } = test.fake;
    test.fake.put(
      'events',
      A,
      { data: 'a', arrived_ms: now_ms - 9_000 },
      { data: 'b', arrived_ms: now_ms - 7_000 },
    );
    test.fake.put('events', A, { data: 'c', arrived_ms: now_ms - 5_000 });
    const [first] = await takeAll(await test.take({ maxRows: 2 }));
    expect(first).toMatchObject({ firstArrival_ms: now_ms - 9_000, lastArrival_ms: now_ms - 7_000 });
    expect(first!.behindLatest_ms).toBe(5_000);
  });
});

describe('a failure', () => {
  it.each([
    ['a lost answer', { lost: true }],
    ['an answer cut off', { cut: true }],
    ['an answer that is no JSON', { garbage: '{"Records":[' }],
    ['an answer without records', { garbage: '{}' }],
    ['an outage', { error: 'ServiceUnavailable', status: 503 }],
    ['a throttle', { error: 'ProvisionedThroughputExceededException' }],
  ] as const)('%s is read again with the same iterator', async (_, fault) => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(30));
    test.fake.script('GetRecords', { limit: 10 }, fault, fault);
    const spools = await takeAll(await test.take());
    expect(bodiesByShard(spools).get(A)).toEqual(texts(30));
    expect(test.fake.count('GetShardIterator')).toBe(1);
  });

  it('of an iterator is mended behind the last record taken', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(30));
    test.fake.script('GetRecords', { error: 'ExpiredIteratorException' }, { limit: 11 });
    test.fake.script(
      'GetRecords',
      { error: 'ExpiredIteratorException' },
      { error: 'InvalidArgumentException' },
    );
    const spools = await takeAll(await test.take());
    expect(bodiesByShard(spools).get(A)).toEqual(texts(30));
    const iterators = test.fake.requests
      .filter((r) => r.operation === 'GetShardIterator')
      .map((r) => r.input);
    expect(iterators.map((i) => i['StartingSequenceNumber'])).toEqual([undefined, undefined, '11', '11']);
  });

  it('of every iterator, however fresh, ends the taking, to be begun again later', async () => {
    const test = await streamUnderTest();
    for (let i = 0; i < 99; i++) test.fake.script('GetRecords', { error: 'ExpiredIteratorException' });
    const told: string[] = [];
    const taking = await test.take({ onRetry: ({ code }) => void told.push(code) });
    await expect(taking.next()).rejects.toMatchObject({
      code: 'kinesis.ExpiredIteratorException',
      retry: 'backoff',
    });
    expect(told).toEqual(Array(6).fill('kinesis.ExpiredIteratorException'));
    expect(test.fake.count('GetShardIterator')).toBe(6);
  });

  it.each(['ProvisionedThroughputExceededException', 'LimitExceededException', 'KMSThrottlingException'])(
    'by throttling goes on for as long as it lasts: %s',
    async (error) => {
      const test = await streamUnderTest();
      test.fake.put('events', A, 'a');
      for (let i = 0; i < 50; i++) test.fake.script('GetRecords', { error });
      expect(await takeAll(await test.take())).toHaveLength(1);
    },
  );

  it('that stays ends the taking, and its files are gone', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(2));
    test.fake.script('GetRecords', { limit: 1 });
    for (let i = 0; i < 20; i++) test.fake.script('GetRecords', { error: 'InternalFailure', status: 500 });
    const taking = await test.take();
    await expect(taking.next()).rejects.toMatchObject({ code: 'kinesis.InternalFailure', retry: 'backoff' });
    await taking.abandon();
    expect(await test.files()).toEqual([]);
  });

  it('is told also where its files cannot be removed, which is said and harms nobody', async () => {
    const [log, clock] = [toldLog(), new VirtualClock()];
    const test = await streamUnderTest({ log, clock });
    test.fake.put('events', A, 'a');
    const polling = clock.whenSleeping(1_000);
    const taking = await test.follow();
    await polling;
    const [spool] = await test.files();
    await rm(join(test.folder, spool!));
    await mkdir(join(test.folder, spool!));
    test.fake.script('GetRecords', { error: 'AccessDeniedException' });
    clock.advance(1_000);
    await expect(taking.next()).rejects.toMatchObject({ code: 'kinesis.AccessDeniedException' });
    await taking.abandon();
    expect(log.ids('warn')).toContain('stream.spools_left');
  });

  it('of a session that ran out is waited for, for as long as it lasts', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(2));
    test.fake.script('GetRecords', { limit: 1 });
    for (let i = 0; i < 9; i++) test.fake.script('GetRecords', { error: 'ExpiredTokenException' });
    const told: string[] = [];
    const spools = await takeAll(await test.take({ onRetry: ({ code }) => void told.push(code) }));
    expect(bodiesByShard(spools).get(A)).toEqual(texts(2));
    expect(told).toEqual(Array(4).fill('stream.credentials'));
  });

  it('of the right to read ends the taking at once', async () => {
    const test = await streamUnderTest();
    test.fake.script('GetRecords', { error: 'AccessDeniedException' });
    await expect((await test.take()).next()).rejects.toMatchObject({ code: 'kinesis.AccessDeniedException' });
    expect(test.fake.count('GetRecords')).toBe(1);
  });

  it('to write the spool says so', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, 'a');
    const taking = test.take({ spoolFolder: '/dev/null/spools' });
    await expect(taking).rejects.toMatchObject({ code: 'stream.spool_failed', fault: 'user' });
  });

  it('to keep records in order is refused, never skipped', async () => {
    const test = await streamUnderTest();
    const record = (n: number) => ({
      SequenceNumber: String(n),
      ApproximateArrivalTimestamp: 1,
      Data: '',
      PartitionKey: '',
    });
    const garbage = JSON.stringify({
      Records: [record(2), record(1)],
      MillisBehindLatest: 0,
      NextShardIterator: 'i',
    });
    for (let i = 0; i < 20; i++) test.fake.script('GetRecords', { garbage });
    await expect((await test.take()).next()).rejects.toMatchObject({
      code: 'stream.bad_body',
      why: 'record 1 stands behind 2',
    });
  });
});

it('gives a record once though bodies overlap', async () => {
  const test = await streamUnderTest();
  test.fake.put('events', A, ...texts(120));
  test.fake.script(
    'GetRecords',
    { limit: 99 },
    { limit: 12, overlap: 7 },
    { limit: 3, overlap: 3 },
    { limit: 50, overlap: 40 },
  );
  const spools = await takeAll(await test.take());
  expect(bodiesByShard(spools).get(A)).toEqual(texts(120));
});

it('reads on through empty answers while something is behind them', async () => {
  const test = await streamUnderTest();
  test.fake.put('events', A, 'a');
  for (let i = 0; i < 9; i++) test.fake.script('GetRecords', { empty: true, behind_ms: 1_000 });
  expect(await takeAll(await test.take())).toHaveLength(1);
});

describe('a clock that is set back by an hour', () => {
  it('does not stop the reading until it has caught up', async () => {
    const test = await streamUnderTest();
    const taking = await test.follow({ spoolsAhead: 1 });
    test.fake.put('events', A, 'before');
    const before = await taking.next();
    test.clock.advance(-3_600_000);
    test.fake.put('events', A, 'after');
    const after = await taking.next();
    expect([before?.rows, after?.rows]).toEqual([1, 1]);
    await taking.abandon();
    await Promise.all([before?.[Symbol.asyncDispose](), after?.[Symbol.asyncDispose]()]);
  });
});

describe('resharding', () => {
  it('reads parents to their end before their children', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(20, 'a'));
    const [b, c] = test.fake.reshard('events', [A], 2);
    test.fake.put('events', b!, ...texts(20, 'b'));
    test.fake.put('events', c!, ...texts(20, 'c'));
    const [d] = test.fake.reshard('events', [b!, c!], 1);
    test.fake.put('events', d!, ...texts(20, 'd'));
    const spools = await takeAll(await test.take({ maxRows: 7 }));
    const order = spools.flatMap((s) => s.content.map((row) => row.body));
    expect(order.slice(0, 20)).toEqual(texts(20, 'a'));
    expect(order.slice(60)).toEqual(texts(20, 'd'));
    expect(order.toSorted()).toEqual(['a', 'b', 'c', 'd'].flatMap((p) => texts(20, p)).toSorted());
    expectJoinedRanges(spools);
    const ended = new Map(spools.flatMap((s) => [...s.ended]));
    expect(ended).toEqual(
      new Map([
        [A, [b, c]],
        [b, [d]],
        [c, [d]],
      ]),
    );
    expect(spools.flatMap((s) => [...s.ranges]).filter(([, { to }]) => to === 'end')).toHaveLength(3);
  });

  it('begins a child at its beginning also after a restart', async () => {
    const test = await streamUnderTest();
    const [b] = test.fake.reshard('events', [A], 1);
    test.fake.put('events', b!, { data: 'early', arrived_ms: test.fake.now_ms - 5_000 });
    const positions = new Map<string, Position>([[A, 'end']]);
    const [spool] = await takeAll(await test.take({ positions, pin: `AT_TIMESTAMP:${test.fake.now_ms}` }));
    expect(spool!.ranges.get(b!)).toEqual({ from: 'TRIM_HORIZON', to: '1' });
  });

  it('passes a shard that is closed and empty', async () => {
    const test = await streamUnderTest();
    const [b] = test.fake.reshard('events', [A], 1);
    test.fake.put('events', b!, 'b');
    const spools = await takeAll(await test.take());
    expect(spools.flatMap((s) => [...s.ranges])).toEqual([
      [A, { from: 'TRIM_HORIZON', to: 'end' }],
      [b, { from: 'TRIM_HORIZON', to: '1' }],
    ]);
  });

  it('is found while reading', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, 'a');
    const taking = await test.follow();
    expect((await taking.next())!.rows).toBe(1);
    const [b] = test.fake.reshard('events', [A], 1);
    test.fake.put('events', b!, 'b');
    let spool = await taking.next();
    if (!spool!.ranges.has(b!)) spool = await taking.next();
    expect(spool!.ranges.get(b!)).toEqual({ from: 'TRIM_HORIZON', to: '1' });
    await taking.abandon();
  });

  it('is found in the listing when the end of a shard names no children', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, 'a');
    const [b] = test.fake.reshard('events', [A], 1);
    test.fake.put('events', b!, 'b');
    test.fake.script('GetRecords', { childless: true, limit: 1 });
    expect(bodiesByShard(await takeAll(await test.take())).get(b!)).toEqual(['b']);
  });

  it('is not believed of a shard that is listed as open', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(5));
    test.fake.script('GetRecords', { childless: true, limit: 2 });
    const spools = await takeAll(await test.take());
    expect(bodiesByShard(spools).get(A)).toEqual(texts(5));
    expect(spools.flatMap((s) => [...s.ended])).toEqual([]);
  });

  it('long before the pin brings nothing from before it, also after a restart', async () => {
    const test = await streamUnderTest();
    const early = { arrived_ms: test.fake.now_ms - 60_000 };
    test.fake.put('events', A, { data: 'a', ...early });
    const [b] = test.fake.reshard('events', [A], 1);
    test.fake.put('events', b!, { data: 'old', ...early }, 'new');
    const pin = `AT_TIMESTAMP:${test.fake.now_ms}` as const;
    const spools = await takeAll(await test.take({ pin }));
    expect(spools.flatMap((s) => s.content.map((row) => row.body))).toEqual(['new']);
    const positions = new Map(spools.flatMap((s) => [...s.ranges]).map(([shard, { to }]) => [shard, to]));
    expect(await takeAll(await test.take({ pin, positions }))).toEqual([]);
  });

  it('is found by the audit when nothing else tells of it', async () => {
    const test = await streamUnderTest();
    const taking = await test.follow();
    test.fake.create('other', 2);
    test.fake.reshard('events', [], 1);
    test.fake.put('events', B, 'b');
    expect((await taking.next())!.ranges.get(B)).toEqual({ from: 'TRIM_HORIZON', to: '1' });
    await taking.abandon();
  });
});

it('lists the shards of a stream that is still being created when it is active, and says that it is not', async () => {
  const test = await streamUnderTest();
  const creating = { error: 'ResourceInUseException' } as const;
  test.fake.script('ListShards', creating, creating);
  expect(await test.stream.shards()).toHaveLength(1);
  test.fake.script('ListShards', ...Array.from({ length: 9 }, () => creating));
  await expect(test.stream.shards()).rejects.toMatchObject({ code: 'stream.not_active', retry: 'backoff' });
});

const expired = { error: 'ExpiredNextTokenException' } as const;

it('lists shards page by page, and again when the token of a page ran out', async () => {
  const test = await streamUnderTest({ shards: 7 });
  test.fake.shardsPerPage = 3;
  test.fake.script('ListShards', { limit: 0 }, expired);
  expect((await test.stream.shards()).map((s) => s.id)).toHaveLength(7);
  test.fake.script('ListShards', ...Array.from({ length: 4 }, () => [{ limit: 0 }, expired]).flat());
  expect((await test.stream.shards()).map((s) => s.id)).toHaveLength(7);
});

it('gives a listing up whose tokens always run out, to be begun again later', async () => {
  const test = await streamUnderTest({ shards: 7 });
  test.fake.shardsPerPage = 3;
  test.fake.script('ListShards', ...Array.from({ length: 5 }, () => [{ limit: 0 }, expired]).flat());
  await expect(test.stream.shards()).rejects.toMatchObject({
    code: 'kinesis.ExpiredNextTokenException',
    fault: 'service',
    retry: 'backoff',
  });
  expect(test.fake.count('ListShards')).toBe(10);
});

describe('the stream', () => {
  it('being another one under the same name is noticed', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(5));
    const stream = await test.stream.describe();
    test.fake.create('events', 1);
    await expect(test.take({ stream })).rejects.toMatchObject({ code: 'stream.recreated', fault: 'user' });
  });

  it('being created again while it is read is noticed', async () => {
    const test = await streamUnderTest();
    test.fake.put('events', A, ...texts(5));
    const taking = await test.follow();
    expect((await taking.next())!.rows).toBe(5);
    test.fake.create('events', 1);
    await expect(taking.next()).rejects.toMatchObject({ code: 'stream.recreated' });
  });

  it('being deleted is noticed', async () => {
    const test = await streamUnderTest();
    const taking = await test.follow();
    test.fake.delete('events');
    await expect(taking.next()).rejects.toMatchObject({ code: 'stream.not_found' });
  });

  it('having dropped an old shard goes on with its children', async () => {
    const test = await streamUnderTest();
    const [b] = test.fake.reshard('events', [A], 1);
    test.fake.put('events', b!, 'b');
    test.fake.expire('events', A);
    const positions = new Map<string, Position>([[A, '3']]);
    expect(bodiesByShard(await takeAll(await test.take({ positions }))).get(b!)).toEqual(['b']);
  });
});

describe('until', () => {
  it('leaves what arrived later, and takes all that came before', async () => {
    const test = await streamUnderTest({ shards: 2 });
    const until_ms = test.fake.now_ms;
    test.fake.put('events', A, ...texts(10));
    test.fake.put('events', B, ...texts(3));
    for (const data of texts(5, 'late')) test.fake.put('events', A, { data, arrived_ms: until_ms + 2_000 });
    test.fake.script('GetRecords', ...Array.from({ length: 30 }, () => ({ limit: 1 })));
    const bodies = bodiesByShard(await takeAll(await test.take({ until_ms })));
    expect(bodies.get(A)).toEqual([...texts(10), 'late0']);
    expect(bodies.get(B)).toEqual(texts(3));
  });

  it('counts the whole second that the server named', async () => {
    const test = await streamUnderTest();
    const until_ms = test.fake.now_ms;
    for (const data of texts(3)) test.fake.put('events', A, { data, arrived_ms: until_ms + 900 });
    test.fake.script('GetRecords', { limit: 1 }, { limit: 1 });
    expect(bodiesByShard(await takeAll(await test.take({ until_ms }))).get(A)).toEqual(texts(3));
  });

  it('counts children only of a parent that ended before', async () => {
    const test = await streamUnderTest({ shards: 2 });
    const until_ms = test.fake.now_ms;
    const late = { arrived_ms: until_ms + 5_000 };
    test.fake.put('events', A, 'a');
    test.fake.put('events', B, 'b', { data: 'late', ...late });
    const [a1] = test.fake.reshard('events', [A], 1);
    const [b1] = test.fake.reshard('events', [B], 1);
    test.fake.put('events', a1!, 'a1');
    test.fake.put('events', b1!, { data: 'b1', ...late });
    expect([...bodiesByShard(await takeAll(await test.take({ until_ms }))).keys()]).toEqual([A, B, a1]);
  });

  it('ends at once when there is nothing', async () => {
    const test = await streamUnderTest();
    expect(await takeAll(await test.take())).toEqual([]);
    expect(await test.files()).toEqual([]);
  });
});

describe('pressure', () => {
  it('stops reading when enough batches wait', async () => {
    const clock = new VirtualClock();
    const test = await streamUnderTest({ shards: 3, clock });
    for (const shard of [A, B, C]) test.fake.put('events', shard, ...texts(100));
    const taking = await test.take({ maxRows: 10, spoolsAhead: 2 });
    // Two batches wait, a third found no room, and each of the other shards holds a body.
    await vi.waitUntil(() => test.fake.count('GetRecords') >= 5, { timeout: 30_000 });
    expect(await settled(() => test.fake.count('GetRecords'))).toBe(5);
    expect((await test.files()).length).toBeLessThanOrEqual(4);
    const spools = await takeAll(taking);
    expect(spools).toHaveLength(30);
    expectJoinedRanges(spools);
  });
});

describe('memory for answers', () => {
  it.each([
    { answers: 1, more: 0 },
    { answers: 2, more: 1 },
  ])('of $answers at the most lets no more of them be asked for at once', async ({ answers, more }) => {
    const test = await streamUnderTest({ shards: 3 });
    for (const shard of [A, B, C]) test.fake.put('events', shard, ...texts(20));
    let [read, inHand_max] = [0, 0];
    const onRead = () => {
      inHand_max = Math.max(inHand_max, test.fake.count('GetRecords') - ++read);
    };
    const taking = await test.take({ maxRows: 10, answers_bytes: answers * (17 << 20), onRead });
    expect((await takeAll(taking)).reduce((sum, spool) => sum + spool.rows, 0)).toBe(60);
    expect(inHand_max).toBe(more);
  });
});

describe('ending', () => {
  it('by stop hands over the partial batch and reads no more', async () => {
    const test = await streamUnderTest({ shards: 2, clock: new VirtualClock() });
    test.fake.put('events', A, ...texts(5));
    test.fake.script('GetRecords', { limit: 3 }, { limit: 3 });
    const taking = await test.follow();
    await settled(() => test.fake.count('GetRecords'));
    await taking.stop();
    const spools = await takeAll(taking);
    const read = test.fake.count('GetRecords');
    expectJoinedRanges(spools);
    expect(await taking.next()).toBeUndefined();
    expect(test.fake.count('GetRecords')).toBe(read);
    expect(test.clock.sleeping).toBe(0);
  });

  it('by the signal is like stop', async () => {
    const test = await streamUnderTest({ clock: new VirtualClock() });
    const { signal, abort } = controller();
    test.fake.script('GetRecords', { error: 'ProvisionedThroughputExceededException' });
    const throttled = test.clock.whenSleeping(150);
    const taking = await test.follow({ signal });
    await throttled;
    abort();
    expect(await taking.next()).toBeUndefined();
    expect(test.clock.sleeping).toBe(0);
  });

  it('by abandon removes what was not handed over and leaves nothing open', async () => {
    const test = await streamUnderTest({ shards: 2, clock: new VirtualClock() });
    test.fake.put('events', A, ...texts(50));
    const taking = await test.follow({ maxRows: 10, spoolsAhead: 2 });
    const spool = await taking.next();
    await settled(() => test.fake.count('GetRecords'));
    await taking.abandon();
    expect(await test.files()).toEqual([spool!.path.split('/').at(-1)]);
    await spool![Symbol.asyncDispose]();
    expect(await test.files()).toEqual([]);
    expect(test.clock.sleeping).toBe(0);
    expect(await taking.next()).toBeUndefined();
    await test.stream.close();
    expect(await settled(() => test.fake.connections())).toBe(0);
  });
});

/** The value once it has stayed the same for many turns of the event loop, thread and sockets included. */
async function settled<T>(value: () => T | Promise<T>): Promise<T> {
  let [last, same] = [await value(), 0];
  while (same < 300) {
    await new Promise((next) => setTimeout(next, 1));
    const now = await value();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}

function controller() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
