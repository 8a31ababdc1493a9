/** A look at the lake and the stream beside the running roles: gauges, and what is wrong with them. */
import type { Clock } from '../base/base.ts';
import type { Stream } from '../stream/stream.ts';
import { type PositionMap, STAGING_NAME } from '../tables/tables.ts';
import { type Finding, findingsOf } from './findings.ts';
import { balance, type LakeStatus, lakeReader } from './lake-status.ts';
import type { Meter } from './meter.ts';
import type { MonitorOptions, Watched } from './monitor.ts';
import { askStream, type StreamStatus } from './stream-status.ts';

export interface SamplerOptions extends Pick<MonitorOptions, 'roles' | 'limits'>, Watched {
  clock: Clock;
  meter: Meter;
  /** From the answers that the processor takes: asking each shard again would cost reads. */
  lag_ms: () => number | undefined;
  /** It was asked all the same, because the processor takes no answers. */
  onAsked: (lag_ms: number) => void;
}

export interface Look {
  findings: readonly Finding[];
  /** What could not be looked at. */
  failures: readonly unknown[];
}

/** What other processes of the deployment are there for is not for this one to complain about. */
const ROLE_OF: Readonly<Record<string, string>> = {
  'status.staging_behind': 'staging',
  'status.quarantine_behind': 'quarantine',
};

const NEVER = { stream: undefined, store: undefined };

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #read: ReturnType<typeof lakeReader>;
  /** When the last look was answered by each; undefined where it was not. */
  answered_ms: { stream: number | undefined; store: number | undefined } = NEVER;
  sampled = false;
  /** The lake as it was when it was last read. */
  #seen: { status: LakeStatus; positions: PositionMap; at_ms: number } | undefined;
  #told: StreamStatus | undefined;
  /** When the oldest record goes that is not read; it does not wait for a stream that cannot be asked. */
  #trim_ms: number | null = null;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#read = lakeReader(options.lake);
  }

  /** The stream is looked at whatever became of the lake: what it trims, it trims while no catalog answers too. */
  async sample(): Promise<Look> {
    const { limits, roles, clock } = this.#options;
    const failures: unknown[] = [];
    const failed = (error: unknown) => {
      failures.push(error);
      return undefined;
    };
    this.answered_ms = NEVER;
    await this.#probe().catch(failed);
    await this.#lake().catch(failed);
    this.#told = (await this.#stream().catch(failed)) ?? this.#told;
    const retentionLeft_ms = this.#trim_ms === null ? null : this.#trim_ms - clock.now();
    const stream = this.#told && { ...this.#told, retentionLeft_ms };
    const lake = this.#seen?.status;
    const findings = findingsOf({ ...(lake && { lake }), ...(stream && { stream }) }, limits);
    const own = findings.filter(({ code }) => {
      const role = ROLE_OF[code];
      return role === undefined || roles.includes(role);
    });
    return { findings: own, failures };
  }

  /** Into the meter, before it is read: what is a time goes on while nothing can be looked at. */
  publish(now_ms: number): void {
    const { meter } = this.#options;
    meter.setAll(
      'lakeward.source.retention_left',
      this.#trim_ms === null ? [] : [[{}, Math.max(0, this.#trim_ms - now_ms) / 1000]],
    );
    if (this.#seen === undefined) return;
    const { status, at_ms } = this.#seen;
    const age = (then_ms: number) => Math.max(0, then_ms + now_ms - at_ms) / 1000;
    meter.setAll(
      'lakeward.table.commit.age',
      status.tables.map(({ name, lastCommitAge_ms }) => [{ table: name }, age(lastCommitAge_ms ?? 0)]),
    );
    const { behind_ms, freshness_ms } = status.staging;
    meter.set('lakeward.staging.behind', behind_ms === null ? 0 : age(behind_ms), {});
    if (freshness_ms !== null)
      meter.set('lakeward.table.freshness', age(freshness_ms), { table: STAGING_NAME });
  }

  async #lake(): Promise<void> {
    const { clock, lake } = this.#options;
    const { status, positions, metadataLocation } = await this.#read(clock.now());
    // Tables are remembered, so that reading them asks the catalog only. A lake without tables has nothing to ask for.
    if (metadataLocation !== undefined) await lake.store.head(metadataLocation);
    this.answered_ms = { ...this.answered_ms, store: clock.now() };
    this.#seen = { status, positions, at_ms: clock.now() };
    this.#count(status);
    this.sampled = true;
  }

  async #probe(): Promise<void> {
    const { probes, meter } = this.#options;
    const spools = await probes.spoolBytes();
    if (spools !== undefined) meter.set('lakeward.spool.size', spools, {});
    const engine = await probes.engineMemory_bytes();
    if (engine !== undefined) meter.set('lakeward.engine.memory', engine, {});
  }

  async #stream(): Promise<StreamStatus | undefined> {
    const { stream, clock, keepsUncommitted } = this.#options;
    if (stream === undefined) return undefined;
    const { name, id, retention_ms } = await stream.describe();
    this.answered_ms = { ...this.answered_ms, stream: clock.now() };
    const lag_ms = this.#options.lag_ms();
    const status =
      lag_ms === undefined && this.#seen !== undefined
        ? await this.#ask(stream, this.#seen.positions)
        : ofReads({ name, id, retention_ms, lag_ms: lag_ms ?? null }, keepsUncommitted);
    this.#trim_ms = status.retentionLeft_ms === null ? null : clock.now() + status.retentionLeft_ms;
    return status;
  }

  /** By what is committed: nothing is read, as when nothing can be committed, so it takes no reads from anybody. */
  async #ask(stream: Stream, positions: PositionMap): Promise<StreamStatus> {
    const { keepsUncommitted, onAsked } = this.#options;
    const status = await askStream({ stream, keepsUncommitted }, positions);
    onAsked(status.lag_ms ?? 0);
    return status;
  }

  #count({ tables, ledger, staging }: LakeStatus): void {
    const { meter } = this.#options;
    const each = (value: (table: (typeof tables)[number]) => number) =>
      tables.map((table) => [{ table: table.name }, value(table)] as const);
    meter.setAll(
      'lakeward.table.rows',
      each((t) => t.rows),
    );
    meter.setAll(
      'lakeward.table.files',
      each((t) => t.files),
    );
    meter.setAll(
      'lakeward.table.size',
      each((t) => t.bytes),
    );
    meter.setAll(
      'lakeward.table.snapshots',
      each((t) => t.snapshots),
    );
    meter.set('lakeward.staging.waiting', staging.waitingRows, {});
    if (ledger !== null) meter.set('lakeward.ledger.imbalance', balance(ledger), {});
  }
}

function ofReads(
  { lag_ms, ...stream }: Pick<StreamStatus, 'name' | 'id' | 'lag_ms'> & { retention_ms: number },
  keepsUncommitted: boolean,
): StreamStatus {
  const unread = lag_ms !== null && lag_ms > 0 && !keepsUncommitted;
  const retentionLeft_ms = unread ? stream.retention_ms - lag_ms : null;
  return {
    ...{ ...stream, state: 'answers', why: null, lag_ms, retentionLeft_ms, shards: [], shardsNotAsked: 0 },
  };
}
