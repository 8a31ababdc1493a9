/**
 * The ways in which published consumers of Kinesis lost or repeated data, each as a schedule. Every schedule runs
 * with our consumer and with a naive control that has the one habit which the schedule is about; a control that comes
 * out whole means that the schedule no longer bites. Where they were seen: docs/explanation/reading-a-stream.md.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Position, Taking } from '../../src/stream/stream.ts';
import { aggregate } from '../support/aggregate.ts';
import { type Checkpoints, NaiveConsumer, type NaiveHabit } from '../support/naive/consumer.ts';
import { expectJoinedRanges, type TakenSpool, takeAll } from '../support/spools.ts';
import { StreamUnderTest } from '../support/stream-under-test.ts';
import { toldLog } from '../support/told-log.ts';

const A = 'shardId-000000000000';
const B = 'shardId-000000000001';

const opened: StreamUnderTest[] = [];
afterEach(async () => {
  for (const stream of opened.splice(0)) await stream.close();
});

/** A stream of its own for each of the two. */
async function open(options: Parameters<typeof StreamUnderTest.open>[0] = {}): Promise<StreamUnderTest> {
  const stream = await StreamUnderTest.open(options);
  opened.push(stream);
  return stream;
}

const texts = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const bodies = (spools: readonly TakenSpool[]) =>
  spools.flatMap(({ content }) => content.map((row) => row.body));
const everything = ({ fake }: StreamUnderTest) => [...fake.contents('events').values()].flat().sort();

function reached(spools: readonly TakenSpool[]): Map<string, Position> {
  return new Map(spools.flatMap(({ ranges }) => [...ranges]).map(([shard, { to }]) => [shard, to]));
}

/** Takes what is there, from where an earlier taking ended. */
async function ours(stream: StreamUnderTest, before: readonly TakenSpool[] = []): Promise<TakenSpool[]> {
  const spools = [...before, ...(await takeAll(await stream.take({ positions: reached(before) })))];
  expectJoinedRanges(spools);
  return spools;
}

async function control(
  { fake }: StreamUnderTest,
  habit: NaiveHabit | undefined,
  {
    rounds = 10,
    saved = new Map(),
    every = 1,
  }: { rounds?: number; saved?: Checkpoints; every?: number } = {},
): Promise<NaiveConsumer> {
  const options = { endpoint: fake.endpoint, saved, checkpointEvery: every };
  return new NaiveConsumer({ ...options, ...(habit && { habit }) }).run(rounds);
}

/** Each schedule prepares a stream; the consumers then have until the end of it. */
interface Schedule {
  shards?: number;
  prepare: (stream: StreamUnderTest) => void;
}

const whole = async ({ shards = 1, prepare }: Schedule): Promise<void> => {
  const stream = await open({ shards });
  prepare(stream);
  expect(bodies(await ours(stream)).sort()).toEqual(everything(stream));
};

/** What the control with this habit took, and what it should have taken. */
async function naive({ shards = 1, prepare }: Schedule, habit?: NaiveHabit) {
  const stream = await open({ shards });
  prepare(stream);
  const { taken } = await control(stream, habit);
  return { taken: taken.sort(), all: everything(stream) };
}

const split: Schedule = {
  prepare: ({ fake }) => {
    fake.put('events', A, ...texts('a', 5));
    const [b, c] = fake.reshard('events', [A], 2);
    fake.put('events', b!, ...texts('b', 5));
    fake.put('events', c!, ...texts('c', 5));
  },
};
const failing = (error: string, times = 1, on?: string): Schedule => ({
  shards: 2,
  prepare: ({ fake }) => {
    fake.put('events', A, ...texts('a', 9));
    fake.put('events', B, ...texts('b', 9));
    fake.script('GetRecords', { limit: 4, ...(on && { on }) }, { limit: 4, ...(on && { on }) });
    for (let i = 0; i < times; i++) fake.script('GetRecords', { error, ...(on && { on }) });
  },
});
const sparse: Schedule = {
  prepare: ({ fake }) => {
    fake.put('events', A, ...texts('a', 5));
    fake.script(
      'GetRecords',
      { limit: 2 },
      { empty: true, behind_ms: 60_000 },
      { empty: true, behind_ms: 60_000 },
    );
  },
};
const emptyParent: Schedule = {
  prepare: ({ fake }) => {
    const [b] = fake.reshard('events', [A], 1);
    fake.put('events', b!, ...texts('b', 3));
  },
};
const racedListing: Schedule = {
  prepare: (stream) => {
    split.prepare(stream);
    stream.fake.listOpen('events', A);
  },
};
const caughtUp: Schedule = { prepare: ({ fake }) => fake.put('events', A, ...texts('a', 5)) };

test('the control without a habit comes out whole, so that it is the habits that lose', async () => {
  for (const schedule of [split, failing('ExpiredIteratorException'), sparse, emptyParent, caughtUp]) {
    const { taken, all } = await naive(schedule);
    expect(taken).toEqual(all);
  }
});

describe('nothing is lost', () => {
  test.each<[string, Schedule, NaiveHabit]>([
    [
      'of shards that were closed, with unread data, before the start',
      split,
      'skips shards that are closed when it starts',
    ],
    [
      'of the last answer of a shard, whose next iterator is null',
      split,
      'looks at the iterator before the records',
    ],
    ['of an answer that says that nothing is behind it', caughtUp, 'takes a lag of 0 for nothing left'],
    ['behind an answer without records', sparse, 'stops at an answer without records'],
    [
      'when an iterator expires',
      failing('ExpiredIteratorException'),
      'gives a shard up when its iterator expires',
    ],
    [
      'by throttling',
      failing('ProvisionedThroughputExceededException'),
      'gives a shard up when it is throttled',
    ],
    [
      'of other shards while one is throttled',
      failing('ProvisionedThroughputExceededException', 9, A),
      'has one budget of retries for all shards',
    ],
    ['behind a parent that was closed empty', emptyParent, 'waits for a parent to give a record'],
    [
      'when a listing names a parent as open beside its children',
      racedListing,
      'fails when a parent and its child are listed as open',
    ],
  ])('%s', async (_, schedule, habit) => {
    await whole(schedule);
    const { taken, all } = await naive(schedule, habit);
    expect(taken).not.toEqual(all);
    expect(all).toEqual(expect.arrayContaining(taken));
    expect(new Set(taken).size).toBe(taken.length);
  });

  test('of shards that a split makes while it reads', async () => {
    const stream = await open();
    stream.fake.put('events', A, 'a');
    const taking = await stream.follow();
    const spools = await batches(taking, 1);
    split.prepare(stream);
    spools.push(...(await until(taking, 15)));
    expect(bodies(spools).sort()).toEqual(everything(stream));
    await taking.abandon();

    const other = await open();
    other.fake.put('events', A, 'a');
    const consumer = await control(other, 'lists shards once', { rounds: 2 });
    split.prepare(other);
    await consumer.run(10);
    expect(consumer.taken.filter((body) => /^[bc]/.test(body))).toEqual([]);
  });

  test('of what arrives in a child before it is found', async () => {
    await whole(split);
    const { taken } = await naive(split, 'begins children at LATEST');
    expect(taken).toEqual(texts('a', 5));
  });

  test('of what arrives between two starts before the first record was taken', async () => {
    // "Now" is a time that was written down once; records that came before it stay away, all after it are taken.
    const stream = await open();
    const pin = `AT_TIMESTAMP:${stream.fake.now_ms}` as const;
    stream.fake.put('events', A, { data: 'old', arrived_ms: stream.fake.now_ms - 1 });
    expect(await takeAll(await stream.take({ pin }))).toEqual([]);
    stream.fake.put('events', A, ...texts('a', 3));
    expect(bodies(await takeAll(await stream.take({ pin })))).toEqual(texts('a', 3));

    const other = await open();
    const saved: Checkpoints = new Map();
    await control(other, 'begins at LATEST whenever it starts', { saved });
    other.fake.put('events', A, ...texts('a', 3));
    expect((await control(other, 'begins at LATEST whenever it starts', { saved })).taken).toEqual([]);
  });

  test('of an aggregated record in which another shard’s key stands', async () => {
    const schedule: Schedule = {
      shards: 2,
      prepare: ({ fake }) => {
        const keyed = texts('key', 8).map((key) => ({ data: key, key }));
        fake.put('events', A, { data: aggregate(...keyed) }, 'plain');
      },
    };
    const stream = await open({ shards: 2 });
    schedule.prepare(stream);
    const spools = await ours(stream);
    expect(bodies(spools)).toEqual([...texts('key', 8), 'plain']);
    expect(spools[0]!.stray).toBeGreaterThan(0);
    const { taken } = await naive(schedule, 'drops an aggregated record with one stray key');
    expect(taken).toEqual(['plain']);
  });

  test('of an aggregated record whose first user records alone were taken before a crash', async () => {
    const prepare = ({ fake }: StreamUnderTest) =>
      fake.put('events', A, { data: aggregate(...texts('u', 5).map((data) => ({ data }))) });
    const stream = await open();
    prepare(stream);
    const spools = await ours(stream);
    expect(bodies(await ours(stream, spools))).toEqual(texts('u', 5));

    const other = await open();
    prepare(other);
    const saved: Checkpoints = new Map();
    const { taken } = await control(other, 'checkpoints inside of an aggregated record', { saved });
    expect([...taken, ...(await control(other, undefined, { saved })).taken]).toEqual(['u0']);
  });
});

describe('nothing is taken twice', () => {
  test('when an iterator expires between two checkpoints', async () => {
    const schedule = failing('ExpiredIteratorException', 1, A);
    await whole(schedule);
    const stream = await open({ shards: 2 });
    schedule.prepare(stream);
    const { taken } = await control(stream, 'goes back to its checkpoint when an iterator expires', {
      every: 100,
    });
    expect(new Set(taken).size).toBeLessThan(taken.length);
    expect([...new Set(taken)].sort()).toEqual(everything(stream));
  });

  test('nor anything read for ever, where closed shards gave nothing', async () => {
    const stream = await open();
    emptyParent.prepare(stream);
    const first = await ours(stream);
    expect(reached(first).get(A)).toBe('end');
    const before = stream.fake.requests.length;
    await ours(stream, first);
    expect(
      stream.fake.requests.slice(before).filter((r) => String(r.input['ShardIterator']).includes(A)),
    ).toEqual([]);

    const other = await open();
    emptyParent.prepare(other);
    const saved: Checkpoints = new Map();
    const habit = 'begins closed shards anew when they gave nothing';
    expect((await control(other, habit, { saved, rounds: 20 })).taken).toEqual([]);
    expect(saved.get(A)).toBeUndefined();
  });
});

test('the order of a key holds over a split: parents are read to their end before their children', async () => {
  const before = (taken: readonly string[]) =>
    Math.max(...texts('a', 30).map((body) => taken.indexOf(body))) <
    Math.min(...texts('b', 5).map((body) => taken.indexOf(body)));
  const schedule = ({ fake }: StreamUnderTest) => {
    fake.put('events', A, ...texts('a', 30));
    const [b] = fake.reshard('events', [A], 1);
    fake.put('events', b!, ...texts('b', 5));
    fake.script('GetRecords', ...Array.from({ length: 6 }, () => ({ on: A, limit: 5 })));
  };
  const stream = await open();
  schedule(stream);
  expect(before(bodies(await ours(stream)))).toBe(true);
  const other = await open();
  schedule(other);
  const { taken } = await control(other, 'reads children beside their parents');
  expect(taken.toSorted()).toEqual(everything(other));
  expect(before(taken)).toBe(false);
});

test('what expired before it was read is said, with the range and the time', async () => {
  const schedule = ({ fake }: StreamUnderTest) => {
    fake.put('events', A, ...texts('a', 9));
    fake.trim('events', A, 6);
  };
  const log = toldLog();
  const stream = await open({ log });
  schedule(stream);
  const taking = await stream.take({ positions: new Map<string, Position>([[A, '3']]) });
  const spools = await takeAll(taking);
  expect(spools.flatMap(({ expired }) => expired)).toMatchObject([{ shard: A, from: '3', to: '7' }]);
  expect(log.ids('warn')).toEqual(['stream.records_expired']);

  const other = await open();
  schedule(other);
  const { taken } = await control(other, undefined, { saved: new Map([[A, '3']]) });
  expect(taken).toEqual(bodies(spools));
});

test('a throttled shard is asked less and less often, with the same iterator, and others are read meanwhile', async () => {
  const throttles = 30;
  const stream = await open({ shards: 2 });
  failing('ProvisionedThroughputExceededException', throttles, A).prepare(stream);
  const began_ms = stream.clock.now();
  expect(bodies(await ours(stream)).sort()).toEqual(everything(stream));
  expect((stream.clock.now() - began_ms) / throttles).toBeGreaterThan(200);
  expect(stream.fake.count('GetShardIterator')).toBe(2);

  const other = await open({ shards: 2 });
  failing('ProvisionedThroughputExceededException', throttles, A).prepare(other);
  // Three rounds, each without a pause in it.
  const { requests } = await control(other, 'asks again at once when it is throttled', { rounds: 3 });
  expect(requests).toBeGreaterThan(throttles);
});

async function batches(taking: Taking, count: number): Promise<TakenSpool[]> {
  let left = count;
  return takeAll({ next: async () => (left-- > 0 ? taking.next() : undefined) });
}

/** Batches until so many records were taken. */
async function until(taking: Taking, wanted: number): Promise<TakenSpool[]> {
  const spools: TakenSpool[] = [];
  while (bodies(spools).length < wanted) spools.push(...(await batches(taking, 1)));
  return spools;
}
