/** The monitor of a process that runs roles. */
import { type Clock, Failure } from '../base/base.ts';
import type { Tally } from '../event/event.ts';
import type { Lake } from '../lake/lake.ts';
import { isThrottle, type ShardRead, type Sharing, type Spool } from '../stream/stream.ts';
import { RAW_NAME, STAGING_NAME } from '../tables/tables.ts';
import { type ExpositionFormat, exposition } from './exposition.ts';
import { type Health, HealthBook, type Progressed } from './health.ts';
import { Meter } from './meter.ts';
import type { Monitor, MonitorOptions, Watched } from './monitor.ts';
import { type CommitSeen, observedLake } from './observe-lake.ts';
import { OutageLog } from './outage-log.ts';
import { Sampler } from './sampler.ts';
import { SourceGauges } from './source-gauges.ts';

const SAMPLE_EVERY_MS = 15_000;

const COUNTED = [
  ['lakeward.events.received', 'received'],
  ['lakeward.events.written', 'written'],
  ['lakeward.events.duplicates', 'duplicate'],
  ['lakeward.events.quarantined', 'quarantined'],
  ['lakeward.events.conflicting', 'conflicting'],
  ['lakeward.events.late', 'late'],
  ['lakeward.events.stray', 'stray'],
  ['lakeward.received', 'bytes'],
] as const;

const READING = [
  'lakeward.source.reads',
  'lakeward.source.records',
  'lakeward.source.throttled',
  'lakeward.source.expired_ranges',
  'lakeward.source.damaged_aggregates',
] as const;
/** What staging tells of a commit. */
const STAGED = [
  'lakeward.events.received',
  'lakeward.events.written',
  'lakeward.events.duplicates',
  'lakeward.events.conflicting',
] as const;

export class RunningMonitor implements Monitor {
  readonly #options: MonitorOptions;
  readonly #clock: Clock;
  readonly #meter = new Meter();
  readonly #book: HealthBook;
  readonly #outages: OutageLog;
  readonly #source: SourceGauges;
  readonly #lastCommits_ms = new Map<string, number>();
  #sampler: Sampler | undefined;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#book = new HealthBook([
      ...(options.roles.includes('processor') ? (['stream'] as const) : []),
      ...(['catalog', 'store'] as const),
    ]);
    this.#outages = new OutageLog(options.log);
    this.#source = new SourceGauges(this.#meter);
    this.#beginAtZero();
    this.#meter.set('lakeward.build.info', 1, { version: options.version, node: process.version });
  }

  /** A counter that appears with its first count has no rate and no increase that shows it. */
  #beginAtZero(): void {
    const has = (role: string) => this.#options.roles.includes(role);
    if (has('processor')) {
      for (const metric of READING) this.#meter.add(metric, 0, {});
      for (const [metric] of COUNTED) this.#meter.add(metric, 0, { table: RAW_NAME });
    }
    if (has('staging')) for (const metric of STAGED) this.#meter.add(metric, 0, { table: STAGING_NAME });
  }

  observe(lake: Lake): Lake {
    return observedLake(lake, {
      clock: this.#clock,
      onCommit: (seen) => this.#committed(seen),
      onAnswer: (service) => {
        this.#book.reached(service, this.#clock.now());
        this.#tell();
      },
      onFailure: (failure) => this.#book.unreached(failure, this.#clock.now()),
    });
  }

  began(role: string): void {
    this.#book.began(role, this.#clock.now());
  }

  ended(role: string): void {
    this.#book.ended(role, this.#clock.now());
    this.#tell();
  }

  progressed(role: string): void {
    this.#book.succeeded(role, this.#clock.now());
    this.#tell();
  }

  failed(role: string, failure: Failure): void {
    this.#meter.add('lakeward.failures', 1, { role, code: failure.code });
    this.#book.failed(role, failure, this.#clock.now());
    this.#tell();
  }

  counted(table: string, tally: Partial<Tally>): void {
    for (const [metric, key] of COUNTED) {
      const amount = tally[key];
      if (amount !== undefined) this.#meter.add(metric, amount, { table });
    }
  }

  flawed({ expired, damaged }: Pick<Spool, 'expired' | 'damaged'>): void {
    this.#meter.add('lakeward.source.expired_ranges', expired.length, {});
    this.#meter.add('lakeward.source.damaged_aggregates', damaged, {});
  }

  read(read: ShardRead): void {
    this.#source.read(read, this.#clock.now());
    this.#book.reached('stream', this.#clock.now());
    this.#book.shardAnswered(read.shard);
    // A role that failed on its last batch has nothing to show for it when no further one comes.
    if (read.idle && !this.#book.hasInHand('processor')) this.#book.succeeded('processor', this.#clock.now());
    this.#tell();
  }

  readFailed(failure: Failure, shard?: string): void {
    this.#meter.add('lakeward.failures', 1, { role: 'processor', code: failure.code });
    // The service works, and more is asked of it than it gives: lag tells whether that matters.
    if (isThrottle(failure)) this.#meter.add('lakeward.source.throttled', 1, {});
    else {
      this.#book.unreached(failure, this.#clock.now());
      if (shard !== undefined) this.#book.shardFailed(shard, failure, this.#clock.now());
    }
    this.#tell();
  }

  windowSize(ids: number): void {
    this.#meter.set('lakeward.window.ids', ids, {});
  }

  sharing({ workers, shards }: Sharing): void {
    this.#meter.set('lakeward.workers', workers, {});
    this.#meter.set('lakeward.workers.shards', shards, {});
  }

  stopping(): void {
    this.#book.stopping();
  }

  async watch(at: Watched, signal: AbortSignal) {
    const sampler = new Sampler({
      ...this.#options,
      ...at,
      lake: this.observe(at.lake),
      meter: this.#meter,
      lag_ms: () => this.#source.lag_ms(this.#clock.now()),
      onAsked: (lag_ms) => this.#source.asked(lag_ms, this.#clock.now()),
    });
    this.#sampler = sampler;
    while (!signal.aborted) {
      await this.#clock.sleep(SAMPLE_EVERY_MS, signal);
      if (!signal.aborted) await this.#sample(sampler);
    }
  }

  health(): Health & Progressed {
    const now_ms = this.#clock.now();
    const lag_ms = this.#source.lag_ms(now_ms) ?? null;
    return { ...this.#book.at(now_ms), lag_ms, lastCommits_ms: Object.fromEntries(this.#lastCommits_ms) };
  }

  async metrics(format: ExpositionFormat): Promise<string> {
    const sampler = this.#sampler;
    if (sampler !== undefined && !sampler.sampled) await this.#sample(sampler);
    this.#source.publish(this.#clock.now());
    sampler?.publish(this.#clock.now());
    const usage = process.cpuUsage();
    this.#meter.set('process.memory.usage', process.memoryUsage.rss(), {});
    this.#meter.set('process.cpu.time', (usage.user + usage.system) / 1e6, {});
    this.#meter.set('process.start.timestamp', Math.round(performance.timeOrigin) / 1000, {});
    this.#meter.set('lakeward.healthy', this.health().status === 'ok' ? 1 : 0, {});
    return exposition(this.#meter, format);
  }

  async #sample(sampler: Sampler): Promise<void> {
    const { findings, failures } = await sampler.sample();
    this.#book.found(findings, this.#clock.now());
    // What the lake was asked it has told itself. A figure that cannot be read is no reason to stop the roles.
    for (const error of failures) {
      if (error instanceof Failure && /^(stream|kinesis|object_store)\./.test(error.code))
        this.#book.unreached(error, this.#clock.now());
      const why = error instanceof Error ? error.message : String(error);
      this.#options.log.debug('monitor.sample_failed', 'lake and stream could not be looked at', { why });
    }
    for (const service of ['stream', 'store'] as const) {
      const answered_ms = sampler.answered_ms[service];
      if (answered_ms !== undefined) this.#book.reached(service, answered_ms);
    }
    this.#tell();
  }

  #committed({ table, outcome, attempts, duration_ms }: CommitSeen): void {
    this.#meter.add('lakeward.commits', 1, { table, outcome });
    this.#meter.observe('lakeward.commit.duration', duration_ms / 1000, { table });
    if (attempts > 1) this.#meter.add('lakeward.commit.conflicts', attempts - 1, { table });
    if (outcome !== 'committed') return;
    const now_ms = this.#clock.now();
    this.#lastCommits_ms.set(table, now_ms);
    this.#meter.set('lakeward.commit.last_success.timestamp', now_ms / 1000, { table });
  }

  #tell(): void {
    this.#outages.tell(this.health(), this.#clock.now());
  }
}
