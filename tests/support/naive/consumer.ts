/**
 * A consumer of a Kinesis stream as one would write it, with one bad habit: the control of the scenarios about
 * consumers. Without a habit it does its work on a well-behaved endpoint; each habit is one that a published consumer
 * had. Time does not pass for it: a round reads every shard that it may read once.
 */
import {
  JSON_CONTENT_TYPE,
  type Operations,
  readAggregatedRecord,
  TARGET_PREFIX,
} from '../../../src/kinesis/kinesis.ts';

export type NaiveHabit =
  | 'skips shards that are closed when it starts'
  | 'looks at the iterator before the records'
  | 'takes a lag of 0 for nothing left'
  | 'lists shards once'
  | 'reads children beside their parents'
  | 'begins children at LATEST'
  | 'begins at LATEST whenever it starts'
  | 'gives a shard up when its iterator expires'
  | 'goes back to its checkpoint when an iterator expires'
  | 'gives a shard up when it is throttled'
  | 'asks again at once when it is throttled'
  | 'has one budget of retries for all shards'
  | 'waits for a parent to give a record'
  | 'fails when a parent and its child are listed as open'
  | 'begins closed shards anew when they gave nothing'
  | 'drops an aggregated record with one stray key'
  | 'checkpoints inside of an aggregated record'
  | 'stops at an answer without records';

/** Where it will go on after a restart: the number of a record, or `end`. */
export type Checkpoints = Map<string, string>;

interface Options {
  endpoint: string;
  habit?: NaiveHabit;
  saved?: Checkpoints;
  /** Records between two checkpoints; after every answer by default. */
  checkpointEvery?: number;
}

interface Reading {
  iterator: string | undefined;
  last: string | undefined;
  state: 'reading' | 'ended' | 'given up';
}

type ListedShard = Operations['ListShards']['output']['Shards'][number];
const RETRIES_OF_ALL = 5;

export class NaiveConsumer {
  readonly taken: string[] = [];
  requests = 0;
  readonly #options: Options;
  readonly #saved: Checkpoints;
  readonly #readings = new Map<string, Reading>();
  #listed: ListedShard[] | undefined;
  #retries = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#saved = options.saved ?? new Map();
  }

  async run(rounds: number): Promise<this> {
    for (let round = 0; round < rounds; round++) {
      if (this.#listed === undefined || !this.#has('lists shards once')) this.#listed = await this.#list();
      for (const shard of this.#listed) if (this.#mayRead(shard)) await this.#step(shard);
    }
    return this;
  }

  #has(habit: NaiveHabit): boolean {
    return this.#options.habit === habit;
  }

  async #list(): Promise<ListedShard[]> {
    const { Shards } = await this.#call('ListShards', { StreamName: 'events' });
    const open = Shards.filter((shard) => shard.SequenceNumberRange.EndingSequenceNumber === undefined);
    const beside = open.some(({ ParentShardId }) => open.some(({ ShardId }) => ShardId === ParentShardId));
    if (beside && this.#has('fails when a parent and its child are listed as open')) return [];
    if (this.#listed === undefined && this.#has('skips shards that are closed when it starts')) {
      for (const shard of Shards) if (!open.includes(shard)) this.#saved.set(shard.ShardId, 'end');
    }
    return Shards;
  }

  #mayRead({ ShardId, ParentShardId, AdjacentParentShardId }: ListedShard): boolean {
    if (this.#saved.get(ShardId) === 'end') return false;
    if (this.#has('reads children beside their parents')) return true;
    const parents = [ParentShardId, AdjacentParentShardId].filter((id) => id !== undefined);
    const listed = parents.filter((id) => this.#listed!.some((shard) => shard.ShardId === id));
    return listed.every((id) => this.#saved.get(id) === 'end');
  }

  async #step(shard: ListedShard): Promise<void> {
    const reading = this.#readingOf(shard.ShardId);
    if (reading.state !== 'reading') return;
    try {
      reading.iterator ??= await this.#newIterator(shard, reading);
      await this.#take(shard, reading, await this.#call('GetRecords', { ShardIterator: reading.iterator }));
    } catch (error) {
      await this.#recover(shard, reading, String((error as Error).message));
    }
  }

  #readingOf(id: string): Reading {
    let reading = this.#readings.get(id);
    if (reading === undefined) {
      reading = { iterator: undefined, last: this.#saved.get(id), state: 'reading' };
      this.#readings.set(id, reading);
    }
    return reading;
  }

  async #take(
    shard: ListedShard,
    reading: Reading,
    answer: Operations['GetRecords']['output'],
  ): Promise<void> {
    const { Records, NextShardIterator = null, MillisBehindLatest } = answer;
    if (NextShardIterator === null && this.#has('looks at the iterator before the records')) {
      return this.#end(shard.ShardId, reading);
    }
    if (MillisBehindLatest === 0 && this.#has('takes a lag of 0 for nothing left')) {
      reading.iterator = NextShardIterator ?? undefined;
      return;
    }
    if (Records.length === 0 && this.#has('stops at an answer without records')) reading.state = 'given up';
    for (const record of Records) {
      this.#takeRecord(shard, record.Data);
      reading.last = record.SequenceNumber;
    }
    const every = this.#options.checkpointEvery ?? 1;
    if (reading.last !== undefined && this.taken.length % every === 0)
      this.#saved.set(shard.ShardId, reading.last);
    reading.iterator = NextShardIterator ?? undefined;
    if (NextShardIterator !== null) return;
    const gaveNothing = reading.last === undefined;
    if (gaveNothing && this.#has('waits for a parent to give a record')) reading.state = 'given up';
    else if (this.#has('begins closed shards anew when they gave nothing') && Records.length === 0) {
      // Its entry goes, and the next listing makes it again: as a shard that nobody has read.
      this.#readings.delete(shard.ShardId);
      this.#saved.delete(shard.ShardId);
    } else this.#end(shard.ShardId, reading);
  }

  #takeRecord({ HashKeyRange }: ListedShard, data: string): void {
    const bytes = Buffer.from(data, 'base64');
    const aggregate = readAggregatedRecord(bytes);
    if (aggregate === undefined) return void this.taken.push(bytes.toString('latin1'));
    const { StartingHashKey, EndingHashKey } = HashKeyRange;
    const strays = aggregate.strays({ start: BigInt(StartingHashKey), end: BigInt(EndingHashKey) });
    if (strays > 0 && this.#has('drops an aggregated record with one stray key')) return;
    for (let i = 0; i < aggregate.count; i++) {
      this.taken.push(bytes.subarray(aggregate.starts[i], aggregate.ends[i]).toString('latin1'));
      // The process dies in the middle, when the number of the whole record is written down already.
      if (i === 0 && this.#has('checkpoints inside of an aggregated record')) return;
    }
  }

  #end(id: string, reading: Reading): void {
    reading.state = 'ended';
    this.#saved.set(id, 'end');
  }

  async #recover(shard: ListedShard, reading: Reading, error: string): Promise<void> {
    if (error === 'ExpiredIteratorException') {
      if (this.#has('gives a shard up when its iterator expires')) reading.state = 'given up';
      if (this.#has('goes back to its checkpoint when an iterator expires')) {
        reading.last = this.#saved.get(shard.ShardId);
      }
      reading.iterator = undefined;
      return;
    }
    if (this.#has('gives a shard up when it is throttled')) reading.state = 'given up';
    if (this.#has('has one budget of retries for all shards') && ++this.#retries > RETRIES_OF_ALL) {
      for (const { ShardId } of this.#listed!) this.#readingOf(ShardId).state = 'given up';
    }
    if (this.#has('asks again at once when it is throttled')) await this.#step(shard);
  }

  async #newIterator({ ShardId, ParentShardId }: ListedShard, { last }: Reading): Promise<string> {
    const latest =
      (this.#has('begins children at LATEST') && ParentShardId !== undefined && last === undefined) ||
      (this.#has('begins at LATEST whenever it starts') && last === undefined);
    const from = latest
      ? ({ ShardIteratorType: 'LATEST' } as const)
      : last === undefined
        ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
        : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: last } as const);
    return (await this.#call('GetShardIterator', { StreamName: 'events', ShardId, ...from })).ShardIterator;
  }

  async #call<O extends 'ListShards' | 'GetRecords' | 'GetShardIterator'>(
    operation: O,
    input: Operations[O]['input'],
  ): Promise<Operations[O]['output']> {
    this.requests++;
    const answer = await fetch(this.#options.endpoint, {
      method: 'POST',
      headers: {
        'content-type': JSON_CONTENT_TYPE,
        'x-amz-target': TARGET_PREFIX + operation,
        'x-amz-date': '20260101T120000Z',
      },
      body: JSON.stringify(input),
    });
    const body = (await answer.json()) as Operations[O]['output'] & { __type?: string };
    if (answer.ok) return body;
    throw new Error(body.__type);
  }
}
