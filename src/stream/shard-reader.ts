/**
 * Reads one shard from its position to its end. The position of record is the intake's; an iterator is only the way
 * to the next body, and is made again from the position whenever it is lost. After a failure the same iterator is
 * used again: a body that did not arrive whole was never taken.
 */
import { type BoundedQueue, backoff, type Clock, Failure, type Log } from '../base/base.ts';
import { compareSequenceNumbers, type Operations } from '../kinesis/kinesis.ts';
import type { KinesisClient } from './client.ts';
import { type Intake, sequenceNumber } from './intake.ts';
import { isThrottle } from './service-failures.ts';
import type { ChildShard, SplitBody } from './split.ts';
import type { RawBody } from './splitter.ts';
import type { Position, ShardInfo, TakeOptions } from './stream.ts';
import { TrimWatch } from './trim-watch.ts';

export type ShardOutcome =
  /** Read to its closed end, or gone: then records that were not read may be gone with it. */
  | { kind: 'ended'; children: readonly ChildShard[]; trimmed?: { since_ms: number | undefined } }
  /** Read as far as `until_ms` asks. */
  | { kind: 'done' }
  | { kind: 'stopped' };

export interface ReaderOptions {
  client: KinesisClient;
  /** How the stream is named in requests. */
  ref: { StreamName: string } | { StreamARN: string };
  intake: Intake;
  /** Every body on its way holds one; a full queue makes the next reader wait. */
  slots: BoundedQueue<string>;
  clock: Clock;
  log: Log;
  random: () => number;
  limit: number;
  poll_ms: number;
  readSpacing_ms: number;
  until_ms: number | undefined;
  signal: AbortSignal;
  listShards: () => Promise<ShardInfo[]>;
  /** Enhanced fan-out: records are pushed to this consumer; undefined: shards are polled. */
  consumerArn: string | undefined;
  /** Undefined: the stream drops nothing unread. */
  retention_ms: () => number | undefined;
  /** Asks anew what the stream is like; throws when it is gone or another one now. */
  checkIdentity: () => Promise<void>;
  onRetry?: TakeOptions['onRetry'] | undefined;
  /** Of all readers of the taking. */
  answers: { count: number };
}

/** Failures in a row, throttling not counted, while no shard answers, before the taking gives up: half a minute. */
const FAILURES_MAX = 8;
/** Answers without a record that a look at the oldest one reads through. */
const PROBE_PAGES = 10;
/** Iterators in a row that gave no answer. */
const RESTARTS_MAX = 5;

export class ShardReader {
  readonly #shard: string;
  readonly #options: ReaderOptions;
  readonly #watch: TrimWatch;
  /** The iterator of the next body, or the number behind which a subscription goes on. */
  #next: string | undefined;
  #read_ms = Number.NEGATIVE_INFINITY;
  #emptyInARow = 0;
  #failures = 0;
  /** Of the failures, those since any shard last answered. */
  #unanswered = 0;
  #answersSeen = 0;
  #throttles = 0;
  #restarts = 0;

  constructor(shard: string, options: ReaderOptions) {
    this.#shard = shard;
    this.#options = options;
    this.#watch = new TrimWatch(options.intake.positionOf(shard));
  }

  async run(): Promise<ShardOutcome> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      try {
        const outcome = await this.#step();
        if (outcome !== undefined) return outcome;
      } catch (error) {
        if (signal.aborted) break;
        const outcome = await this.#recoverOrWait(error);
        if (outcome !== undefined) return outcome;
      }
    }
    return { kind: 'stopped' };
  }

  #step(): Promise<ShardOutcome | undefined> {
    const { consumerArn } = this.#options;
    return consumerArn === undefined ? this.#poll() : this.#listen(consumerArn);
  }

  async #poll(): Promise<ShardOutcome | undefined> {
    await this.#keepSpacing();
    const body = await this.#take(() => this.#getRecords());
    if (body === undefined) return { kind: 'stopped' };
    return (await this.#follow(body)) ?? this.#pause(body);
  }

  /** Where there is room for the answer: waiting for it may take longer than the five minutes that an iterator lives. */
  async #getRecords(): Promise<RawBody> {
    const { client, ref, limit, clock, signal } = this.#options;
    this.#next ??= await this.#newIterator();
    const arn = 'StreamARN' in ref ? ref : {};
    this.#read_ms = clock.now();
    return client.getRecords({ ShardIterator: this.#next, Limit: limit, ...arn }, signal);
  }

  /** Until the subscription ends, after minutes; the next step begins another one behind it. */
  async #listen(ConsumerARN: string): Promise<ShardOutcome | undefined> {
    const { client, intake, until_ms, signal } = this.#options;
    await this.#keepSpacing();
    const StartingPosition = startingAt(this.#next ?? intake.positionOf(this.#shard));
    const input = { ConsumerARN, ShardId: this.#shard, StartingPosition };
    for await (const event of client.subscribe(input, signal)) {
      const body = await this.#take(async () => event);
      if (body === undefined) return { kind: 'stopped' };
      const outcome = await this.#follow(body);
      if (outcome !== undefined) return outcome;
      if (until_ms !== undefined && body.rows === undefined && body.behindLatest_ms === 0)
        return { kind: 'done' };
    }
    return undefined;
  }

  /** What a body says of the way on. */
  async #follow(body: SplitBody): Promise<ShardOutcome | undefined> {
    this.#watch.read(body, this.#options.clock.now());
    this.#failures = this.#throttles = this.#restarts = 0;
    this.#options.answers.count++;
    // A late record decides before the end does: children of a shard that was not read to `until_ms` are later still.
    if (this.#isLate(body)) return { kind: 'done' };
    if (body.nextIterator === undefined) return this.#atEnd(body.children);
    this.#next = body.nextIterator;
    return undefined;
  }

  async #take(fetch: () => Promise<RawBody>): Promise<SplitBody | undefined> {
    const { intake, slots, signal } = this.#options;
    if (!(await slots.put(this.#shard))) return undefined;
    try {
      if (signal.aborted) return undefined;
      const body = await fetch();
      if (signal.aborted) return undefined;
      // Behind the answer: what is still there now was there when the answer was made.
      if (this.#mayBeTrimmed() && (await this.#isTrimmed())) this.#watch.sawTrimmed();
      return await intake.accept(this.#shard, body, this.#watch.trimmed);
    } finally {
      void slots.take();
    }
  }

  /** Before the first record there is no position that could tell. */
  #mayBeTrimmed(): boolean {
    const { clock, intake } = this.#options;
    const retention_ms = this.#options.retention_ms();
    if (retention_ms === undefined || sequenceNumber(intake.positionOf(this.#shard)) === undefined)
      return false;
    return this.#watch.isDue({ now_ms: clock.now(), retention_ms });
  }

  /** Whether the record that the position names, the last one taken, is no longer among those that are kept. */
  async #isTrimmed(): Promise<boolean> {
    const { client, ref, intake, signal } = this.#options;
    const position = intake.positionOf(this.#shard);
    let iterator: string | undefined = await this.#newIterator('TRIM_HORIZON');
    for (let page = 0; page < PROBE_PAGES && iterator !== undefined; page++) {
      await this.#keepSpacing();
      const arn = 'StreamARN' in ref ? ref : {};
      const input = { ShardIterator: iterator, Limit: 1, ...arn };
      const answer: Operations['GetRecords']['output'] = await client.call('GetRecords', input, signal);
      const oldest = answer.Records[0]?.SequenceNumber;
      if (oldest !== undefined) return compareSequenceNumbers(oldest, position) > 0;
      if (answer.MillisBehindLatest === 0) return true;
      iterator = answer.NextShardIterator ?? undefined;
    }
    return true;
  }

  async #newIterator(position = this.#options.intake.positionOf(this.#shard)): Promise<string> {
    const { client, ref, signal } = this.#options;
    const from = iteratorAt(position);
    const input = { ...ref, ShardId: this.#shard, ...from };
    return (await client.call('GetShardIterator', input, signal)).ShardIterator;
  }

  async #keepSpacing(): Promise<void> {
    const { clock, readSpacing_ms, signal } = this.#options;
    // Never longer than the spacing: a clock that was set back must not stop the reading until it has caught up.
    const wait_ms = Math.min(readSpacing_ms, this.#read_ms + readSpacing_ms - clock.now());
    if (wait_ms > 0) await clock.sleep(wait_ms, signal);
    this.#read_ms = clock.now();
  }

  /** `until_ms` comes from a `Date` header, which has whole seconds: the second itself still counts. */
  #isLate({ rows }: SplitBody): boolean {
    const { until_ms } = this.#options;
    if (until_ms === undefined || rows === undefined) return false;
    return Math.floor(rows.lastArrival_ms / 1000) > Math.floor(until_ms / 1000);
  }

  /** Caught up: waits for more, or is done. Behind: reads on at once, empty answers being normal there. */
  async #pause({ rows, behindLatest_ms }: SplitBody): Promise<ShardOutcome | undefined> {
    const { clock, poll_ms, until_ms, signal } = this.#options;
    this.#emptyInARow = rows === undefined ? this.#emptyInARow + 1 : 0;
    if (behindLatest_ms === 0 && until_ms !== undefined)
      return rows === undefined ? { kind: 'done' } : undefined;
    if (behindLatest_ms === 0) await clock.sleep(poll_ms, signal);
    // Some endpoints report a lag that never goes away; without this they would be asked without a pause.
    else if (this.#emptyInARow > 3) await clock.sleep(Math.min(poll_ms, 5 * this.#emptyInARow), signal);
    return undefined;
  }

  /** An end without children is no proof: some endpoints lose the iterator of an open shard, some name no children. */
  async #atEnd(named: readonly ChildShard[]): Promise<ShardOutcome> {
    // Seen, and no record came that would have told up to where: then it is up to the end.
    const { trimmed } = this.#watch;
    const ended = { kind: 'ended', ...(trimmed && { trimmed }) } as const;
    if (named.length > 0) return { ...ended, children: named };
    const listed = await this.#options.listShards();
    const own = listed.find((shard) => shard.id === this.#shard);
    if (own !== undefined && !own.closed) {
      throw new Failure(`shard ${this.#shard} ended, but is listed as open`, {
        code: 'stream.bad_answer',
        fault: 'service',
        retry: 'backoff',
        why: 'GetRecords gave no next iterator',
      });
    }
    return { ...ended, children: childrenOf(this.#shard, listed) };
  }

  /** What is asked on the way may fail as any read does: that is waited for, too. */
  async #recoverOrWait(error: unknown): Promise<ShardOutcome | undefined> {
    try {
      return await this.#recover(error);
    } catch (failure) {
      if (failure === error || !(failure instanceof Failure) || failure.retry !== 'backoff') throw failure;
      return this.#wait(failure);
    }
  }

  async #recover(error: unknown): Promise<ShardOutcome | undefined> {
    if (!(error instanceof Failure)) throw error;
    switch (error.code) {
      case 'kinesis.ExpiredIteratorException':
      case 'kinesis.InvalidArgumentException':
        return this.#restart(error);
      case 'kinesis.ResourceNotFoundException':
        return this.#missing(error);
      // A subscription that began less than five seconds ago, or that another reader took over.
      case 'kinesis.ResourceInUseException':
        return this.#wait(error);
      default:
        if (error.retry !== 'backoff') throw error;
        return this.#wait(error);
    }
  }

  async #restart(error: Failure): Promise<undefined> {
    this.#options.onRetry?.(error, this.#shard);
    if (this.#restarts === RESTARTS_MAX) throw error;
    await this.#options.checkIdentity();
    this.#next = undefined;
    if (++this.#restarts > 1) await this.#backOff(this.#restarts);
  }

  /** Of a stream that is still the same one, a shard goes only when all its records are past retention. */
  async #missing(error: Failure): Promise<ShardOutcome | undefined> {
    const { checkIdentity, listShards, log } = this.#options;
    await checkIdentity();
    const listed = await listShards();
    if (listed.some((shard) => shard.id === this.#shard)) return this.#wait(error);
    log.warn('stream.shard_expired', 'A shard is gone: all its records are past retention', {
      shard: this.#shard,
    });
    const { retention_ms } = this.#options;
    const trimmed = this.#watch.isGone({ now_ms: this.#options.clock.now(), retention_ms: retention_ms() });
    return { kind: 'ended', children: childrenOf(this.#shard, listed), ...(trimmed && { trimmed }) };
  }

  async #wait(error: Failure): Promise<undefined> {
    this.#options.onRetry?.(error, this.#shard);
    if (isThrottle(error)) return this.#backOff(this.#throttles++);
    if (this.#isNobodyAnswered()) throw begunAnew(error);
    const { code, why } = error;
    this.#options.log.debug('stream.read_retried', error.message, { shard: this.#shard, code, why });
    return this.#backOff(this.#failures++);
  }

  /**
   * Giving up discards what was read of all shards and is not committed. One that fails for hours while others answer
   * would have them read the same again and again: by default a batch is handed over later than we give up.
   */
  #isNobodyAnswered(): boolean {
    const { count } = this.#options.answers;
    if (count !== this.#answersSeen) this.#unanswered = 0;
    this.#answersSeen = count;
    return ++this.#unanswered > FAILURES_MAX;
  }

  async #backOff(attempt: number): Promise<undefined> {
    const { clock, random, signal } = this.#options;
    await clock.sleep(backoff(attempt, { first_ms: 200, most_ms: 10_000, random }), signal);
  }
}

/**
 * The shard is listed and cannot be read: an iterator of a stream that is being deleted, or a consumer of enhanced fan-out
 * that is gone, which is registered again at the next beginning.
 */
function begunAnew(error: Failure): Failure {
  if (error.retry !== 'never') return error;
  const { message, code, fault, why, hint } = error;
  return new Failure(message, {
    ...{ code, fault, retry: 'refresh', cause: error },
    ...(why !== undefined && { why }),
    ...(hint !== undefined && { hint }),
  });
}

export function iteratorAt(position: Position) {
  if (position === 'TRIM_HORIZON' || position === 'end')
    return { ShardIteratorType: 'TRIM_HORIZON' } as const;
  const number = sequenceNumber(position);
  if (number !== undefined) {
    return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: number } as const;
  }
  const at_ms = Number(position.slice('AT_TIMESTAMP:'.length));
  return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: at_ms / 1000 } as const;
}

function startingAt(position: Position) {
  const { ShardIteratorType: Type, ...at } = iteratorAt(position);
  return 'StartingSequenceNumber' in at
    ? { Type, SequenceNumber: at.StartingSequenceNumber }
    : { Type, ...at };
}

function childrenOf(shard: string, listed: readonly ShardInfo[]): readonly ChildShard[] {
  return listed.filter(({ parents }) => parents.includes(shard));
}
