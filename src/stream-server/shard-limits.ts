import type { Clock } from '../base/base.ts';
import type { LiveShard } from './live-stream.ts';
import type { ShardLog } from './shard-log.ts';
import { TokenBucket } from './token-bucket.ts';

const MIB = 1024 * 1024;
const A_SECOND = { putRecords: 1_000, putBytes: MIB, reads: 5, readBytes: 2 * MIB };

interface Buckets {
  putRecords: TokenBucket;
  putBytes: TokenBucket;
  reads: TokenBucket;
  readBytes: TokenBucket;
}

/**
 * What one shard of Kinesis takes and gives, so that producers and consumers meet at home what they will meet there.
 * After a read of 10 MiB the next five seconds give nothing, as there.
 */
export class ShardLimits {
  readonly #clock: Clock;
  /** By the log, which stays when a shard is closed. */
  readonly #buckets = new WeakMap<ShardLog, Buckets>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False, and nothing taken, when the shard has had enough for now. */
  takePut(shard: LiveShard, bytes: number): boolean {
    const { putRecords, putBytes } = this.#of(shard);
    if (!putRecords.has(1) || !putBytes.has(bytes)) return false;
    putRecords.take(1);
    putBytes.take(bytes);
    return true;
  }

  /** False, and nothing taken, when the shard was read too often, or too much. */
  takeRead(shard: LiveShard): boolean {
    const { reads, readBytes } = this.#of(shard);
    if (!reads.has(1) || readBytes.debt_ms > 0) return false;
    reads.take(1);
    return true;
  }

  wasRead(shard: LiveShard, bytes: number): void {
    this.#of(shard).readBytes.take(bytes);
  }

  /** What one subscription may push, beside all other readers. */
  pushed(): TokenBucket {
    return new TokenBucket(A_SECOND.readBytes, this.#clock);
  }

  #of({ log }: LiveShard): Buckets {
    let buckets = this.#buckets.get(log);
    if (!buckets) {
      const bucket = (name: keyof typeof A_SECOND) => new TokenBucket(A_SECOND[name], this.#clock);
      buckets = {
        putRecords: bucket('putRecords'),
        putBytes: bucket('putBytes'),
        reads: bucket('reads'),
        readBytes: bucket('readBytes'),
      };
      this.#buckets.set(log, buckets);
    }
    return buckets;
  }
}
