/** A stream behind a Kinesis endpoint. */
import { backoff, Failure, retrying } from '../base/base.ts';
import type { Operations, ShardShape } from '../kinesis/kinesis.ts';
import { KinesisClient } from './client.ts';
import { encodingOf, endpointOf, isAmazon } from './endpoint.ts';
import { hashKeyRange } from './hash-keys.ts';
import { type LagOptions, type Lags, lagOf } from './lag.ts';
import type { SendOptions, SendProgress } from './put.ts';
import { putAll } from './put.ts';
import type { ShardInfo, Stream, StreamDescription, StreamOptions, TakeOptions, Taking } from './stream.ts';
import { startTaking } from './take.ts';

export interface ConnectOptions extends StreamOptions {
  /** Least time between two reads of a shard. Amazon allows five a second; other endpoints have no such limit. */
  readSpacing_ms?: number;
  connect_ms?: number;
  read_ms?: number;
  silence_ms?: number;
}

const AMAZON_SPACING_MS = 200;
const ATTEMPTS = 5;
const BETWEEN_ATTEMPTS = { first_ms: 100, most_ms: 2_000 };
/** A stream is active within seconds; Amazon names no bound. */
const ACTIVE_WITHIN_MS = 120_000;
const RECORD_BYTES_MAX = 1 << 20;

export function connect(options: ConnectOptions): Stream {
  return new KinesisStream(options);
}

type Consumer = Operations['RegisterStreamConsumer']['output']['Consumer'];

/** Endpoints from before October 2025 do not say how large a record may be. */
type Described = Operations['DescribeStreamSummary']['output']['StreamDescriptionSummary'];
type Summary = Omit<Described, 'MaxRecordSizeInKiB'> & Partial<Described>;

class KinesisStream implements Stream {
  readonly #options: ConnectOptions;
  readonly #client: KinesisClient;
  readonly #ref: { StreamName: string } | { StreamARN: string };

  constructor(options: ConnectOptions) {
    this.#options = options;
    const encoding = encodingOf(options);
    const recordsEncoding = encoding && { recordsEncoding: encoding };
    this.#client = new KinesisClient({ ...options, ...recordsEncoding, endpoint: endpointOf(options) });
    this.#ref = options.name.startsWith('arn:') ? { StreamARN: options.name } : { StreamName: options.name };
  }

  async describe(): Promise<StreamDescription> {
    return descriptionOf(await this.#summary());
  }

  async ensure(shards: number): Promise<StreamDescription> {
    const { clock } = this.#options;
    const deadline_ms = clock.now() + ACTIVE_WITHIN_MS;
    for (let wait_ms = 20; ; wait_ms = Math.min(1_000, wait_ms * 2)) {
      const summary = await this.#summaryOrCreate(shards);
      if (summary?.StreamStatus === 'ACTIVE' || summary?.StreamStatus === 'UPDATING')
        return descriptionOf(summary);
      if (clock.now() > deadline_ms) throw notActive(`Stream ${this.#options.name}`, summary?.StreamStatus);
      await clock.sleep(wait_ms);
    }
  }

  async shards(): Promise<ShardInfo[]> {
    const { clock, random } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#list();
      } catch (error) {
        // The token of a further page lives five minutes: begin again with the first.
        if (!isCode(error, 'kinesis.ExpiredNextTokenException')) throw error;
        if (attempt + 1 === ATTEMPTS) throw listingExpired(error);
      }
      await clock.sleep(backoff(attempt, { ...BETWEEN_ATTEMPTS, random }));
    }
  }

  async serverTime(): Promise<number> {
    const { date_ms } = await this.#retrying(() => this.#client.reply('DescribeStreamSummary', this.#ref));
    if (date_ms !== undefined) return date_ms;
    throw new Failure('the endpoint does not say what time it is', {
      code: 'stream.bad_answer',
      fault: 'service',
      why: 'its answer has no Date header',
      hint: 'is this the address of a Kinesis endpoint?',
    });
  }

  async send(records: AsyncIterable<Uint8Array>, options: SendOptions = {}): Promise<SendProgress> {
    const { MaxRecordSizeInKiB } = await this.#summary();
    const recordBytesMax = MaxRecordSizeInKiB === undefined ? RECORD_BYTES_MAX : MaxRecordSizeInKiB * 1024;
    const { clock, random } = this.#options;
    return putAll(records, { client: this.#client, ref: this.#ref, clock, random, recordBytesMax }, options);
  }

  take(options: TakeOptions): Promise<Taking> {
    const { clock, log, random, endpoint, keepsUnread = false } = this.#options;
    const readSpacing_ms = this.#options.readSpacing_ms ?? (isAmazon(endpoint) ? AMAZON_SPACING_MS : 0);
    const describe = () => this.describe();
    const listShards = () => this.shards();
    const from = {
      client: this.#client,
      ref: this.#ref,
      describe,
      listShards,
      clock,
      log,
      random,
      readSpacing_ms,
      keepsUnread,
      consumer: (name: string) => this.#consumer(name),
    };
    return startTaking(from, options);
  }

  async lag(options: LagOptions): Promise<Lags> {
    const shards = await this.shards();
    return this.#retrying(() => lagOf({ client: this.#client, ref: this.#ref, shards }, options));
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async #summary(): Promise<Summary> {
    const call = () => this.#client.call('DescribeStreamSummary', this.#ref);
    return (await this.#retrying(call)).StreamDescriptionSummary;
  }

  async #summaryOrCreate(shards: number): Promise<Summary | undefined> {
    try {
      return await this.#summary();
    } catch (error) {
      if (!isCode(error, 'stream.not_found') || !('StreamName' in this.#ref)) throw error;
    }
    const input = { ...this.#ref, ShardCount: shards };
    try {
      await this.#retrying(() => this.#client.call('CreateStream', input));
    } catch (error) {
      // Another one was faster, or an answer of ours got lost.
      if (!isCode(error, 'kinesis.ResourceInUseException')) throw error;
    }
    return undefined;
  }

  async #consumer(ConsumerName: string): Promise<string> {
    const { clock } = this.#options;
    const { StreamARN } = await this.#summary();
    const deadline_ms = clock.now() + ACTIVE_WITHIN_MS;
    for (let wait_ms = 100; ; wait_ms = Math.min(2_000, wait_ms * 2)) {
      const consumer = await this.#describeConsumer({ StreamARN, ConsumerName });
      if (consumer?.ConsumerStatus === 'ACTIVE') return consumer.ConsumerARN;
      if (clock.now() > deadline_ms) throw notActive(`consumer ${ConsumerName}`, consumer?.ConsumerStatus);
      await clock.sleep(wait_ms);
    }
  }

  /** Registers the consumer where there is none. */
  async #describeConsumer(ref: { StreamARN: string; ConsumerName: string }): Promise<Consumer | undefined> {
    try {
      return (await this.#client.call('DescribeStreamConsumer', ref)).ConsumerDescription;
    } catch (error) {
      if (!isCode(error, 'kinesis.ResourceNotFoundException')) throw error;
    }
    try {
      return (await this.#client.call('RegisterStreamConsumer', ref)).Consumer;
    } catch (error) {
      // Another worker was faster.
      if (!isCode(error, 'kinesis.ResourceInUseException')) throw error;
      return undefined;
    }
  }

  async #list(): Promise<ShardInfo[]> {
    const shards: ShardInfo[] = [];
    let next: string | undefined;
    do {
      const input = next === undefined ? this.#ref : { NextToken: next };
      const page = await this.#retrying(() => this.#page(input));
      shards.push(...page.Shards.map(shardInfo));
      next = page.NextToken ?? undefined;
    } while (next !== undefined);
    return shards;
  }

  /** A stream that is being created or deleted lists no shards; that passes. */
  async #page(input: Operations['ListShards']['input']): Promise<Operations['ListShards']['output']> {
    try {
      return await this.#client.call('ListShards', input);
    } catch (error) {
      if (!isCode(error, 'kinesis.ResourceInUseException')) throw error;
      throw new Failure(`stream ${this.#options.name} is not active`, {
        code: 'stream.not_active',
        fault: 'service',
        retry: 'backoff',
        why: (error as Failure).why ?? 'it lists no shards',
        hint: 'it is asked again until it is',
        cause: error,
      });
    }
  }

  async #retrying<T>(action: () => Promise<T>): Promise<T> {
    const { clock, random } = this.#options;
    try {
      return await retrying({ attempts: ATTEMPTS, clock, random, ...BETWEEN_ATTEMPTS }, action);
    } catch (error) {
      throw isCode(error, 'kinesis.ResourceNotFoundException') ? this.#notFound(error) : error;
    }
  }

  #notFound(cause: unknown): Failure {
    const { name, region, endpoint } = this.#options;
    return new Failure(`there is no stream ${name}`, {
      code: 'stream.not_found',
      fault: 'user',
      why: `not in ${region}${endpoint === undefined ? '' : ` at ${endpoint}`}`,
      hint: 'check --stream, --stream-region and --endpoint, or create the stream first',
      cause,
    });
  }
}

function descriptionOf(summary: Summary): StreamDescription {
  const createdAt_ms = Math.round(summary.StreamCreationTimestamp * 1000);
  return {
    id: `${summary.StreamARN}@${createdAt_ms}`,
    name: summary.StreamName,
    arn: summary.StreamARN,
    createdAt_ms,
    openShards: summary.OpenShardCount,
    retention_ms: summary.RetentionPeriodHours * 3_600_000,
  };
}

function shardInfo(shard: ShardShape): ShardInfo {
  const parents = [shard.ParentShardId, shard.AdjacentParentShardId].filter(
    (id) => id !== undefined && id !== null,
  );
  return {
    id: shard.ShardId,
    parents,
    hashKeys: hashKeyRange(shard.HashKeyRange),
    closed: (shard.SequenceNumberRange.EndingSequenceNumber ?? undefined) !== undefined,
  };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Failure && error.code === code;
}

/** Each listing begins anew, so a later one may come through: nothing that waiting cannot mend. */
function listingExpired(cause: unknown): Failure {
  return new Failure('the shards cannot be listed', {
    code: 'kinesis.ExpiredNextTokenException',
    fault: 'service',
    retry: 'backoff',
    why: `the token of a further page had expired when it was used, in each of ${ATTEMPTS} listings`,
    hint: 'it is asked again; a token lives for minutes: look at what is so slow on the way to the endpoint',
    cause,
  });
}

function notActive(name: string, status: string | undefined): Failure {
  return new Failure(`${name} does not become active`, {
    code: 'stream.not_active',
    fault: 'service',
    retry: 'backoff',
    why: `it is ${status ?? 'not listed yet'} after ${ACTIVE_WITHIN_MS / 1000} s`,
    hint: 'look at the stream in the console of its provider',
  });
}
