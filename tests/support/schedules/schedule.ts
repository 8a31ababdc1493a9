/** What may happen to a deployment, as data: fast-check generates it, and makes one that fails smaller. */
import fc from 'fast-check';

/**
 * Everything that a process asks of the world outside of it, by name; a fault stands at the n-th of one of them.
 * `commit` is the one request that decides: the catalog's swap, or the bucket's conditional write.
 */
const OPERATIONS = [
  ...(['commit', 'catalog.load', 'catalog.create'] as const),
  ...(['store.read', 'store.write', 'store.writeIfAbsent', 'store.moveIn', 'store.delete'] as const),
  ...(['engine.judge', 'batch.identities', 'batch.writeEvents', 'batch.writeRejected'] as const),
  ...(['engine.readRaw', 'batch.repeated', 'batch.writeSorted', 'engine.readRejected'] as const),
  ...(['stream.describe', 'stream.take', 'stream.next', 'clock.sleep'] as const),
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A process dies right before it asks, or when what it asked for is done and it was not told. */
export const DEATHS = ['death before', 'death after'] as const;

export const LOST = [
  /** It is done, and the caller is not told. */
  'answer lost',
  /** It is not done, and the caller is not told. */
  'request lost',
] as const;

/** Of the one request that commits. */
export const SWAPS = [
  ...LOST,
  /** It arrives right before the next one, or after everybody has gone. */
  'request late',
  /** A proxy on the way sends it twice; the second answer comes back. */
  'sent twice',
  /** The catalog says for certain that it did nothing. */
  'turned away',
] as const;

/** Of the stream, at one of the requests that follow. */
export const STREAM_FAULTS = [
  'throttled',
  'iterator expired',
  'answer of the stream lost',
  'answer cut',
  'internal failure',
  'repeated records',
] as const;

export type What =
  | { kind: (typeof DEATHS)[number] | (typeof SWAPS)[number] | (typeof STREAM_FAULTS)[number] }
  /** The operation takes so long. */
  | { kind: 'slow'; ms: number }
  /** The machine's clock is set forward or back. */
  | { kind: 'clock jump'; ms: number }
  /** The open shard of this place becomes two, or it and its neighbour one. */
  | { kind: 'split' | 'merge'; shard: number }
  /** Another process begins the same work, while this one goes on. */
  | { kind: 'takeover' }
  /** An operator sets the table's main so many snapshots back. */
  | { kind: 'rollback'; table: 'raw.events' | 'staging.events'; back: number };

/** The n-th of whatever is asked for: most of what a process does is reading, and a process can die anywhere. */
export const ANYTHING = 'anything';

export interface Fault {
  at: Operation | typeof ANYTHING;
  /** Counted from 1 over all processes of the round. */
  nth: number;
  what: What;
}

/** Of everything that may happen. */
export const KINDS: readonly (What | Pause)['kind'][] = [
  ...DEATHS,
  ...SWAPS,
  ...STREAM_FAULTS,
  ...(['slow', 'clock jump', 'split', 'merge', 'takeover', 'rollback', 'expiry'] as const),
];

export interface Put {
  kind: 'new' | 'repeat' | 'broken';
  /** Place of the shard among the open ones. */
  shard: number;
}

/** While no process runs: an operator's hand, or the time that passes. */
export type Pause =
  | Extract<What, { kind: 'rollback' | 'split' | 'merge' }>
  /** The process was away too long: of every shard so many records pass retention that raw has not taken. */
  | { kind: 'expiry'; records: number };

/** Events arrive, and a process works until it has taken and staged them, or died. */
export interface Round {
  /** Before and after they arrive. */
  before?: readonly Pause[];
  after?: readonly Pause[];
  puts: readonly Put[];
  faults: readonly Fault[];
}

export interface Schedule {
  catalog: 'sqlite' | 'bucket' | 'memory';
  shards: number;
  /** Of a commit of raw; of a commit of staging three times as many. */
  maxRows: number;
  /** Whether staging has an index of identities, or asks the table. */
  index: boolean;
  rounds: readonly Round[];
}

const just = <const Kind extends string>(...kinds: readonly Kind[]) =>
  fc.constantFrom(...kinds).map((kind) => ({ kind }));

const rollback = fc.record({
  kind: fc.constant('rollback' as const),
  table: fc.constantFrom('raw.events' as const, 'staging.events' as const),
  back: fc.integer({ min: 1, max: 6 }),
});
const reshard = fc.record({ kind: fc.constantFrom('split' as const, 'merge' as const), shard: fc.nat(3) });

const slow = fc.record({ kind: fc.constant('slow' as const), ms: fc.constantFrom(500, 5_000, 600_000) });
const clockJump = fc.record({
  kind: fc.constant('clock jump' as const),
  ms: fc.constantFrom(-3_600_000, 60_000, 90_000_000, -90_000_000),
});

const anywhere: fc.Arbitrary<What> = fc.oneof(
  { weight: 6, arbitrary: just(...DEATHS) },
  { weight: 1, arbitrary: slow },
  { weight: 1, arbitrary: clockJump },
  { weight: 4, arbitrary: just('takeover') },
  { weight: 2, arbitrary: rollback },
  { weight: 1, arbitrary: reshard },
  { weight: 2, arbitrary: just(...STREAM_FAULTS) },
);

const nth = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20 }) },
);

/** Another process begins where this one has read but not yet committed: both want to commit the same records. */
const overtaking: fc.Arbitrary<Fault> = fc.record({
  at: fc.constantFrom('stream.next' as const, 'engine.judge' as const, 'batch.writeEvents' as const),
  nth: fc.integer({ min: 1, max: 3 }),
  what: just('takeover'),
});

/** As many as a round asks for, and evenly: a round of many rows asks some hundred times, one of few some dozen. */
const death: fc.Arbitrary<Fault> = fc.record({
  at: fc.constant(ANYTHING),
  nth: fc.oneof(...[40, 120, 400].map((max) => fc.noBias(fc.integer({ min: 1, max })))),
  what: just(...DEATHS),
});

/** While records are taken; what the stream does when nobody reads is no fault. */
const ofStream: fc.Arbitrary<Fault> = fc.record({
  at: fc.constantFrom('stream.take' as const, 'stream.next' as const, 'engine.judge' as const),
  nth: fc.integer({ min: 1, max: 3 }),
  what: just(...STREAM_FAULTS),
});

const ofMachine: fc.Arbitrary<Fault> = fc.record({
  at: fc.constantFrom('commit', 'store.read', 'store.writeIfAbsent', 'store.moveIn', 'batch.writeEvents'),
  nth,
  what: fc.oneof(slow, clockJump),
});

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 2, arbitrary: overtaking },
  { weight: 3, arbitrary: death },
  { weight: 4, arbitrary: ofStream },
  { weight: 1, arbitrary: ofMachine },
  { weight: 5, arbitrary: fc.record({ at: fc.constantFrom(...OPERATIONS), nth, what: anywhere }) },
  {
    weight: 5,
    arbitrary: fc.record({
      at: fc.constant('commit' as const),
      nth,
      what: just(...SWAPS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      at: fc.constantFrom(...OPERATIONS.filter((name) => /^(commit$|catalog|store)/.test(name))),
      nth,
      what: just(...LOST),
    }),
  },
);

const put: fc.Arbitrary<Put> = fc.record({
  kind: fc.constantFrom<Put['kind']>('new', 'new', 'new', 'repeat', 'broken'),
  shard: fc.nat(3),
});

/**
 * What stands between two lives is met by the next one with all that the last one left on its disk: an index of
 * identities, say, that knows more than the table that was set back.
 */
const pauses: fc.Arbitrary<Pause[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: rollback },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('expiry' as const), records: fc.integer({ min: 1, max: 9 }) }),
    },
    { weight: 1, arbitrary: reshard },
  ),
  { maxLength: 2, size: 'max' },
);

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  catalog: fc.constantFrom<Schedule['catalog']>('sqlite', 'bucket', 'memory'),
  shards: fc.integer({ min: 1, max: 3 }),
  maxRows: fc.integer({ min: 2, max: 6 }),
  index: fc.constantFrom(true, true, false),
  rounds: fc.array(
    fc.record({
      before: pauses,
      after: pauses,
      puts: fc.array(put, { minLength: 1, maxLength: 12, size: 'max' }),
      faults: fc.array(fault, { maxLength: 8, size: 'max' }),
    }),
    { minLength: 2, maxLength: 3, size: 'max' },
  ),
});
