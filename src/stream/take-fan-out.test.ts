/** Enhanced fan-out: records are pushed over HTTP/2, and everything else holds as it does for polling. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeFanOut } from '../../tests/support/fake-fan-out.ts';
import { bodiesByShard, expectJoinedRanges, takeAll } from '../../tests/support/spools.ts';
import { StreamUnderTest } from '../../tests/support/stream-under-test.ts';
import { silentLog } from '../base/base.ts';
import { connect } from './connect.ts';
import type { Position, Stream, TakeOptions, Taking } from './stream.ts';

const A = 'shardId-000000000000';
const B = 'shardId-000000000001';

let test: StreamUnderTest;
let fanOut: FakeFanOut;
let stream: Stream;
beforeEach(async () => {
  test = await StreamUnderTest.open({ shards: 2 });
  fanOut = await FakeFanOut.start(test.fake);
  stream = connect({
    silence_ms: 100,
    name: 'events',
    endpoint: fanOut.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    clock: test.clock,
    log: silentLog,
    random: () => 0.5,
  });
});
afterEach(async () => {
  await stream.close();
  await fanOut.stop();
  await test.close();
});

async function take({
  endless,
  ...options
}: Partial<TakeOptions> & { endless?: true } = {}): Promise<Taking> {
  return stream.take({
    stream: await stream.describe(),
    positions: new Map(),
    pin: 'TRIM_HORIZON',
    spoolFolder: test.folder,
    maxRows: 100_000,
    maxBytes: 1e9,
    maxAge_ms: 1e12,
    spoolsAhead: 2,
    poll_ms: 1_000,
    fanOut: 'lake',
    ...(endless ? {} : { until_ms: test.fake.now_ms }),
    ...options,
  });
}

const texts = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

it('takes every record over many subscriptions, each behind the one before, and polls nothing', async () => {
  test.fake.put('events', A, ...texts('a', 50));
  test.fake.put('events', B, ...texts('b', 20));
  const spools = await takeAll(await take({ maxRows: 10 }));
  expectJoinedRanges(spools);
  expect(bodiesByShard(spools)).toEqual(
    new Map([
      [A, texts('a', 50)],
      [B, texts('b', 20)],
    ]),
  );
  expect(test.fake.count('GetRecords')).toBe(0);
  const starts = fanOut.subscriptions.filter((s) => s.ShardId === A).map((s) => s.StartingPosition);
  expect(starts[0]).toEqual({ Type: 'TRIM_HORIZON' });
  expect(starts[1]).toEqual({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '12' });
  expect(fanOut.open).toBe(0);
});

it('goes on from the positions of the table, and begins at the pin', async () => {
  test.fake.put('events', A, ...texts('a', 9));
  test.fake.put('events', B, 'old');
  const pin = `AT_TIMESTAMP:${test.fake.now_ms + 5_000}` as const;
  test.fake.now_ms += 10_000;
  test.fake.put('events', B, 'new');
  const spools = await takeAll(await take({ positions: new Map<string, Position>([[A, '6']]), pin }));
  expect(bodiesByShard(spools)).toEqual(
    new Map([
      [A, texts('a', 9).slice(6)],
      [B, ['new']],
    ]),
  );
});

it('reads parents to their end before their children, which the last event names', async () => {
  test.fake.put('events', A, ...texts('a', 9));
  const [c, d] = test.fake.reshard('events', [A], 2);
  test.fake.put('events', c!, 'c');
  test.fake.put('events', d!, 'd');
  const spools = await takeAll(await take());
  expect(bodiesByShard(spools).get(c!)).toEqual(['c']);
  expect(spools.flatMap((spool) => [...spool.ended])).toEqual([[A, [c, d]]]);
  const order = spools.flatMap(({ content }) => content.map(({ body }) => body));
  expect(order.slice(0, 9)).toEqual(texts('a', 9));
});

describe('nothing is lost or taken twice when a subscription', () => {
  it.each<[string, Parameters<FakeFanOut['script']>[0]]>([
    ['is refused because one began just now', { error: 'ResourceInUseException' }],
    ['is throttled', { error: 'LimitExceededException' }],
    ['is refused because the session ran out', { error: 'ExpiredTokenException' }],
    ['loses its connection before there is an answer', { gone: true }],
    ['ends with an exception', { exception: 'InternalFailureException', after: 1 }],
    ['is taken over by another reader', { exception: 'ResourceInUseException', after: 2 }],
    ['is cut off within an event', { cut: true, after: 1 }],
    ['falls silent', { silent: true, after: 1 }],
  ])('%s', async (_, fault) => {
    test.fake.put('events', A, ...texts('a', 30));
    fanOut.script(fault, fault, fault);
    const spools = await takeAll(await take());
    expectJoinedRanges(spools);
    expect(bodiesByShard(spools).get(A)).toEqual(texts('a', 30));
  });
});

it.each([
  ['gone, though the stream is there', 'ResourceNotFoundException'],
  ['in the hands of another reader, or being removed,', 'ResourceInUseException'],
])('a consumer that stays %s ends the taking, to be begun and registered anew', async (_, error) => {
  fanOut.script(...Array.from({ length: 99 }, () => ({ error })));
  await expect((await take()).next()).rejects.toMatchObject({ code: `kinesis.${error}`, retry: 'refresh' });
});

it('goes on behind what the stream said last, also where no record came', async () => {
  test.fake.put('events', A, { data: 'old', arrived_ms: test.fake.now_ms - 60_000 });
  fanOut.eventsMax = 1;
  const taking = await take({ pin: `AT_TIMESTAMP:${test.fake.now_ms}`, endless: true });
  const ofA = () => fanOut.subscriptions.filter((s) => s.ShardId === A).map((s) => s.StartingPosition);
  while (ofA().length < 2) await new Promise(setImmediate);
  await taking.abandon();
  expect(ofA()[1]).toEqual({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '1' });
});

it('an error that waiting cannot mend ends the taking', async () => {
  fanOut.script({ error: 'AccessDeniedException' }, { error: 'AccessDeniedException' });
  await expect((await take()).next()).rejects.toMatchObject({ code: 'kinesis.AccessDeniedException' });
});

it('stopping leaves no subscription open, also one that is silent', async () => {
  test.fake.put('events', A, ...texts('a', 3));
  fanOut.script({ silent: true, after: 1 }, { silent: true, after: 1 });
  const taking = await take({ until_ms: Number.MAX_SAFE_INTEGER, maxRows: 1 });
  expect((await taking.next())!.rows).toBe(3);
  await taking.abandon();
  while (fanOut.open > 0) await new Promise(setImmediate);
  expect(test.clock.sleeping).toBe(0);
});

it('registers the consumer where it is not yet', async () => {
  const described = test.fake.also.get('DescribeStreamConsumer')!;
  let asked = 0;
  test.fake.also.set('DescribeStreamConsumer', (input) => {
    if (asked++ === 0)
      throw Object.assign(new Error('no consumer'), { code: 'ResourceNotFoundException', status: 400 });
    return described(input);
  });
  expect(await takeAll(await take())).toEqual([]);
  expect(fanOut.registered).toEqual(['lake']);
});
