/** All shards of a stream at once: parents before children, and what reshards make is found while reading. */
import { join } from 'node:path';
import { BoundedQueue, type Clock, Failure, type Log, makeFolder } from '../base/base.ts';
import type { KinesisClient } from './client.ts';
import { Intake } from './intake.ts';
import { ShardWalk } from './shard-walk.ts';
import { Splitter, spoolFailure } from './splitter.ts';
import type { ShardInfo, Spool, StreamDescription, TakeOptions, Taking } from './stream.ts';

export interface TakeFrom {
  client: KinesisClient;
  ref: { StreamName: string } | { StreamARN: string };
  describe: () => Promise<StreamDescription>;
  listShards: () => Promise<ShardInfo[]>;
  clock: Clock;
  log: Log;
  random: () => number;
  readSpacing_ms: number;
  keepsUnread: boolean;
  /** ARN of the consumer of this name, registered where it was not. */
  consumer: (name: string) => Promise<string>;
}

/** 10 MiB of records in base64, with their keys and numbers. */
const BODY_BYTES_MAX = 17 << 20;
const BODIES_DEFAULT = 8;
/** Amazon takes one subscription a second for a shard. */
const SUBSCRIBE_SPACING_MS = 1_000;
/** Amazon describes a stream twenty times a second for an account, and iterators of hundreds of shards expire at once. */
const CHECK_TOGETHER_MS = 200;
/** What one GetRecords may ask for. */
const LIMIT_MAX = 10_000;

export async function startTaking(from: TakeFrom, options: TakeOptions): Promise<Taking> {
  let { retention_ms } = options.stream;
  const checkIdentity = async () => {
    const stream = await from.describe();
    ensureSame(stream, options.stream);
    retention_ms = stream.retention_ms;
  };
  await checkIdentity();
  const checkTogether = together(checkIdentity, from.clock);
  const [shards, , consumerArn] = await Promise.all([
    from.listShards(),
    makeSpoolFolder(options.spoolFolder),
    options.fanOut === undefined ? undefined : from.consumer(options.fanOut),
  ]);
  const retention = () => (from.keepsUnread ? undefined : retention_ms);
  const parts = { from, options, shards, consumerArn, retention_ms: retention };
  return new StreamTaking({ ...parts, checkIdentity: checkTogether });
}

/** Who asks while nobody was answered yet shares the next request: never one that was under way before. */
function together(check: () => Promise<void>, clock: Clock): () => Promise<void> {
  let next: Promise<void> | undefined;
  const ask = async () => {
    await clock.sleep(CHECK_TOGETHER_MS);
    next = undefined;
    await check();
  };
  return () => (next ??= ask());
}

function bodiesAtOnce({ answers_bytes }: TakeOptions): number {
  return answers_bytes === undefined
    ? BODIES_DEFAULT
    : Math.max(1, Math.floor(answers_bytes / BODY_BYTES_MAX));
}

async function makeSpoolFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    throw spoolFailure({ why: message, code });
  }
}

interface TakingParts {
  from: TakeFrom;
  options: TakeOptions;
  shards: readonly ShardInfo[];
  checkIdentity: () => Promise<void>;
  retention_ms: () => number | undefined;
  consumerArn: string | undefined;
}

class StreamTaking implements Taking {
  readonly #intake: Intake;
  readonly #splitter = new Splitter();
  readonly #slots: BoundedQueue<string>;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  readonly #log: Log;

  constructor({ from, options, shards, checkIdentity, retention_ms, consumerArn }: TakingParts) {
    const { clock, random, log } = from;
    this.#log = log;
    this.#slots = new BoundedQueue(bodiesAtOnce(options));
    const name = `${clock.now()}-${Math.floor(random() * 2 ** 48).toString(36)}`;
    let count = 0;
    const newPath = () => join(options.spoolFolder, `${name}-${count++}.parquet`);
    const forgotten = () => walk.forgotten();
    this.#intake = new Intake({ ...options, splitter: this.#splitter, clock, log, newPath, forgotten });
    const walk = new ShardWalk({
      ...from,
      ...options,
      until_ms: options.until_ms,
      limit: Math.min(LIMIT_MAX, options.maxRows),
      intake: this.#intake,
      slots: this.#slots,
      answers: { count: 0 },
      signal: this.#stopping.signal,
      checkIdentity,
      retention_ms,
      consumerArn,
      ...(consumerArn !== undefined && { readSpacing_ms: SUBSCRIBE_SPACING_MS }),
    });
    this.#ended = this.#run(walk, { shards, signal: options.signal });
  }

  next(): Promise<Spool | undefined> {
    return this.#intake.next();
  }

  async stop(): Promise<void> {
    this.#stopReading();
  }

  async abandon(): Promise<void> {
    this.#intake.fail();
    this.#stopReading();
    await this.#ended;
    await this.#removeFiles();
  }

  #stopReading(): void {
    this.#stopping.abort();
    this.#slots.close();
  }

  /** Files that stay are no failure of the taking, and must not hide the one that ended it. */
  async #removeFiles(): Promise<void> {
    try {
      await this.#intake.removeFiles();
    } catch (error) {
      const why = (error as Error).message;
      this.#log.warn('stream.spools_left', 'files of records that were not handed over stay', { why });
    }
  }

  /** False where that did not work: then it is the error that is told, and nothing more is handed over. */
  async #handOverLast(error: unknown): Promise<boolean> {
    try {
      await this.#intake.finish(error);
      await this.#splitter.close();
      return true;
    } catch {
      return false;
    }
  }

  async #run(
    walk: ShardWalk,
    { shards, signal }: { shards: readonly ShardInfo[]; signal: AbortSignal | undefined },
  ): Promise<void> {
    const stop = () => this.#stopReading();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      await walk.run(shards);
      await this.#intake.finish();
      await this.#splitter.close();
    } catch (error) {
      stop();
      if (isStreamGone(error) && (await this.#handOverLast(error))) return;
      this.#intake.fail(error);
      await this.#splitter.close();
      await this.#removeFiles();
    } finally {
      stop();
      signal?.removeEventListener('abort', stop);
    }
  }
}

/** What was read of it nobody can read again. */
function isStreamGone(error: unknown): boolean {
  return error instanceof Failure && ['stream.recreated', 'stream.not_found'].includes(error.code);
}

function ensureSame(now: StreamDescription, expected: StreamDescription): void {
  if (now.id === expected.id) return;
  throw new Failure(`stream ${expected.name} was deleted and created again`, {
    code: 'stream.recreated',
    fault: 'user',
    // Described anew, it is another stream, read from its own beginning.
    retry: 'refresh',
    why: `reading ${expected.id}, found ${now.id}`,
  });
}
