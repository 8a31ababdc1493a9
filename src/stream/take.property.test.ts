/** Whatever the shards hold and however the endpoint misbehaves: every record exactly once, in order, and ranges join. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Fault } from '../../tests/support/fake-kinesis.ts';
import { bodiesByShard, expectJoinedRanges, type TakenSpool, takeAll } from '../../tests/support/spools.ts';
import { StreamUnderTest } from '../../tests/support/stream-under-test.ts';
import type { Position } from './stream.ts';

const body = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom('', '\n', '{"a":1}').map((s) => Buffer.from(s)),
);
// fast-check's arrays stay at about ten without a size: too few for a fault to meet a position.
const contents = fc.array(body, { maxLength: 120, size: 'max' });

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ limit: fc.nat(40), overlap: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ empty: fc.constant(true as const), behind_ms: fc.constant(1) }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Fault>(
      { lost: true },
      { cut: true },
      { garbage: '{"Records":[{}]}' },
      { error: 'ExpiredIteratorException' },
      { error: 'ProvisionedThroughputExceededException' },
      { error: 'InternalFailure', status: 500 },
    ),
  },
);

const world = fc.record({
  roots: fc.array(contents, { minLength: 1, maxLength: 3 }),
  /** Each closes one or two open shards (by index) and opens children with these contents. */
  reshards: fc.array(
    fc.record({
      of: fc.nat(5),
      merge: fc.boolean(),
      children: fc.array(contents, { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
  faults: fc.array(fault, { maxLength: 60, size: 'max' }),
  encoding: fc.constantFrom('json' as const, 'cbor' as const),
  maxRows: fc.integer({ min: 1, max: 60 }),
  maxBytes: fc.constantFrom(100, 1_000, 1e9),
  spoolsAhead: fc.integer({ min: 1, max: 3 }),
  /** Taken batches after which the taking is abandoned and begun again from the positions taken. */
  restartAfter: fc.option(fc.nat(6)),
});
type World = typeof world extends fc.Arbitrary<infer W> ? W : never;

/** Parents of each shard. */
function build({ fake }: StreamUnderTest, { roots, reshards, faults }: World): Map<string, string[]> {
  fake.create('events', roots.length);
  const parents = new Map([...fake.contents('events').keys()].map((id): [string, string[]] => [id, []]));
  let open = [...parents.keys()];
  const fill = (id: string, records: readonly Uint8Array[]) =>
    fake.put('events', id, ...records.map((data) => ({ data })));
  for (const [i, records] of roots.entries()) fill(open[i]!, records);
  for (const { of, merge, children } of reshards) {
    const chosen = [
      open[of % open.length]!,
      ...(merge && open.length > 1 ? [open[(of + 1) % open.length]!] : []),
    ];
    const made = fake.reshard('events', chosen, children.length);
    for (const [i, records] of children.entries()) fill(made[i]!, records);
    for (const id of made) parents.set(id, chosen);
    open = [...open.filter((id) => !chosen.includes(id)), ...made];
  }
  fake.script('GetRecords', ...faults);
  return parents;
}

async function takeWithRestart(test: StreamUnderTest, world: World): Promise<TakenSpool[]> {
  const { maxRows, maxBytes, spoolsAhead, restartAfter } = world;
  const limits = { maxRows, maxBytes, spoolsAhead };
  if (restartAfter === null) return takeAll(await test.take(limits));
  const taking = await test.take(limits);
  let handed = 0;
  const first = await takeAll({ next: async () => (handed++ < restartAfter ? taking.next() : undefined) });
  await taking.abandon();
  const positions = new Map<string, Position>();
  for (const { ranges } of first) for (const [shard, { to }] of ranges) positions.set(shard, to);
  return [...first, ...(await takeAll(await test.take({ ...limits, positions })))];
}

function expectParentsFirst(spools: readonly TakenSpool[], parents: ReadonlyMap<string, string[]>): void {
  const order = spools.flatMap((s) => s.content.map((row) => row.shard));
  for (const [child, of] of parents) {
    const first = order.indexOf(child);
    for (const parent of of) if (first !== -1) expect(order.lastIndexOf(parent)).toBeLessThan(first);
  }
}

it('takes every record of every shard exactly once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (w) => {
      const test = await StreamUnderTest.open({ encoding: w.encoding });
      try {
        const parents = build(test, w);
        const spools = await takeWithRestart(test, w);
        const expected = new Map(
          [...test.fake.contents('events')].filter(([, records]) => records.length > 0),
        );
        expect(bodiesByShard(spools)).toEqual(expected);
        expectJoinedRanges(spools);
        expectParentsFirst(spools, parents);
        expect(await test.files()).toEqual([]);
      } finally {
        await test.close();
      }
    }),
    { numRuns: 40 },
  );
});
