/** What the stream dropped before it was read is said, as a range; and nothing is said of what was read. */
import { describe, expect, it } from 'vitest';
import { bodiesByShard, type TakenSpool, takeAll } from '../../tests/support/spools.ts';
import { type StreamUnderTest, streamUnderTest } from '../../tests/support/stream-under-test.ts';
import { toldLog } from '../../tests/support/told-log.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import { formatSequenceNumber } from '../kinesis/kinesis.ts';
import type { Position } from './stream.ts';
import { TrimWatch } from './trim-watch.ts';

const A = 'shardId-000000000000';
const DAY_MS = 86_400_000;

async function open(options: Parameters<typeof StreamUnderTest.open>[0] = {}) {
  const log = toldLog();
  const test = await streamUnderTest({ log, ...options });
  return Object.assign(test, { log });
}

const expired = (spools: readonly TakenSpool[]) => spools.flatMap((spool) => spool.expired);
const at = (position: Position) => ({ positions: new Map<string, Position>([[A, position]]) });
const texts = (count: number) => Array.from({ length: count }, (_, i) => `r${i}`);

describe('records that the stream dropped behind the position are', () => {
  it('a range in the batch that goes on behind them, and a warning', async () => {
    const test = await open();
    test.fake.put('events', A, ...texts(9));
    test.fake.trim('events', A, 6);
    const spools = await takeAll(await test.take(at('4')));
    expect(bodiesByShard(spools).get(A)).toEqual(['r6', 'r7', 'r8']);
    const range = { shard: A, from: '4', to: '7', since_ms: undefined, until_ms: test.fake.now_ms };
    expect(expired(spools)).toEqual([range]);
    expect(test.log.told.filter(({ level }) => level === 'warn')).toMatchObject([
      { id: 'stream.records_expired', fields: { shard: A, from: '4', to: '7' } },
    ]);
  });

  it('a range once the next record comes, when nothing was left', async () => {
    const test = await open();
    test.fake.put('events', A, ...texts(5));
    test.fake.trim('events', A, 5);
    const taking = await test.follow(at('2'));
    await test.clock.whenSleeping(1_000);
    test.fake.put('events', A, 'new');
    const spool = await taking.next();
    expect(spool!.expired).toMatchObject([{ shard: A, from: '2', to: '6' }]);
    await taking.abandon();
  });

  it('a range to the end of a closed shard of which nothing is left, although it is still listed', async () => {
    const test = await open();
    test.fake.put('events', A, ...texts(5));
    const [b] = test.fake.reshard('events', [A], 1);
    test.fake.put('events', b!, 'b');
    test.fake.trim('events', A, 5);
    const spools = await takeAll(await test.take(at('3')));
    expect(expired(spools)).toMatchObject([{ shard: A, from: '3', to: 'end' }]);
    expect(test.log.ids('warn')).toEqual(['stream.records_expired']);
    expect(bodiesByShard(spools).get(b!)).toEqual(['b']);
  });

  it('a range to the end of a shard that is gone, running or not', async () => {
    const test = await open();
    const [b] = test.fake.reshard('events', [A], 1);
    test.fake.put('events', b!, 'b');
    test.fake.expire('events', A);
    const spools = await takeAll(await test.take(at('3')));
    expect(expired(spools)).toMatchObject([{ shard: A, from: '3', to: 'end' }]);
    expect(spools.flatMap((s) => [...s.ranges])).toContainEqual([A, { from: '3', to: 'end' }]);
    expect(bodiesByShard(spools).get(b!)).toEqual(['b']);

    const running = await open();
    running.fake.put('events', A, ...texts(3));
    const taking = await running.follow({ ...at('1'), maxRows: 1 });
    running.fake.script('GetRecords', { limit: 1 });
    await taking.next();
    const [c] = running.fake.reshard('events', [A], 1);
    running.fake.put('events', c!, 'c');
    running.fake.expire('events', A);
    running.clock.advance(2 * DAY_MS);
    running.fake.now_ms += 2 * DAY_MS;
    const rest: TakenSpool[] = [];
    while (!rest.some((spool) => spool.ranges.has(c!))) {
      rest.push(...(await takeAll({ next: once(taking.next.bind(taking)) })));
    }
    expect(expired(rest)).toMatchObject([{ shard: A, to: 'end' }]);
    await taking.abandon();
  });

  it('noticed while reading too, and begin where everything had been read', async () => {
    const test = await open({ clock: new VirtualClock({ now_ms: Date.UTC(2026, 0, 1, 12) }) });
    test.fake.put('events', A, ...texts(2));
    const idle = test.clock.whenSleeping(1_000);
    const taking = await test.follow();
    await idle;
    const drained = test.clock.whenSleeping(1_000);
    test.clock.advance(1_000);
    expect((await taking.next())!.expired).toEqual([]);
    await drained;
    const since_ms = test.clock.now();
    test.fake.now_ms += 2 * DAY_MS;
    test.fake.put('events', A, ...texts(6));
    test.fake.trim('events', A, 5);
    const read = test.clock.whenSleeping(1_000);
    test.clock.advance(2 * DAY_MS);
    await read;
    test.clock.advance(1_000);
    expect((await taking.next())!.expired).toEqual([
      { shard: A, from: '2', to: '6', since_ms, until_ms: test.fake.now_ms },
    ]);
    await taking.abandon();
  });
});

it('a shard that one listing leaves out is not given up', async () => {
  const test = await open();
  test.fake.put('events', A, ...texts(5));
  test.fake.script('ListShards', { garbage: '{"Shards":[]}' });
  const spools = await takeAll(await test.take(at('3')));
  expect(bodiesByShard(spools).get(A)).toEqual(['r3', 'r4']);
  expect(expired(spools)).toEqual([]);
});

describe('nothing is said', () => {
  it('while the record of the position is still there', async () => {
    const test = await open();
    test.fake.put('events', A, ...texts(9));
    test.fake.trim('events', A, 3);
    const spools = await takeAll(await test.take(at('4')));
    expect(expired(spools)).toEqual([]);
    expect(test.log.ids('warn')).toEqual([]);
  });

  it('of a number whose record cannot be past retention yet, and the stream is not asked', async () => {
    const test = await open();
    const putAt_s = test.clock.now() / 1000 - 3_600;
    const number = formatSequenceNumber({ shardCreatedAt_s: putAt_s - 9, shardIndex: 0, index: 5n, putAt_s });
    await takeAll(await test.take(at(number as Position)));
    expect(test.fake.count('GetShardIterator')).toBe(1);
  });

  it('of an idle shard that was read all the time, however long', async () => {
    const test = await open();
    test.fake.put('events', A, 'old');
    const taking = await test.follow();
    await taking.next();
    for (let day = 0; day < 3; day++) {
      test.clock.advance(DAY_MS / 2);
      test.fake.now_ms += DAY_MS / 2;
      await test.clock.whenSleeping(1_000);
    }
    test.fake.trim('events', A, 1);
    test.fake.put('events', A, 'new');
    expect((await taking.next())!.expired).toEqual([]);
    await taking.abandon();
  });

  it('of a stream that keeps what this lake has not committed', async () => {
    const test = await open({ keepsUnread: true });
    test.fake.put('events', A, ...texts(9));
    test.fake.trim('events', A, 4);
    expect(expired(await takeAll(await test.take(at('4'))))).toEqual([]);
    expect(test.fake.count('GetShardIterator')).toBe(1);
  });
});

it('a watch is due only for what may be past the retention, and again after it was seen to be there', () => {
  const putAt_s = 1_767_225_600;
  const number = formatSequenceNumber({ shardCreatedAt_s: putAt_s, shardIndex: 0, index: 1n, putAt_s });
  const watch = new TrimWatch(number as Position);
  const due = (ago_ms: number) => watch.isDue({ now_ms: putAt_s * 1000 + ago_ms, retention_ms: DAY_MS });
  expect([due(0), due(DAY_MS - 61_000), due(DAY_MS - 59_000), due(2 * DAY_MS)]).toEqual([
    false,
    false,
    true,
    true,
  ]);
  const empty = { rows: undefined, nextIterator: 'i', children: [] };
  watch.read({ ...empty, behindLatest_ms: 5 }, putAt_s * 1000 + DAY_MS);
  expect(due(DAY_MS)).toBe(true);
  watch.read({ ...empty, behindLatest_ms: 0 }, putAt_s * 1000 + DAY_MS);
  expect(due(DAY_MS)).toBe(false);
});

describe('the position of a shard at its end', () => {
  const positions = (...shards: [string, Position][]) => ({ positions: new Map(shards) });

  it('is dropped once two listings in a row do not name it and its children have positions', async () => {
    const test = await open();
    const [b] = test.fake.reshard('events', [A], 1);
    test.fake.put('events', b!, 'b0', 'b1');
    test.fake.expire('events', A);
    const taking = await test.follow(positions([A, 'end'], [b!, '1']));
    expect((await taking.next())!.forgotten).toEqual([]);
    await audits(test, 1);
    test.fake.put('events', b!, 'b2');
    expect((await taking.next())!.forgotten).toEqual([]);
    await audits(test, 1);
    test.fake.put('events', b!, 'b3');
    expect((await taking.next())!.forgotten).toEqual([A]);
    await audits(test, 2);
    test.fake.put('events', b!, 'b4');
    expect((await taking.next())!.forgotten).toEqual([]);
    await taking.abandon();
  });

  it('stays while a child has none, or the stream lists the shard', async () => {
    const test = await open();
    const [b, c] = test.fake.reshard('events', [A], 2);
    test.fake.put('events', b!, 'b0');
    test.fake.expire('events', A);
    const taking = await test.follow(positions([A, 'end']));
    await taking.next();
    await audits(test, 3);
    test.fake.put('events', b!, 'b1');
    expect((await taking.next())!.forgotten).toEqual([]);
    test.fake.put('events', c!, 'c0');
    await taking.next();
    await audits(test, 2);
    test.fake.put('events', b!, 'b2');
    expect((await taking.next())!.forgotten).toEqual([A]);
    await taking.abandon();
  });
});

/** Resolves when the listing was looked at so many times more. */
async function audits(test: StreamUnderTest, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const listed = test.fake.count('ListShards');
    test.clock.advance(60_000);
    while (test.fake.count('ListShards') === listed) await test.clock.whenSleeping(1_000);
  }
  await test.clock.whenSleeping(1_000);
}

function once<T>(next: () => Promise<T>): () => Promise<T | undefined> {
  let called = false;
  return async () => {
    if (called) return undefined;
    called = true;
    return next();
  };
}
