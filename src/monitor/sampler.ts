/** A look at the lake and the stream beside the running roles: gauges, and what is wrong with them. */
import type { Clock } from '../base/base.ts';
import { STAGING_NAME } from '../tables/tables.ts';
import { type Finding, findingsOf } from './findings.ts';
import { balance, type LakeStatus, lakeReader } from './lake-status.ts';
import type { Meter } from './meter.ts';
import type { MonitorOptions, Watched } from './monitor.ts';
import type { StreamStatus } from './stream-status.ts';

export interface SamplerOptions extends Pick<MonitorOptions, 'roles' | 'limits'>, Watched {
  clock: Clock;
  meter: Meter;
  /** From the answers that the processor takes: asking each shard again would cost reads. */
  lag_ms: () => number | undefined;
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

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#read = lakeReader(options.lake);
  }

  async sample(): Promise<Finding[]> {
    const { clock, lake, limits, roles } = this.#options;
    this.answered_ms = NEVER;
    await this.#probe();
    const { status, metadataLocation } = await this.#read(clock.now());
    // Tables are remembered, so that reading them asks the catalog only. A lake without tables has nothing to ask for.
    if (metadataLocation !== undefined) await lake.store.head(metadataLocation);
    this.answered_ms = { ...this.answered_ms, store: clock.now() };
    this.#publish(status);
    this.sampled = true;
    const stream = await this.#stream();
    return findingsOf({ lake: status, ...(stream && { stream }) }, limits).filter(({ code }) => {
      const role = ROLE_OF[code];
      return role === undefined || roles.includes(role);
    });
  }

  async #probe(): Promise<void> {
    const { probes, meter } = this.#options;
    const spools = await probes.spoolBytes();
    if (spools !== undefined) meter.set('lakeward.spool.size', spools, {});
    const engine = await probes.engineMemory_bytes();
    if (engine !== undefined) meter.set('lakeward.engine.memory', engine, {});
  }

  async #stream(): Promise<StreamStatus | undefined> {
    const { stream, clock, meter, keepsUncommitted } = this.#options;
    if (stream === undefined) return undefined;
    const { name, id, retention_ms } = await stream.describe();
    this.answered_ms = { ...this.answered_ms, stream: clock.now() };
    const lag_ms = this.#options.lag_ms() ?? null;
    const unread = lag_ms !== null && lag_ms > 0 && !keepsUncommitted;
    const retentionLeft_ms = unread ? retention_ms - lag_ms : null;
    meter.setAll(
      'lakeward.source.retention_left',
      retentionLeft_ms === null ? [] : [[{}, retentionLeft_ms / 1000]],
    );
    return {
      ...{ state: 'answers', why: null, name, id, retention_ms, lag_ms, retentionLeft_ms },
      ...{ shards: [], shardsNotAsked: 0 },
    };
  }

  #publish({ tables, ledger, staging }: LakeStatus): void {
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
    meter.setAll(
      'lakeward.table.commit.age',
      each((t) => (t.lastCommitAge_ms ?? 0) / 1000),
    );
    meter.set('lakeward.staging.waiting', staging.waitingRows, {});
    meter.set('lakeward.staging.behind', (staging.behind_ms ?? 0) / 1000, {});
    if (staging.freshness_ms !== null)
      meter.set('lakeward.table.freshness', staging.freshness_ms / 1000, { table: STAGING_NAME });
    if (ledger !== null) meter.set('lakeward.ledger.imbalance', balance(ledger), {});
  }
}
