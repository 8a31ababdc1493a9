/**
 * A stream in memory behind the product's own interface, whose batches a test scripts: where each ends, what happens
 * before it is handed over, when the stream is deleted and made anew under its name.
 */
import { rm } from 'node:fs/promises';
import { Failure } from '../../src/base/base.ts';
import { evenHashKeyRanges } from '../../src/kinesis/kinesis.ts';
import type {
  LagOptions,
  Lags,
  Position,
  SendProgress,
  ShardInfo,
  Spool,
  Stream,
  StreamDescription,
  TakeOptions,
  Taking,
} from '../../src/stream/stream.ts';
import { type SpooledRecord, writeSpoolFile } from './spool-file.ts';

export interface StreamRecord {
  shard: string;
  sequenceNumber: bigint;
  arrived_ms: number;
  body: Uint8Array;
}

/** Where the next batch ends: at so many records, of one shard or in order of arrival over all. */
export interface BatchScript {
  rows: number;
  shard?: number;
  /** Runs when the batch was read and before it is handed over. */
  before?: () => Promise<void> | void;
}

export interface ScriptedStreamOptions {
  shards?: number;
  /** Arrival of the first record; each further one comes `step_ms` later. */
  firstArrival_ms?: number;
  step_ms?: number;
  /** A batch that is not full is held until the taking is stopped, as one that is not old enough would be. */
  holdsPartialBatches?: 'until stopped';
}

/** Decimal numbers change their length on the way, so that comparing them as text goes wrong. */
const FIRST_NUMBER = 10n ** 55n - 20n;
const FIRST_ARRIVAL_MS = Date.UTC(2026, 0, 15, 12);

export class ScriptedStream implements Stream {
  /** Scripts of the next batches, first to last; without one a batch takes all there is, up to `maxRows`. */
  readonly script: BatchScript[] = [];
  /** What every `take` was called with. */
  readonly takes: TakeOptions[] = [];
  /** Spools handed over and not let go of. */
  spoolsOpen = 0;
  readonly #options: Required<Omit<ScriptedStreamOptions, 'holdsPartialBatches'>> & ScriptedStreamOptions;
  /** Everything that was ever put and not trimmed unread, of streams deleted meanwhile too. */
  acknowledged: StreamRecord[] = [];
  #records: StreamRecord[] = [];
  #generation = 0;
  #nextNumber = FIRST_NUMBER;
  #now_ms: number;
  #waiters: (() => void)[] = [];
  #holding: (() => void)[] = [];

  constructor(options: ScriptedStreamOptions = {}) {
    this.#options = { shards: 1, firstArrival_ms: FIRST_ARRIVAL_MS, step_ms: 1, ...options };
    this.#now_ms = this.#options.firstArrival_ms;
  }

  /** Puts records, round robin over the shards unless one is named. */
  put(bodies: Iterable<string | Uint8Array>, { shard }: { shard?: number } = {}): void {
    for (const body of bodies) {
      const to = shard ?? this.#records.length % this.#options.shards;
      this.putAt(body, { shard: to, arrived_ms: this.#now_ms });
      this.#now_ms += this.#options.step_ms;
    }
  }

  putAt(body: string | Uint8Array, { shard, arrived_ms }: { shard: number; arrived_ms: number }): void {
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const sequenceNumber = this.#nextNumber++;
    const record = { shard: shardName(shard), sequenceNumber, arrived_ms, body: bytes };
    this.#records.push(record);
    this.acknowledged.push(record);
    this.#now_ms = Math.max(this.#now_ms, arrived_ms + this.#options.step_ms);
    for (const wake of this.#waiters.splice(0)) wake();
  }

  get records(): readonly StreamRecord[] {
    return this.#records;
  }

  /** Retention passed over the oldest records of a shard: they can no longer be read. */
  trim(shard: number, count: number): void {
    const old = this.#records.filter((r) => r.shard === shardName(shard)).slice(0, count);
    this.#records = this.#records.filter((r) => !old.includes(r));
    this.acknowledged = this.acknowledged.filter((r) => !old.includes(r));
  }

  /** Deletes the stream and creates another under its name; numbers begin again where the old ones began. */
  recreate(): void {
    this.#generation++;
    this.#records = [];
    this.#nextNumber = FIRST_NUMBER;
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** The position behind the newest record of every shard: where a reader at LATEST begins. */
  latest(): Map<string, Position> {
    return new Map(this.#shardNames().map((shard) => [shard, String(this.#newestNumber(shard))]));
  }

  async describe(): Promise<StreamDescription> {
    const createdAt_ms = this.#options.firstArrival_ms - 60_000 + this.#generation;
    const arn = 'arn:aws:kinesis:eu-west-1:000000000000:stream/events';
    const openShards = this.#options.shards;
    return {
      id: `${arn}@${createdAt_ms}`,
      name: 'events',
      arn,
      createdAt_ms,
      openShards,
      retention_ms: 86_400_000,
    };
  }

  ensure(): Promise<StreamDescription> {
    return this.describe();
  }

  async shards(): Promise<ShardInfo[]> {
    const ranges = evenHashKeyRanges(this.#options.shards);
    return this.#shardNames().map((id, i) => ({ id, parents: [], closed: false, hashKeys: ranges[i]! }));
  }

  async serverTime(): Promise<number> {
    return this.#now_ms;
  }

  async send(records: AsyncIterable<Uint8Array>): Promise<SendProgress> {
    const progress = { records: 0, bytes: 0, retried: 0 };
    for await (const body of records) {
      this.put([body]);
      progress.records++;
      progress.bytes += body.length;
    }
    return progress;
  }

  async take(options: TakeOptions): Promise<Taking> {
    this.takes.push(options);
    const { id } = await this.describe();
    if (options.stream.id !== id) throw gone();
    return new ScriptedTaking(this, options);
  }

  async lag({ positions }: LagOptions): Promise<Lags> {
    const shards = this.#shardNames().map((shard) => {
      const position = BigInt(positions.get(shard) ?? 0);
      const oldest = this.#records.find((r) => r.shard === shard && r.sequenceNumber > position);
      const oldestAge_ms = oldest && this.#now_ms - oldest.arrived_ms;
      return { shard, behindLatest_ms: oldestAge_ms ?? 0, oldestAge_ms };
    });
    return { shards, notAsked: 0 };
  }

  async close(): Promise<void> {}

  /** Records behind the positions, in order of arrival. */
  async readable(options: TakeOptions, reached: ReadonlyMap<string, bigint>): Promise<StreamRecord[]> {
    if ((await this.describe()).id !== options.stream.id) throw gone();
    const from_ms = options.pin === 'TRIM_HORIZON' ? 0 : Number(options.pin.slice('AT_TIMESTAMP:'.length));
    const behind = this.#records.filter(({ shard, sequenceNumber, arrived_ms }) => {
      const position = reached.get(shard);
      return position === undefined ? arrived_ms >= from_ms : sequenceNumber > position;
    });
    const until_ms = options.until_ms ?? Number.POSITIVE_INFINITY;
    // A shard is done at its first record that arrived too late, whatever comes after.
    const late = new Set<string>();
    return behind.filter(({ shard, arrived_ms }) => {
      if (arrived_ms > until_ms) late.add(shard);
      return !late.has(shard);
    });
  }

  /** Resolves when something was put, or the stream was made anew. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Whether a batch of so many is kept waiting for more. */
  holds(rows: number, wanted: number): boolean {
    const holds = this.#options.holdsPartialBatches !== undefined && rows < wanted;
    if (holds) for (const seen of this.#holding.splice(0)) seen();
    return holds;
  }

  /** Resolves when the next partial batch is kept waiting. */
  whenHolding(): Promise<void> {
    return new Promise((seen) => this.#holding.push(seen));
  }

  #shardNames(): string[] {
    return Array.from({ length: this.#options.shards }, (_, i) => shardName(i));
  }

  #newestNumber(shard: string): bigint {
    return this.#records.findLast((r) => r.shard === shard)?.sequenceNumber ?? FIRST_NUMBER - 1n;
  }
}

export const shardName = (index: number): string => `shardId-${String(index).padStart(12, '0')}`;

class ScriptedTaking implements Taking {
  readonly #stream: ScriptedStream;
  readonly #options: TakeOptions;
  readonly #reached: Map<string, bigint>;
  readonly #stopped = Promise.withResolvers<void>();
  #over: 'stopping' | 'ended' | undefined;

  constructor(stream: ScriptedStream, options: TakeOptions) {
    this.#stream = stream;
    this.#options = options;
    const numbers = [...options.positions].filter(([, position]) => /^\d/.test(position));
    this.#reached = new Map(numbers.map(([shard, position]) => [shard, BigInt(position)]));
    options.signal?.addEventListener('abort', () => void this.stop(), { once: true });
    if (options.signal?.aborted) void this.stop();
  }

  async next(): Promise<Spool | undefined> {
    for (;;) {
      if (this.#over === 'ended') return undefined;
      const last = this.#over === 'stopping' || this.#options.until_ms !== undefined;
      const readable = await this.#stream.readable(this.#options, this.#reached);
      const script = this.#stream.script[0];
      const rows = Math.min(script?.rows ?? this.#options.maxRows, this.#options.maxRows);
      const ofShard = script?.shard;
      const batch = readable
        .filter((r) => ofShard === undefined || r.shard === shardName(ofShard))
        .slice(0, rows);
      if (batch.length === 0 && last) return undefined;
      if (batch.length > 0 && (last || !this.#stream.holds(batch.length, rows))) {
        if (this.#over === 'stopping') this.#over = 'ended';
        this.#stream.script.shift();
        await script?.before?.();
        return this.#spool(batch, { drained: batch.length === readable.length });
      }
      await Promise.race([this.#stream.changed(), this.#stopped.promise]);
    }
  }

  async stop(): Promise<void> {
    this.#over ??= 'stopping';
    this.#stopped.resolve();
  }

  async abandon(): Promise<void> {
    this.#over = 'ended';
    this.#stopped.resolve();
  }

  async #spool(batch: readonly StreamRecord[], { drained }: { drained: boolean }): Promise<Spool> {
    const shards = [...new Set(batch.map((r) => r.shard))];
    const spooled = batch.map((r): SpooledRecord => ({ ...r, shard: shards.indexOf(r.shard) }));
    const { path, bytes } = await writeSpoolFile(this.#options.spoolFolder, spooled);
    const ranges = new Map(
      shards.map((shard) => {
        const before = this.#reached.get(shard);
        const to = batch.findLast((r) => r.shard === shard)!.sequenceNumber;
        this.#reached.set(shard, to);
        return [shard, { from: before === undefined ? this.#options.pin : String(before), to: String(to) }];
      }),
    );
    this.#stream.spoolsOpen++;
    let disposed = false;
    return {
      path,
      rows: batch.length,
      bytes,
      stray: 0,
      damaged: 0,
      shards,
      ranges,
      ended: new Map(),
      expired: [],
      forgotten: [],
      drained,
      behindLatest_ms: 0,
      firstArrival_ms: batch[0]?.arrived_ms,
      lastArrival_ms: batch.at(-1)?.arrived_ms,
      [Symbol.asyncDispose]: async () => {
        if (!disposed) this.#stream.spoolsOpen--;
        disposed = true;
        await rm(path, { force: true });
      },
    };
  }
}

function gone(): Failure {
  return new Failure('the stream was made anew under its name', {
    code: 'stream.recreated',
    fault: 'service',
    retry: 'refresh',
  });
}
