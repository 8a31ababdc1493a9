/**
 * What the answers of the stream say of lag, kept a shard. A shard that was not read for a while is closed or another
 * worker's now, and no longer counts.
 */
import type { ShardRead } from '../stream/stream.ts';
import type { Meter } from './meter.ts';

const FORGOTTEN_MS = 300_000;
/** Of a stream with more shards than this those that were read last are known. */
const SHARDS_MAX = 10_000;

export class SourceGauges {
  readonly #meter: Meter;
  readonly #shards = new Map<string, { lag_ms: number; read_ms: number }>();
  #asked: { lag_ms: number; at_ms: number } | undefined;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Of the shard that is furthest behind; undefined when none was read lately. */
  lag_ms(now_ms: number): number | undefined {
    this.#forget(now_ms);
    if (this.#shards.size === 0) return undefined;
    return this.#shards.values().reduce((most, { lag_ms }) => Math.max(most, lag_ms), 0);
  }

  read({ shard, records, behindLatest_ms, idle }: ShardRead, now_ms: number): void {
    // Deleted first, so that the map is in the order of reading.
    this.#shards.delete(shard);
    this.#shards.set(shard, { lag_ms: behindLatest_ms, read_ms: now_ms });
    if (this.#shards.size > SHARDS_MAX) this.#shards.delete(this.#shards.keys().next().value!);
    this.#meter.add('lakeward.source.reads', 1, {});
    this.#meter.add('lakeward.source.records', records, {});
    this.#meter.set('lakeward.source.idle', idle ? 1 : 0, {});
  }

  /** What the stream said when it was asked, because nothing was read lately. */
  asked(lag_ms: number, now_ms: number): void {
    this.#asked = { lag_ms, at_ms: now_ms };
    this.#meter.set('lakeward.source.idle', lag_ms === 0 ? 1 : 0, {});
  }

  /** Into the meter, before it is read. */
  publish(now_ms: number): void {
    const asked = this.#asked;
    const answer_ms = asked !== undefined && now_ms - asked.at_ms < FORGOTTEN_MS ? asked.lag_ms : undefined;
    const lag_ms = this.lag_ms(now_ms) ?? answer_ms;
    this.#meter.setAll('lakeward.source.lag', lag_ms === undefined ? [] : [[{}, lag_ms / 1000]]);
    const furthestFirst = [...this.#shards].sort(([, a], [, b]) => b.lag_ms - a.lag_ms);
    this.#meter.setAll(
      'lakeward.shard.lag',
      furthestFirst.map(([shard, { lag_ms }]) => [{ shard }, lag_ms / 1000]),
    );
  }

  #forget(now_ms: number): void {
    for (const [shard, { read_ms }] of this.#shards) {
      if (now_ms - read_ms < FORGOTTEN_MS) return;
      this.#shards.delete(shard);
    }
  }
}
