/** One batch on its way: spool → judged → files in the store and manifests, ready to be committed. */

import { Failure } from '../base/base.ts';
import { type JudgedBatch, type SpoolInput, storeFiles } from '../engine/engine.ts';
import { CRASHED_ENGINE, emptyTally, type Tally } from '../event/event.ts';
import type { Manifest, Table } from '../lake/lake.ts';
import type { Spool } from '../stream/stream.ts';
import { type OwnTypes, placing, QUARANTINE, RAW, targetOf } from '../tables/tables.ts';
import { cornerRows, isEngineCrash } from './corner.ts';
import type { CrashCount } from './crash-count.ts';
import type { ProcessorOptions } from './processor.ts';
import type { Overlay, Window } from './window.ts';

/** Gone once its commit is decided, or it is given up; its spool goes with it. */
export interface PreparedBatch extends AsyncDisposable {
  spool: Spool;
  manifests: Manifest[];
  types: OwnTypes | undefined;
  rejected: { locations: string[]; rows: number } | undefined;
  tally: Tally;
  overlay: Overlay;
  preparedAt_ms: number;
  /** Records that crashed the engine; among the quarantined. */
  cornered: number;
}

interface Place {
  spool: Spool;
  window: Window;
  raw: Table;
  quarantine: Table;
}

/**
 * `prepared`: written and durable; nothing is in any table yet. `verdict` resolves when the window has judged, which
 * happens after `turn`: repeats are told apart in the order of the stream.
 */
export function prepareBatch(
  options: ProcessorOptions,
  place: Place,
  { turn, ...of }: { stream: string; crashes: CrashCount; turn: Promise<void> },
): { verdict: Promise<void>; prepared: Promise<PreparedBatch> } {
  const judged = Promise.withResolvers<void>();
  const prepared = prepare(options, place, { ...of, turn, judged: judged.resolve }).catch((error) => {
    if (!isEngineCrash(error)) throw error;
    of.crashes.crashed();
    throw crashed(error);
  });
  // A batch that fails before its verdict must not hold up those behind it; they are discarded with it.
  prepared.catch(() => judged.resolve());
  return { verdict: judged.promise, prepared };
}

async function prepare(
  options: ProcessorOptions,
  { spool, window, raw, quarantine }: Place,
  {
    stream,
    crashes,
    turn,
    judged,
  }: { stream: string; crashes: CrashCount; turn: Promise<void>; judged: () => void },
): Promise<PreparedBatch> {
  const { engine } = options;
  await using undecided = new AsyncDisposableStack();
  undecided.use(spool);
  const input: SpoolInput = { path: spool.path, shards: spool.shards, stream };
  const cornered = crashes.cornering ? await corner(options, { spool, input }) : [];
  await using batch = await engine.judge({ ...input, crashed: cornered }, options.limits);
  const identities = await batch.identities();
  await turn;
  const verdict = window.judge(identities);
  judged();
  const preparedAt_ms = options.clock.now();
  const { manifests, types } = await writeEvents(options, { batch, drop: verdict.drop, raw });
  const rejected = await writeRejected(options, { batch, quarantine });
  undecided.use(batch.guard?.move());
  const held = undecided.move();
  return {
    spool,
    manifests,
    types,
    rejected,
    tally: {
      ...emptyTally,
      received: batch.records,
      written: batch.events - verdict.drop.length,
      duplicate: verdict.drop.length,
      quarantined: batch.rejected,
      conflicting: verdict.conflicting,
      stray: spool.stray,
      late: verdict.late,
      bytes: spool.bytes,
    },
    overlay: verdict.overlay,
    preparedAt_ms,
    cornered: cornered.length,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function corner(
  { engine, limits, log, signal }: ProcessorOptions,
  { spool, input }: { spool: Spool; input: SpoolInput },
): Promise<number[]> {
  const cornered = await cornerRows({ engine, limits, spool: input, rows: spool.rows, signal });
  if (cornered.length > 0) {
    log.error(
      'processor.records_cornered',
      'Records on which the engine fails go to quarantine; please report them',
      { records: cornered.length, reason: CRASHED_ENGINE.code },
    );
  }
  return cornered;
}

function crashed(cause: Failure): Failure {
  return new Failure('the engine failed on a batch', {
    code: 'processor.batch_crashed',
    fault: 'ourselves',
    retry: 'refresh',
    why: cause.why ?? cause.message,
    cause,
  });
}

async function writeEvents(
  { lake, log, bounds }: ProcessorOptions,
  { batch, drop, raw }: { batch: JudgedBatch; drop: Int32Array; raw: Table },
): Promise<{ manifests: Manifest[]; types: OwnTypes | undefined }> {
  if (batch.events === drop.length) return { manifests: [], types: undefined };
  const place = await placing({ lake, log }, { table: raw, bounds });
  const written = await batch.writeEvents(drop, place, targetOf(place.table, RAW));
  const files = await storeFiles(lake, { table: place.table, files: written });
  return { manifests: await lake.prepare(place.table, files), types: place.written(files) };
}

async function writeRejected(
  { lake, log, bounds }: ProcessorOptions,
  { batch, quarantine }: { batch: JudgedBatch; quarantine: Table },
) {
  if (batch.rejected === 0) return undefined;
  const place = await placing({ lake, log }, { table: quarantine, bounds });
  const written = await batch.writeRejected(place, targetOf(place.table, QUARANTINE));
  const files = await storeFiles(lake, { table: place.table, files: written });
  const manifests = await lake.prepare(place.table, files);
  return { locations: manifests.map((m) => m.location), rows: batch.rejected };
}
