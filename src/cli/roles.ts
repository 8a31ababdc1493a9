/** The roles of a deployment, side by side in one process. */
import { join } from 'node:path';
import { backoff, Failure } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import { type MaintenanceOptions, maintain, runMaintenance } from '../maintenance/maintenance.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { type Committed, processStream, type SharedWork } from '../processor/processor.ts';
import { adoptRejected } from '../quarantine/quarantine.ts';
import { openIdentityIndex, type StagingCommit, stageEvents } from '../staging/staging.ts';
import type { Stream } from '../stream/stream.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME } from '../tables/tables.ts';
import type { Transform, TransformCommit } from '../transforms/transforms.ts';
import type { Role } from './commands/run.ts';
import {
  composeEngine,
  composeWorkers,
  foldersOf,
  type LocalLake,
  newId,
  type Surroundings,
  writerName,
} from './compose.ts';
import { type MemoryShares, memoryShares, tellLowered } from './memory.ts';
import { monitorOf, probesOf } from './monitoring.ts';
import { transformer } from './transform-role.ts';

export interface RolesOptions extends Surroundings {
  lake: LocalLake;
  engine: Engine;
  /** Needed by the role processor only. */
  stream: Stream | undefined;
  /** Whether the stream keeps what this lake has not committed. */
  keepsUncommitted?: boolean;
  roles: readonly Role[];
  /** Of the project; the role transforms has nothing to do without any. */
  transforms?: readonly Transform[];
  spoolFolder: string;
  onRaw?: (commit: Committed) => void;
  onStaging?: (commit: StagingCommit) => void;
  onTransform?: (commit: TransformCommit) => void;
  /** One transform was run; where it failed it keeps its position, and the others go on. */
  onTransformRan?: (name: string, failure: unknown) => void;
  /** What roles tell of their work; without one it is only told to the log. */
  monitor?: Monitor;
}

type Watched = RolesOptions & { monitor: Monitor; shares: MemoryShares };

const NEVER = new AbortController().signal;

export interface Run {
  /** Aborted: nothing more is taken; what was taken is committed and staged. */
  signal: AbortSignal;
  /** The processor ends when every shard reached this moment of the stream's clock; the others then finish. */
  until_ms?: number;
}

/** Runs until the signal is aborted or `until_ms` is reached; then raw as it stands is adopted and staged. */
export async function runRoles(given: RolesOptions, { signal, until_ms }: Run): Promise<void> {
  const monitor = given.monitor ?? monitorOf(given);
  const { localFiles } = given.lake;
  const shares = memoryShares(given.settings);
  tellLowered(given.settings, shares, given.log);
  const options: Watched = {
    ...given,
    monitor,
    shares,
    lake: { ...monitor.observe(given.lake), localFiles },
  };
  signal.addEventListener('abort', () => monitor.stopping(), { once: true });
  const has = (role: Role) => options.roles.includes(role);
  const changed = new Changed();
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const enough = enoughToStage(shares.stagingRows / 2);
  await using staging = stager(options);
  const onRaw = (commit: Committed) => {
    monitor.counted(RAW_NAME, commit.tally);
    monitor.flawed(commit);
    monitor.windowSize(commit.windowIds);
    monitor.ended('processor');
    options.onRaw?.(commit);
    if (enough(commit)) changed.tell();
  };
  const running: Promise<unknown>[] = [];
  const start = (role: Promise<unknown>) => running.push(role.catch(ending(over)));
  if (has('processor')) {
    const taking = take(
      { ...options, onRaw },
      { signal: stop, ...(until_ms === undefined ? {} : { until_ms }) },
    );
    start(taking.then(() => over.abort()));
  } else if (until_ms !== undefined) over.abort();
  const again = (role: Role, action: () => Promise<unknown>) =>
    start(repeat(options, stop, changed, { role, action }));
  if (has('quarantine') && !has('processor')) again('quarantine', () => adopt(options));
  if (has('staging')) again('staging', () => staging.stage(stop));
  const transform = has('transforms') ? transformer(options) : undefined;
  // Up to a fixed end each day is computed once, from all that came.
  if (transform !== undefined && until_ms === undefined) start(transform.repeat(stop, signal));
  const watching = monitor.watch(
    {
      ...{ lake: given.lake, stream: given.stream, probes: probesOf(given) },
      keepsUncommitted: given.keepsUncommitted ?? false,
    },
    stop,
  );
  const interval_ms = options.settings['maintenance.interval'];
  const maintained = has('maintenance') && interval_ms > 0;
  if (maintained && until_ms === undefined)
    start(runMaintenance(maintenanceOptions(options, stop), { interval_ms }));
  const results = await Promise.allSettled(running);
  over.abort();
  await watching;
  const failure = results.find((r) => r.status === 'rejected');
  if (failure) throw failure.reason;
  if (has('quarantine')) await adopt(options);
  if (has('staging')) await staging.stage(NEVER);
  // Marts go on from where they stand; nobody who stops the program waits for their queries.
  await transform?.run(signal);
  if (maintained && until_ms !== undefined) await maintainOnce(options, signal);
}

/** After all else, and without any say in whether that went well. */
async function maintainOnce(options: RolesOptions, signal: AbortSignal): Promise<void> {
  try {
    const reports = await maintain(maintenanceOptions(options, signal), { dryRun: false });
    for (const { table, work } of reports) {
      for (const { action, count, into, bytes, result, why } of work)
        options.log.info('maintenance.worked', `${action} of ${table}: ${result}`, {
          count,
          into,
          bytes,
          why,
        });
    }
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Failure)) throw error;
    options.log.warn('maintenance.failed', error.message, { code: error.code, why: error.why });
  }
}

export function maintenanceOptions(
  around: Surroundings & { lake: LocalLake },
  signal: AbortSignal,
): MaintenanceOptions {
  const { lake, clock, log, settings } = around;
  return {
    lake,
    openEngine: () => composeEngine(around, lake, 'maintenance'),
    clock,
    log,
    random: Math.random,
    newId,
    writer: writerName('maintenance'),
    bounds: partitionBounds(settings),
    rules: {
      targetFileSize_bytes: settings['maintenance.targetFileSize'],
      minFiles: settings['maintenance.minFiles'],
      roundMost_bytes: settings['maintenance.maxBytes'],
      keepSnapshots_ms: settings['maintenance.keepSnapshots'],
      snapshotsLeast: settings['maintenance.minSnapshots'],
      snapshotsMost: settings['maintenance.maxSnapshots'],
      consumerLagMost_ms: settings['consumer.maxLag'],
      rawRetention_ms: settings['raw.retention'],
    },
    signal,
  };
}

/**
 * Large portions make few and large files: while a backlog is worked off, staging waits for a good portion (or for
 * commit.maxAge); at the stream's end it runs at once.
 */
function enoughToStage(portion: number): (commit: Committed) => boolean {
  let waiting = 0;
  return ({ tally, drained }) => {
    waiting += tally.written;
    if (!drained && waiting < portion) return false;
    waiting = 0;
    return true;
  };
}

/** One role that fails ends the others. */
function ending(over: AbortController) {
  return (error: unknown) => {
    over.abort();
    throw error;
  };
}

async function adopt({ lake, engine, clock, log, settings, monitor }: Watched) {
  const adopted = await adoptRejected({
    ...{ lake, engine, clock, log, newId },
    writer: writerName('quarantine'),
    bounds: partitionBounds(settings),
  });
  monitor.counted(QUARANTINE_NAME, { written: adopted.rows });
  return adopted;
}

function stager(options: Watched) {
  const { lake, engine, clock, log, settings, shares, monitor, onStaging } = options;
  // Spark looks for repeats itself, by an anti-join: an index here would have every id of history come through.
  const index = settings['engine.kind'] === 'spark' ? undefined : identityIndex(options);
  const given = {
    lake,
    engine,
    clock,
    log,
    writer: writerName('staging'),
    newId,
    random: Math.random,
    maxRows: shares.stagingRows,
    bounds: partitionBounds(settings),
    ...(index && { index }),
    onCommit: (commit: StagingCommit) => {
      monitor.counted(STAGING_NAME, commit);
      monitor.progressed('staging');
      onStaging?.(commit);
    },
  };
  return {
    stage: (signal: AbortSignal) => stageEvents({ ...given, signal }),
    [Symbol.asyncDispose]: async () => index?.close(),
  };
}

function identityIndex({ lake, engine, log, settings, shares }: Watched) {
  const { identities, work } = foldersOf(settings.dir);
  return openIdentityIndex({
    ...{ lake, engine, log, newId },
    folder: identities,
    spareFolder: join(work, `identities-${process.pid}-${newId().slice(0, 8)}`),
    memory_ids: shares.indexIds,
    filter_bytes: shares.filter_bytes,
  });
}

function take(options: Watched, { signal, until_ms }: { signal: AbortSignal; until_ms?: number }) {
  const { lake, engine, stream, clock, log, settings, shares, monitor, onRaw } = options;
  if (stream === undefined) throw new Error('the role processor needs a stream');
  return processStream({
    lake,
    engine,
    stream,
    clock,
    log,
    writer: writerName('processor'),
    newId,
    random: Math.random,
    adopt: async () => (await adopt(options)).upTo,
    ...(onRaw && { onCommit: onRaw }),
    onBatch: () => monitor.began('processor'),
    onRetry: (failure) => monitor.failed('processor', failure),
    onRead: (read) => monitor.read(read),
    onReadFailed: (failure, shard) => monitor.readFailed(failure, shard),
    spoolFolder: options.spoolFolder,
    start: startOf(settings['stream.start']),
    limits: eventLimits(settings),
    bounds: { ...partitionBounds(settings), smallMost: settings['commit.smallFiles'] },
    watermark_s: settings['dedupe.watermark'] / 1000,
    maxIds: shares.windowIds,
    maxRows: shares.commitRows,
    maxBytes: settings['commit.maxBytes'],
    maxAge_ms: settings['commit.maxAge'],
    spoolsAhead: settings['commit.spoolsAhead'],
    answers_bytes: shares.answers_bytes,
    poll_ms: 200,
    ...(settings['stream.fanOut'] === undefined ? {} : { fanOut: settings['stream.fanOut'] }),
    // Who reads up to a fixed end brings all of it, whoever else reads.
    ...(until_ms === undefined ? { sharing: sharingOf(options) } : { until_ms }),
    signal,
  });
}

function sharingOf(options: Watched): SharedWork {
  const { settings, monitor } = options;
  return {
    workers: composeWorkers(options, (sharing) => monitor.sharing(sharing)),
    spacing_ms: settings['commit.spacing'],
    every_ms: settings['workers.lease'] / 3,
  };
}

export function partitionBounds(settings: Surroundings['settings']) {
  return { filesMost: settings['commit.maxFiles'], typesMost: settings['types.max'] };
}

export function eventLimits(settings: Surroundings['settings']) {
  return { minTime_s: settings['event.minTime'] / 1000, maxAhead_s: settings['event.maxAhead'] / 1000 };
}

function startOf(start: number | 'trim_horizon' | 'now') {
  if (start === 'now') return 'NOW';
  return start === 'trim_horizon' ? 'TRIM_HORIZON' : (`AT_TIMESTAMP:${start}` as const);
}

/** Runs the action whenever raw changed, and every commit.maxAge in case another process changed it. */
async function repeat(
  { clock, log, settings, monitor }: Watched,
  signal: AbortSignal,
  changed: Changed,
  { role, action }: { role: Role; action: () => Promise<unknown> },
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      monitor.began(role);
      await action();
      monitor.ended(role);
      failures = 0;
    } catch (error) {
      if (!(error instanceof Failure) || error.retry === 'never') throw error;
      monitor.failed(role, error);
      log.debug('role.retrying', error.message, { role, code: error.code, why: error.why });
      await clock.sleep(backoff(failures++, { first_ms: 100, most_ms: 60_000, random: Math.random }), signal);
      continue;
    }
    const wake = new AbortController();
    changed.wake(wake);
    await clock.sleep(settings['commit.maxAge'], AbortSignal.any([signal, wake.signal]));
    changed.forget(wake);
  }
}

/** Wakes those who sleep when something changed; several tellings while nobody sleeps are one. */
class Changed {
  #pending = false;
  readonly #sleepers = new Set<AbortController>();

  tell(): void {
    this.#pending = this.#sleepers.size === 0;
    for (const sleeper of this.#sleepers) sleeper.abort();
    this.#sleepers.clear();
  }

  /** Aborts it at the next telling, or at once when there was one since. */
  wake(sleeper: AbortController): void {
    if (this.#pending) sleeper.abort();
    else this.#sleepers.add(sleeper);
    this.#pending = false;
  }

  /** A sleeper that woke by itself: an idle process would gather one every commit.maxAge. */
  forget(sleeper: AbortController): void {
    this.#sleepers.delete(sleeper);
  }
}
