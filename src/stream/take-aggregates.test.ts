/** Aggregated records on their way from the answer to the spool. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aggregate } from '../../tests/support/aggregate.ts';
import { takeAll } from '../../tests/support/spools.ts';
import { StreamUnderTest, streamUnderTest } from '../../tests/support/stream-under-test.ts';
import { hashKeyOf } from '../kinesis/kinesis.ts';

const A = 'shardId-000000000000';
const B = 'shardId-000000000001';

let test: StreamUnderTest;
beforeEach(async () => {
  test = await StreamUnderTest.open({ shards: 2 });
});
afterEach(() => test.close());

const keysOf = (half: 0 | 1) =>
  Array.from({ length: 100 }, (_, i) => `key ${i}`).filter((key) => Number(hashKeyOf(key) >> 127n) === half);

it('user records get their place in the aggregated record, plain records none', async () => {
  test.fake.put(
    'events',
    A,
    'plain',
    { data: aggregate({ data: 'a' }, { data: '' }, { data: 'c' }) },
    'last',
  );
  const [spool] = await takeAll(await test.take());
  expect(spool!.content.map(({ body, seq, sub }) => [body, seq, sub])).toEqual([
    ['plain', '1', -1],
    ['a', '2', 0],
    ['', '2', 1],
    ['c', '2', 2],
    ['last', '3', -1],
  ]);
  expect(spool!.bytes).toBe('plain'.length + 2 + 'last'.length);
});

describe.each(['json', 'cbor'] as const)('in %s', (encoding) => {
  it('what only looks like an aggregated record stays whole, byte for byte, and is counted', async () => {
    const asked = await streamUnderTest({ encoding });
    const whole = aggregate({ data: 'a' }, { data: 'b' });
    const broken = Buffer.from(whole);
    broken[broken.length - 1]! ^= 255;
    const [short, other] = [whole.subarray(0, 4), Buffer.from([...whole.subarray(0, 3), 0, 0])];
    asked.fake.put('events', A, ...[broken, short, other, whole].map((data) => ({ data })));
    const [spool] = await takeAll(await asked.take());
    const plain = [broken, short, other].map((data) => [data.toString('latin1'), -1]);
    expect(spool!.content.map(({ body, sub }) => [body, sub])).toEqual([...plain, ['a', 0], ['b', 1]]);
    expect(spool).toMatchObject({ damaged: 2 });
  });
});

it('user records of another shard are kept and counted', async () => {
  const mixed = [...keysOf(0).slice(0, 3), ...keysOf(1).slice(0, 2)].map((key) => ({ data: key, key }));
  test.fake.put('events', A, { data: aggregate(...mixed) });
  test.fake.put('events', B, { data: aggregate(...mixed) });
  const [spool] = await takeAll(await test.take());
  expect(spool).toMatchObject({ rows: 10, stray: 5 });
});

it('are judged by the keys of children that the end of their parent named', async () => {
  const [low, high] = test.fake.reshard('events', [A], 2);
  const explicit = { data: 'x', explicitHashKey: String((1n << 126n) + 1n) };
  test.fake.put('events', low!, { data: aggregate(explicit) });
  test.fake.put('events', high!, { data: aggregate(explicit) });
  const spools = await takeAll(await test.take());
  expect(spools.reduce((sum, spool) => sum + spool.stray, 0)).toBe(1);
});

it('an aggregated record is in one batch, and the position is behind it, also when nothing is in it', async () => {
  const many = Array.from({ length: 30 }, (_, i) => ({ data: `r${i}` }));
  const empty = aggregate();
  test.fake.put('events', A, { data: aggregate(...many) }, { data: empty }, { data: aggregate(...many) });
  test.fake.script('GetRecords', ...[1, 1, 1].map((limit) => ({ on: A, limit })));
  const spools = await takeAll(await test.take({ maxRows: 10 }));
  expect(spools.map((spool) => [spool.rows, spool.ranges.get(A)!.to])).toEqual([
    [30, '1'],
    [31, '3'],
  ]);
});

it('a record of the largest size is taken, plain or aggregated', async () => {
  const large = Buffer.alloc(10 << 20, '{"a":1}');
  const aggregated = aggregate({ data: large.subarray(0, (10 << 20) - 100) }, { data: 'tail' });
  test.fake.put('events', A, { data: large }, { data: aggregated.subarray(0, 10 << 20) });
  const [spool] = await takeAll(await test.take());
  expect(spool!.content.map(({ body }) => body.length)).toEqual([large.length, large.length - 100, 4]);
});
