/**
 * Quarantine is a consumer of raw: raw's commit names the manifests of what it rejected, and quarantine adds them to
 * itself. Its own commit moves `consumed` by compare-and-swap, so two adopters cannot both add a manifest.
 */
import { storeFiles } from '../engine/engine.ts';
import type { DataFile, Manifest, Table } from '../lake/lake.ts';
import {
  advance,
  type Consumed,
  everAdopted,
  openTable,
  placing,
  QUARANTINE,
  QUARANTINE_NAME,
  RAW_NAME,
  type RejectedManifest,
  readUpTo,
  tableState,
  targetOf,
} from '../tables/tables.ts';
import type { Adopted, AdoptOptions } from './quarantine.ts';

const ARRIVED_AT_ID = 4;

/** Well within the day after which a commit is refused for the age of its files. */
const AS_THEY_ARE_MS = 43_200_000;

export async function adoptRejected(options: AdoptOptions): Promise<Adopted> {
  for (;;) {
    const adopted = await adoptWaiting(options);
    // Else somebody adopted meanwhile: what is left, if anything, is found by looking again.
    if (adopted !== 'refused') return adopted;
  }
}

async function adoptWaiting(options: AdoptOptions): Promise<Adopted | 'refused'> {
  const { lake, writer, newId } = options;
  const raw = await lake.load(RAW_NAME);
  const current = raw?.metadata['current-snapshot-id'];
  if (raw === undefined || current === undefined || current === null) return { upTo: -1, rows: 0 };
  const quarantine = await openTable(lake, QUARANTINE_NAME, { definition: QUARANTINE, writer, newId });
  const from = tableState(quarantine).consumed[RAW_NAME];
  const to: Consumed = {
    uuid: raw.metadata['table-uuid'],
    snapshot: current,
    sequenceNumber: raw.metadata['last-sequence-number'],
  };
  const adopted = readUpTo(raw, from);
  const waiting = tableState(raw).rejected.filter((r) => r.sequenceNumber > adopted);
  if (waiting.length === 0) return { upTo: to.sequenceNumber, rows: 0 };

  const now_ms = options.clock.now();
  const oldest_ms = Math.min(...waiting.map((r) => r.committedAt_ms));
  const first = Math.min(...waiting.map((r) => r.sequenceNumber));
  const wereNeverHere = (base: Table) => first > everAdopted(base, to.uuid);
  const asTheyAre = now_ms - oldest_ms < AS_THEY_ARE_MS && wereNeverHere(quarantine);
  const { manifests, rows, repeated } = await freshManifests(options, { quarantine, waiting, asTheyAre });
  const outcome = await lake.commit(quarantine, {
    commitId: newId(),
    operation: 'append',
    manifests,
    preparedAt_ms: asTheyAre ? oldest_ms : now_ms,
    stage: (base, attempt) =>
      asTheyAre && !wereNeverHere(base)
        ? { refused: 'its manifests were adopted and rolled back meanwhile' }
        : advance(base, attempt, {
            writer,
            consumed: [{ table: RAW_NAME, from, to }],
            adopts: to,
            tally: { received: rows + repeated, written: rows, duplicate: repeated },
          }),
  });
  if (outcome.kind !== 'committed') return 'refused';
  options.log.info('quarantine.adopted', 'records that are no events are in quarantine', { rows });
  return { upTo: to.sequenceNumber, rows };
}

interface Waiting {
  quarantine: Table;
  waiting: readonly RejectedManifest[];
  /**
   * Whether the files may be used. Not those that quarantine may have held before it was rolled back: an expiry of
   * another program may be about to delete them. Nor those that wait for days: to its removal of orphans they are some.
   */
  asTheyAre: boolean;
}

/**
 * The waiting manifests as they are, if they may be. Else their rows are written anew, but for those that stand in
 * quarantine already, by their position in the stream: raw was rolled back and took the same records again.
 */
async function freshManifests(
  { lake, engine, log, bounds }: AdoptOptions,
  { quarantine, waiting, asTheyAre }: Waiting,
): Promise<{ manifests: Manifest[]; rows: number; repeated: number }> {
  const read = await Promise.all(
    waiting.flatMap((r) => r.locations).map((location) => lake.readManifest(quarantine, location)),
  );
  const files = read.flatMap((m) => m.files);
  const held = await overlapping(lake, { quarantine, files });
  const whole = { manifests: read.map((m) => m.manifest), rows: rowsOf(files), repeated: 0 };
  if (asTheyAre && held.length === 0) return whole;

  await using batch = await engine.readRejected(files, held);
  if (asTheyAre && batch.fresh === batch.rows) return whole;
  const place = await placing({ lake, log }, { table: quarantine, bounds });
  const written = await batch.writeFresh(place, targetOf(place.table, QUARANTINE));
  const kept = await storeFiles(lake, { table: place.table, files: written });
  return {
    manifests: kept.length === 0 ? [] : await lake.prepare(place.table, kept),
    rows: batch.fresh,
    repeated: batch.rows - batch.fresh,
  };
}

/** Files of quarantine that hold records of the same arrival times; records that went on in time overlap none. */
async function overlapping(
  lake: AdoptOptions['lake'],
  { quarantine, files }: { quarantine: Table; files: readonly DataFile[] },
): Promise<DataFile[]> {
  const times = files.flatMap((f) => [f.lowerBounds.get(ARRIVED_AT_ID), f.upperBounds.get(ARRIVED_AT_ID)]);
  const known = times.filter((t): t is bigint => typeof t === 'bigint').sort((a, b) => (a < b ? -1 : 1));
  if (known.length === 0) return [];
  const where = [{ column: 'arrived_at', id: ARRIVED_AT_ID, min: known[0]!, max: known.at(-1)! }];
  return (await lake.files(quarantine, { where })).files;
}

const rowsOf = (files: readonly DataFile[]) => files.reduce((sum, file) => sum + file.recordCount, 0);
