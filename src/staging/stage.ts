import { backoff } from '../base/base.ts';
import { type RawBatch, storeFiles } from '../engine/engine.ts';
import { IdentitySet } from '../event/event.ts';
import type { Table } from '../lake/lake.ts';
import {
  advance,
  openTable,
  placing,
  RAW_NAME,
  STAGING,
  STAGING_NAME,
  tableState,
  targetOf,
} from '../tables/tables.ts';
import { askTheTable, type IdentityIndex } from './identity-index.ts';
import { ReadAhead, type ReadPortion, readPortion } from './read-ahead.ts';
import type { StagingCommit, StagingOptions } from './staging.ts';

export async function stageAll(given: StagingOptions): Promise<StagingCommit & { commits: number }> {
  const options = { ...given, index: given.index ?? askTheTable(given), ahead: new ReadAhead(given) };
  try {
    return await stagePortions(options);
  } finally {
    await options.ahead.letGo();
  }
}

async function stagePortions(options: Options): Promise<StagingCommit & { commits: number }> {
  const total = { received: 0, written: 0, duplicate: 0, commits: 0 };
  for (let refusals = 0; !options.signal.aborted; ) {
    const commit = await stageNext(options);
    if (commit === 'nothing') break;
    if (commit === 'refused') {
      // Another stager was faster, or staging changed: judge again on the new base.
      await options.clock.sleep(
        backoff(refusals++, { first_ms: 20, most_ms: 5_000, random: options.random }),
        options.signal,
      );
      continue;
    }
    refusals = 0;
    const { tally, more } = commit;
    total.received += tally.received;
    total.written += tally.written;
    total.duplicate += tally.duplicate;
    total.commits++;
    options.onCommit?.(tally);
    // What raw gained meanwhile is the next call's: asking history for every few rows would cost more than the rows.
    if (!more) break;
  }
  return total;
}

type Options = StagingOptions & { index: IdentityIndex; ahead: ReadAhead };
type Staged = { tally: StagingCommit; more: boolean };

async function stageNext(options: Options): Promise<Staged | 'nothing' | 'refused'> {
  const { lake, writer, newId } = options;
  const raw = await lake.load(RAW_NAME);
  if (raw === undefined) return 'nothing';
  const staging = await openTable(lake, STAGING_NAME, { definition: STAGING, writer, newId });
  const from = tableState(staging).consumed[RAW_NAME];
  const read = (await options.ahead.take(from)) ?? (await readPortion(options, { raw, consumed: from }));
  if (read === undefined) return 'nothing';
  const { portion } = read;

  const preparedAt_ms = options.clock.now();
  await using undecided = new AsyncDisposableStack();
  const { manifests, dropped, tally, types } = await writePortion(options, { raw, staging, read, undecided });
  const outcome = await lake.commit(staging, {
    commitId: newId(),
    operation: 'append',
    manifests,
    preparedAt_ms,
    stage: (base, attempt) =>
      advance(base, attempt, {
        writer,
        judged: {
          uuid: staging.metadata['table-uuid'],
          snapshot: staging.metadata['current-snapshot-id']!,
          survives: 'replaces',
        },
        consumed: [{ table: RAW_NAME, from, to: portion.to }],
        tally,
        ...(types && { types }),
      }),
  });
  if (outcome.kind === 'committed') {
    options.index.committed({
      staging: outcome.table,
      snapshot: outcome.snapshot,
      batch: read.batch,
      dropped,
    });
    return { tally, more: portion.more };
  }
  options.log.info('staging.refused', 'staging changed meanwhile; judging again', { why: outcome.why });
  return 'refused';
}

interface Portioned {
  raw: Table;
  staging: Table;
  read: ReadPortion;
  /** Gone once the commit of the portion is decided, either way. */
  undecided: AsyncDisposableStack;
}

async function writePortion(options: Options, { raw, staging, read, undecided }: Portioned) {
  const { portion } = read;
  await using batch = read.batch;
  const { lake, log, bounds } = options;
  const { drop, conflicting } = await repeats(options.index, { staging, batch });
  const place = await placing({ lake, log }, { table: staging, bounds });
  const sorted =
    drop.length === batch.rows ? [] : await batch.writeSorted(drop, place, targetOf(place.table, STAGING));
  if (portion.more) options.ahead.begin(raw, portion.to);
  const { table } = place;
  const files = sorted.length === 0 ? [] : await storeFiles(lake, { table, files: sorted });
  const written = batch.rows - drop.length;
  undecided.use(batch.guard?.move());
  return {
    manifests: files.length === 0 ? [] : await lake.prepare(table, files),
    types: files.length === 0 ? undefined : place.written(files),
    dropped: drop,
    tally: { received: batch.rows, written, duplicate: drop.length, conflicting },
  };
}

/** Rows that staging holds already, and all but the first of equals within the batch. */
async function repeats(index: IdentityIndex, { staging, batch }: { staging: Table; batch: RawBatch }) {
  const drop = new Set(await index.heldBy(staging, batch));
  const repeated = await batch.repeated();
  const seen = new IdentitySet(repeated.count);
  let conflicting = 0;
  for (let i = 0; i < repeated.count; i++) {
    const content = repeated.contents[i]!;
    if (seen.add(repeated.keys, i, content)) continue;
    if (seen.contentOf(repeated.keys, i) !== content) conflicting++;
    drop.add(repeated.rows[i]!);
  }
  return { drop: Int32Array.from(drop), conflicting };
}
