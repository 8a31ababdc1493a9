/**
 * Putting at least once: a record counts when the service acknowledged it; only what was refused is put again. An
 * answer that got lost makes its records be put twice, which is what `event_uuid` is there for.
 */
import { backoff, type Clock, Failure } from '../base/base.ts';
import type { KinesisClient } from './client.ts';
import { gather, type Limits, type PutEntry } from './put-batches.ts';
import { isThrottle } from './service-failures.ts';

export interface SendOptions {
  onProgress?: (progress: SendProgress) => void;
  /** Records with one key keep to one shard. Default: the record's index, which spreads over all shards. */
  partitionKey?: (record: Uint8Array, index: number) => string;
  /** PutRecords requests on their way at once. */
  inFlight?: number;
  /** A record waits at most this long for others to share its request. */
  linger_ms?: number;
  /** Aborted: nothing more is read; resolves with what was acknowledged when the requests on their way have ended. */
  signal?: AbortSignal;
}

export interface SendProgress {
  /** Acknowledged. */
  records: number;
  bytes: number;
  /** Puts of records that were refused once and put again. */
  retried: number;
}

export interface PutParts {
  client: KinesisClient;
  ref: { StreamName: string } | { StreamARN: string };
  clock: Clock;
  random: () => number;
  recordBytesMax: number;
}

/** Of the service: 500 records, 10 MiB with their keys. */
const REQUEST: Omit<Limits, 'recordBytes'> = { records: 500, bytes: 10 << 20 };
const IN_FLIGHT = 4;
const LINGER_MS = 100;
/** Requests in a row that got nothing through, throttling not counted: about two minutes. */
const FRUITLESS_MAX = 20;

export async function putAll(
  records: AsyncIterable<Uint8Array>,
  parts: PutParts,
  options: SendOptions,
): Promise<SendProgress> {
  const { inFlight = IN_FLIGHT, linger_ms = LINGER_MS, partitionKey = (_, index) => String(index) } = options;
  const run = new PutRun(parts, options.onProgress);
  const limits = { ...REQUEST, recordBytes: parts.recordBytesMax };
  const way = { limits, linger_ms, partitionKey, clock: parts.clock, signal: options.signal };
  try {
    await gather(records, { ...way, put: (batch) => run.begin(batch, inFlight), failed: run.failed });
  } finally {
    await run.settled();
  }
  return run.progress;
}

class PutRun {
  readonly #parts: PutParts;
  readonly #onProgress: ((progress: SendProgress) => void) | undefined;
  readonly #onWay = new Set<Promise<void>>();
  /** Rejects with the first error of a request, so that waiting for further records ends. */
  readonly failed: Promise<never>;
  readonly #fail: (error: unknown) => void;
  #error: unknown;
  readonly #giveUp = new AbortController();
  #progress: SendProgress = { records: 0, bytes: 0, retried: 0 };

  constructor(parts: PutParts, onProgress: ((progress: SendProgress) => void) | undefined) {
    this.#parts = parts;
    this.#onProgress = onProgress;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.failed = promise;
    this.#fail = reject;
  }

  get progress(): SendProgress {
    return this.#progress;
  }

  /** Resolves when there is room for one more request. */
  async begin(batch: readonly PutEntry[], inFlight: number): Promise<void> {
    const putting = this.#put(batch)
      .catch((error) => {
        this.#error ??= error;
        this.#giveUp.abort();
        this.#fail(error);
      })
      .finally(() => this.#onWay.delete(putting));
    this.#onWay.add(putting);
    while (this.#onWay.size >= inFlight) await Promise.race(this.#onWay);
    if (this.#error !== undefined) throw this.#error;
  }

  /** Throws the first error of any request. */
  async settled(): Promise<void> {
    await Promise.all(this.#onWay);
    if (this.#error !== undefined) throw this.#error;
  }

  async #put(entries: readonly PutEntry[]): Promise<void> {
    let left = entries;
    let fruitless = 0;
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt > 0) {
        await this.#pause(attempt - 1);
        if (this.#giveUp.signal.aborted) return;
        this.#advance({ retried: left.length });
      }
      const answer = await this.#attempt(left);
      const refused = left.filter((_, i) => answer.errorOf(i) !== undefined);
      this.#advance({ records: left.length - refused.length, bytes: bytesOf(left) - bytesOf(refused) });
      if (refused.length < left.length) attempt = fruitless = 0;
      else if (!answer.throttled && ++fruitless > FRUITLESS_MAX) throw answer.failure;
      left = refused;
    }
  }

  async #attempt(entries: readonly PutEntry[]): Promise<Outcome> {
    const { client, ref } = this.#parts;
    try {
      const Records = entries.map(({ entry }) => entry);
      const answer = await client.call('PutRecords', { ...ref, Records });
      const results = answer.Records;
      if (results.length !== entries.length) throw badAnswer(entries.length, results.length);
      return partly(results);
    } catch (error) {
      if (!(error instanceof Failure) || error.retry !== 'backoff') throw error;
      return { errorOf: () => error.code, throttled: isThrottle(error), failure: error };
    }
  }

  #pause(attempt: number): Promise<void> {
    const { clock, random } = this.#parts;
    return clock.sleep(backoff(attempt, { first_ms: 100, most_ms: 5_000, random }), this.#giveUp.signal);
  }

  #advance({ records = 0, bytes = 0, retried = 0 }: Partial<SendProgress>): void {
    const p = this.#progress;
    this.#progress = { records: p.records + records, bytes: p.bytes + bytes, retried: p.retried + retried };
    this.#onProgress?.(this.#progress);
  }
}

function bytesOf(entries: readonly PutEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.bytes, 0);
}

interface Outcome {
  errorOf: (index: number) => string | undefined;
  throttled: boolean;
  failure: Failure;
}

function partly(results: readonly { ErrorCode?: string; ErrorMessage?: string }[]): Outcome {
  const first = results.find((r) => r.ErrorCode !== undefined);
  return {
    errorOf: (i) => results[i]!.ErrorCode,
    throttled: results.some((r) => r.ErrorCode === 'ProvisionedThroughputExceededException'),
    failure: new Failure('PutRecords: the stream refuses records', {
      code: `kinesis.${first?.ErrorCode ?? 'InternalFailure'}`,
      fault: 'service',
      retry: 'backoff',
      ...(first?.ErrorMessage !== undefined && { why: first.ErrorMessage }),
      hint: 'what was acknowledged is in the stream; send the rest later',
    }),
  };
}

function badAnswer(asked: number, answered: number): Failure {
  return new Failure(`PutRecords: ${asked} records put, ${answered} answered`, {
    code: 'stream.bad_answer',
    fault: 'service',
    retry: 'backoff',
    hint: 'is this the address of a Kinesis endpoint?',
  });
}
