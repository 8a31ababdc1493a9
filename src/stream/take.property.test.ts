/**
 * Whatever is put, however the stream is resharded before and while it is read, and however the endpoint misbehaves:
 * every record exactly once, those of a key in the order in which they were put, and ranges join.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Fault } from '../../tests/support/fake-kinesis.ts';
import { bodiesByShard, expectJoinedRanges, type TakenSpool, takeAll } from '../../tests/support/spools.ts';
import { StreamUnderTest } from '../../tests/support/stream-under-test.ts';
import type { Position, TakeOptions, Taking } from './stream.ts';

const body = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom('', '\n', '{"a":1}').map((s) => Buffer.from(s)),
);
const record = fc.record({ key: fc.nat(9).map((n) => `key ${n}`), body });

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

/** What happens to the stream at once. fast-check's arrays stay at about ten without a size. */
const step = fc.record({
  /** Each closes one open shard, or two neighbours (by index), and opens so many. */
  reshards: fc.array(
    fc.record({ of: fc.nat(5), merge: fc.boolean(), children: fc.integer({ min: 1, max: 2 }) }),
    { maxLength: 2 },
  ),
  records: fc.array(record, { maxLength: 60, size: 'max' }),
  faults: fc.array(fault, { maxLength: 15, size: 'max' }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

type Ending = 'when all is read' | 'stopped' | 'given up';

const world = fc.record({
  shards: fc.integer({ min: 1, max: 3 }),
  before: fc.array(step, { minLength: 1, maxLength: 3 }),
  /** Each between two batches. */
  during: fc.array(step, { maxLength: 4 }),
  encoding: fc.constantFrom('json' as const, 'cbor' as const),
  /** Batches that the records would fill; one batch costs much more than one record. */
  batches: fc.integer({ min: 1, max: 25 }),
  maxBytes: fc.constantFrom(100, 1_000, 1e9),
  spoolsAhead: fc.integer({ min: 1, max: 3 }),
  /** The taking during which the steps happen: it mostly reads all there is, by what it found itself. */
  ends: fc.constantFrom<Ending>('when all is read', 'when all is read', 'stopped', 'given up'),
  /** Batches, of those after the last step, after which the taking is given up and begun again. */
  restartAfter: fc.option(fc.nat(6)),
});
type World = typeof world extends fc.Arbitrary<infer W> ? W : never;

/** Many more than any case needs for a batch: then it waits for what does not come, and a time limit would say less. */
const READS_MAX = 50_000;

class Case {
  readonly #test: StreamUnderTest;
  readonly #world: World;
  readonly #parents: Map<string, readonly string[]>;
  /** Where each record was put, by key. */
  readonly #put = new Map<string, string[]>();
  #putCount = 0;
  readonly #spools: TakenSpool[] = [];

  constructor(test: StreamUnderTest, world: World) {
    this.#test = test;
    this.#world = world;
    test.fake.create('events', world.shards);
    this.#parents = new Map(test.fake.openShards('events').map((id) => [id, []]));
  }

  async run(): Promise<void> {
    const { before, during, ends, restartAfter } = this.#world;
    for (const each of before) this.#happens(each);
    if (during.length > 0) await this.#takeDuring(during, ends);
    if (restartAfter !== null) await this.#takeSome(restartAfter);
    await this.#take({ until_ms: this.#test.fake.now_ms }, (next) => takeAll({ next }));
  }

  async check(): Promise<void> {
    const { fake } = this.#test;
    const held = [...fake.contents('events')].filter(([, records]) => records.length > 0);
    expect(bodiesByShard(this.#spools)).toEqual(new Map(held));
    expectJoinedRanges(this.#spools);
    this.#expectParentsFirst();
    this.#expectOrderOfKeys();
    expect(await this.#test.files()).toEqual([]);
  }

  #happens({ reshards, records, faults }: Step): void {
    const { fake } = this.#test;
    for (const reshard of reshards) this.#reshard(reshard);
    for (const { key, body } of records) {
      const { shard, seq } = fake.putByKey('events', key, body);
      this.#put.set(key, [...(this.#put.get(key) ?? []), `${shard} ${seq}`]);
    }
    this.#putCount += records.length;
    fake.script('GetRecords', ...faults);
  }

  #reshard({ of, merge, children }: Step['reshards'][number]): void {
    const { fake } = this.#test;
    const open = fake.openShards('events');
    const at = of % open.length;
    const chosen = open.slice(at, at + (merge ? 2 : 1));
    for (const id of fake.reshard('events', chosen, children)) this.#parents.set(id, chosen);
  }

  /** Endless, as a service takes: something happens after each batch, and when there is nothing to wait for. */
  async #takeDuring(during: readonly Step[], ends: Ending): Promise<void> {
    const left = [...during];
    await this.#take({}, async (next, taking) => {
      const taken: TakenSpool[] = [];
      const already = rowsOf(this.#spools);
      const isRead = () => already + rowsOf(taken) === this.#putCount;
      const goesOn = () => left.length > 0 || (ends === 'when all is read' && !isRead());
      while (goesOn()) {
        if (!isRead()) taken.push(...(await takeAll(once(next))));
        const happens = left.shift();
        if (happens !== undefined) this.#happens(happens);
      }
      if (ends === 'given up') return taken;
      await taking.stop();
      return [...taken, ...(await takeAll({ next }))];
    });
  }

  async #takeSome(batches: number): Promise<void> {
    let handed = 0;
    await this.#take({ until_ms: this.#test.fake.now_ms }, (next) =>
      takeAll({ next: async () => (handed++ < batches ? next() : undefined) }),
    );
  }

  /** From where the batches before ended. */
  async #take(
    options: Partial<TakeOptions>,
    use: (next: Taking['next'], taking: Taking) => Promise<TakenSpool[]>,
  ): Promise<void> {
    const { maxBytes, spoolsAhead, batches } = this.#world;
    const maxRows = Math.max(1, Math.ceil(this.#putCount / batches));
    const positions = new Map<string, Position>();
    for (const { ranges } of this.#spools) for (const [shard, { to }] of ranges) positions.set(shard, to);
    const stuck = Promise.withResolvers<never>();
    stuck.promise.catch(() => {});
    let reads = 0;
    const onRead = () => {
      if (++reads > READS_MAX) stuck.reject(new Error(`no batch after ${READS_MAX} answers`));
    };
    const limits = { maxRows, maxBytes, spoolsAhead, onRead };
    const taking = await this.#test.follow({ ...options, ...limits, positions });
    const next = () => {
      reads = 0;
      return Promise.race([taking.next(), stuck.promise]);
    };
    try {
      this.#spools.push(...(await use(next, taking)));
    } finally {
      await taking.abandon();
    }
  }

  #expectParentsFirst(): void {
    const order = this.#spools.flatMap((s) => s.content.map((row) => row.shard));
    for (const [child, parents] of this.#parents) {
      const first = order.indexOf(child);
      for (const parent of parents) if (first !== -1) expect(order.lastIndexOf(parent)).toBeLessThan(first);
    }
  }

  #expectOrderOfKeys(): void {
    const rows = this.#spools.flatMap(({ content }) => content.map(({ shard, seq }) => `${shard} ${seq}`));
    const place = new Map(rows.map((row, i) => [row, i]));
    for (const put of this.#put.values()) {
      expect(put.toSorted((a, b) => place.get(a)! - place.get(b)!)).toEqual(put);
    }
  }
}

const rowsOf = (spools: readonly TakenSpool[]) => spools.reduce((sum, { rows }) => sum + rows, 0);

function once(next: Taking['next']): Pick<Taking, 'next'> {
  let asked = false;
  return {
    next: async () => {
      if (asked) return undefined;
      asked = true;
      return next();
    },
  };
}

it('takes every record exactly once and those of a key in order, whatever is resharded meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (w) => {
      const test = await StreamUnderTest.open({ encoding: w.encoding });
      try {
        const one = new Case(test, w);
        await one.run();
        await one.check();
      } finally {
        await test.close();
      }
    }),
    { numRuns: 30 },
  );
});
