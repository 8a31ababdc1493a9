/** Shards shared with other workers: what is not ours is left alone, and parents come before children all the same. */
import { expect, it } from 'vitest';
import { bodiesByShard, takeAll } from '../../tests/support/spools.ts';
import { type StreamUnderTest, streamUnderTest } from '../../tests/support/stream-under-test.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import type { Position, SharedTaking, Spool, Taking } from './stream.ts';

const A = 'shardId-000000000000';
const B = 'shardId-000000000001';

async function open(shards: number, clock?: VirtualClock): Promise<StreamUnderTest> {
  const test = await streamUnderTest({ shards, ...(clock && { clock }) });
  return test;
}

/** What of the table's positions others moved. */
function sharedWith(ours: readonly string[], table = new Map<string, Position>()): SharedTaking {
  return { owns: (shard) => ours.includes(shard), positions: async () => new Map(table), every_ms: 50 };
}

async function nextOf(taking: Taking): Promise<Spool & { of: string[] }> {
  const spool = (await taking.next())!;
  return { ...spool, of: [...spool.ranges.keys()] };
}

it('takes what is its own, and no more', async () => {
  const test = await open(2);
  test.fake.put('events', A, 'a');
  test.fake.put('events', B, 'b');
  const spools = await takeAll(await test.take({ shared: sharedWith([B]) }));
  expect(bodiesByShard(spools)).toEqual(new Map([[B, ['b']]]));
});

it('begins a child when the table says that another worker read its parent to the end', async () => {
  const test = await open(1);
  test.fake.put('events', A, 'a');
  const [left, right] = test.fake.reshard('events', [A], 2) as [string, string];
  test.fake.put('events', left, 'l');
  test.fake.put('events', right, 'r');
  const table = new Map<string, Position>();
  let asked = 0;
  const twice = Promise.withResolvers<void>();
  const shared: SharedTaking = {
    ...sharedWith([left], table),
    async positions() {
      if (++asked === 2) twice.resolve();
      return new Map(table);
    },
  };
  const taking = await test.follow({ shared });
  let handed = false;
  const next = nextOf(taking).then((spool) => {
    handed = true;
    return spool;
  });
  await twice.promise;
  expect(handed).toBe(false);
  table.set(A, 'end');
  expect(await next).toMatchObject({ of: [left], rows: 1 });
  await taking.abandon();
});

it('begins the child of a merge when its own parent is read and the table says that the other one is', async () => {
  const test = await open(2);
  test.fake.put('events', A, 'a');
  test.fake.put('events', B, 'b');
  const [merged] = test.fake.reshard('events', [A, B], 1) as [string];
  test.fake.put('events', merged, 'm');
  const table = new Map<string, Position>();
  const asked = { times: 0, thrice: Promise.withResolvers<void>() };
  const shared: SharedTaking = {
    ...sharedWith([A, merged], table),
    async positions() {
      if (++asked.times === 3) asked.thrice.resolve();
      return new Map(table);
    },
  };
  const taking = await test.follow({ shared });
  expect(await nextOf(taking)).toMatchObject({ of: [A] });
  table.set(A, 'end');
  await asked.thrice.promise;
  expect(test.fake.count('GetShardIterator')).toBe(1);
  table.set(B, 'end');
  expect(await nextOf(taking)).toMatchObject({ of: [merged], rows: 1 });
  await taking.abandon();
});

it('finds the children of a shard that another worker ended without waiting for the audit', async () => {
  const clock = new VirtualClock();
  const test = await open(1, clock);
  const table = new Map<string, Position>();
  const asking = clock.whenSleeping(50);
  const taking = await test.follow({ maxRows: 1, shared: sharedWith([B], table) });
  await asking;
  test.fake.reshard('events', [A], 2);
  test.fake.put('events', B, 'c');
  table.set(A, 'end');
  // No further: the audit never comes.
  clock.advance(50);
  expect(await nextOf(taking)).toMatchObject({ of: [B] });
  await taking.abandon();
});

it('goes on with a child where the table has it by now', async () => {
  const test = await open(1);
  const [left] = test.fake.reshard('events', [A], 2) as [string];
  test.fake.put('events', left, 'l1', 'l2');
  const table = new Map<string, Position>();
  const taking = await test.follow({ shared: sharedWith([left], table) });
  table.set(A, 'end');
  table.set(left, '1');
  const spool = await nextOf(taking);
  expect(spool.ranges).toEqual(new Map([[left, { from: '1', to: '2' }]]));
  await taking.abandon();
});

it('says of a shard that closed before the pin that it passed, so that others begin its children at the pin', async () => {
  const test = await open(1);
  const pinned_ms = test.fake.now_ms;
  const pin = `AT_TIMESTAMP:${pinned_ms}` as const;
  test.fake.put('events', A, { data: 'old', arrived_ms: pinned_ms - 60_000 });
  const [left] = test.fake.reshard('events', [A], 2) as [string];
  test.fake.put('events', left, { data: 'before', arrived_ms: pinned_ms - 1_000 });
  test.fake.put('events', left, { data: 'after', arrived_ms: pinned_ms + 1_000 });
  const until_ms = pinned_ms + 10_000;
  const [parent] = await takeAll(await test.take({ pin, until_ms, shared: sharedWith([A]) }));
  expect(parent!.ranges).toEqual(new Map([[A, { from: pin, to: 'passed' }]]));
  const positions = new Map<string, Position>([[A, 'passed']]);
  const spools = await takeAll(await test.take({ pin, until_ms, positions, shared: sharedWith([left]) }));
  expect(bodiesByShard(spools).get(left)).toEqual(['after']);
});

it('hands over what is not full no sooner than its spacing, even when the stream is read to its end', async () => {
  const clock = new VirtualClock();
  const test = await open(1, clock);
  test.fake.put('events', A, 'a');
  const aging = clock.whenSleeping(8_000);
  const taking = await test.follow({ maxAge_ms: 1_000, spacing_ms: () => 8_000 });
  await aging;
  let handed = false;
  const next = nextOf(taking).then((spool) => {
    handed = true;
    return spool;
  });
  clock.advance(7_999);
  await new Promise(setImmediate);
  expect(handed).toBe(false);
  clock.advance(1);
  expect(await next).toMatchObject({ rows: 1 });
  await taking.abandon();
});
