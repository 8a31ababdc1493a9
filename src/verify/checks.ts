import { addTally, emptyTally, type Tally, tallyBalances } from '../event/event.ts';
import { ancestors, type DataFile, type Table } from '../lake/lake.ts';
import {
  type Consumed,
  CREATED_DATETIME_ID,
  droppedBefore,
  type Expired,
  QUARANTINE_NAME,
  RAW_NAME,
  STAGING_NAME,
  snapshotFacts,
  tableState,
} from '../tables/tables.ts';
import { Checklist, figure } from './checklist.ts';
import { crashedRecords } from './crashed.ts';
import { checkFiles, checkPages, type ReadFiles } from './files.ts';
import { recountStream } from './stream.ts';
import type { Verified, VerifyOptions } from './verify.ts';

const NONE: ReadFiles = { files: [], rows: 0 };
const NOTHING = { waiting: 0, events: 0, quarantined: 0, expired: [] };

export async function verifyAll(options: VerifyOptions): Promise<Verified> {
  const { lake, onProgress } = options;
  const list = new Checklist();
  // Raw last: what consumes it may stand behind the raw that it is compared with, never ahead of it.
  const [staging, quarantine] = await Promise.all([lake.load(STAGING_NAME), lake.load(QUARANTINE_NAME)]);
  const raw = await lake.load(RAW_NAME);
  if (raw === undefined) return { ...list, ledger: emptyTally, ...NOTHING };

  onProgress?.('adding up the ledgers');
  const ledger = tableState(raw).ledger;
  for (const table of [raw, quarantine, staging]) if (table) checkLedger(list, table);

  onProgress?.('counting rows');
  const rejected = quarantine ? await checkFiles(list, options, quarantine) : NONE;
  const received = await checkFiles(list, options, raw);
  const staged = staging ? await checkFiles(list, options, staging) : NONE;
  checkRows(list, { table: raw, found: received.rows });
  checkQuarantine(list, { raw, quarantine, quarantined: rejected.rows });
  if (staging) checkRows(list, { table: staging, found: staged.rows });

  onProgress?.('comparing raw with staging');
  const { waiting, damaged } = await checkStaging(list, options, { raw, received, staging, staged });

  if (options.stream) {
    onProgress?.('recounting the stream');
    // Of days that raw.retention dropped, staging is the witness.
    const held = [...received.files, ...onlyStaged(raw, staged)].filter((file) => !damaged.has(file));
    const crashed = await crashedRecords(options, { raw, quarantine, files: rejected.files });
    await recountStream(list, { ...options, raw, held, crashed }, options.stream);
  }
  const figures = { ledger, waiting, events: staged.rows, quarantined: rejected.rows };
  return { ...list, ...figures, expired: expiredUnread(raw) };
}

function checkLedger(list: Checklist, table: Table): void {
  const { ledger } = tableState(table);
  list.holds(`${table.name}.ledger`, `${table.name}: received = written + duplicate + quarantined`, {
    ok: tallyBalances(ledger),
    expected: figure(ledger.received),
    found: `${figure(ledger.written)} + ${figure(ledger.duplicate)} + ${figure(ledger.quarantined)}`,
  });
  const line = ancestors(table.metadata, table.metadata['current-snapshot-id']!);
  if (line.broken) return;
  const added = line.snapshots.reduce((sum, s) => addTally(sum, snapshotFacts(s)?.ledger ?? {}), emptyTally);
  const keys = (Object.keys(added) as (keyof Tally)[]).filter((key) => added[key] !== ledger[key]);
  list.holds(`${table.name}.snapshots`, `${table.name}: the snapshots add up to the ledger`, {
    ok: keys.length === 0,
    expected: keys.map((key) => `${key} ${figure(ledger[key])}`).join(', '),
    found: keys.map((key) => `${key} ${figure(added[key])}`).join(', '),
  });
}

/** Oldest first. */
function expiredUnread({ metadata }: Table): Expired[] {
  const { snapshots } = ancestors(metadata, metadata['current-snapshot-id']!);
  return snapshots.flatMap((snapshot) => snapshotFacts(snapshot)?.expired ?? []).reverse();
}

function checkRows(list: Checklist, { table, found }: { table: Table; found: number }): void {
  const { ledger, foreignRows } = tableState(table);
  list.equal(`${table.name}.rows`, `${table.name}: rows = written − removed + foreign`, {
    expected: ledger.written - ledger.removed + ledger.foreign + foreignRows,
    found,
  });
}

/** What raw rejected is in quarantine, but for what was committed since quarantine last adopted from raw. */
function checkQuarantine(
  list: Checklist,
  { raw, quarantine, quarantined }: { raw: Table; quarantine: Table | undefined; quarantined: number },
): void {
  const { ledger } = tableState(raw);
  const consumed = quarantine && tableState(quarantine).consumed[RAW_NAME];
  const { waiting, rolledBack } = rejectedSince(raw, consumed);
  const expected = ledger.quarantined - waiting;
  list.holds('quarantine.rows', 'quarantine.events: every record that raw rejected', {
    // Raw that was rolled back takes the records again; quarantine keeps those that it has.
    ok: rolledBack ? quarantined >= expected : quarantined === expected,
    expected: figure(expected),
    found: figure(quarantined),
  });
}

function rejectedSince(raw: Table, consumed: Consumed | undefined): { waiting: number; rolledBack: boolean } {
  if (consumed?.uuid !== raw.metadata['table-uuid']) {
    return { waiting: tableState(raw).ledger.quarantined, rolledBack: false };
  }
  const { snapshots, broken } = ancestors(raw.metadata, raw.metadata['current-snapshot-id']!);
  const since = snapshots.filter((s) => s['sequence-number'] > consumed.sequenceNumber);
  return {
    waiting: since.reduce((sum, s) => sum + (snapshotFacts(s)?.ledger.quarantined ?? 0), 0),
    rolledBack: !broken && !snapshots.some((s) => s['snapshot-id'] === consumed.snapshot),
  };
}

/**
 * Every distinct event_uuid of raw stands in staging exactly once, as far as staging has consumed raw; `waiting` are the
 * rows that it has not consumed.
 */
async function checkStaging(
  list: Checklist,
  options: VerifyOptions,
  {
    raw,
    received,
    staging,
    staged,
  }: { raw: Table; received: ReadFiles; staging: Table | undefined; staged: ReadFiles },
): Promise<{ waiting: number; damaged: ReadonlySet<DataFile> }> {
  const consumed = staging && tableState(staging).consumed[RAW_NAME];
  const upTo = consumed?.uuid === raw.metadata['table-uuid'] ? consumed.sequenceNumber : -1;
  const taken = received.files.filter((file) => file.sequenceNumber! <= upTo);
  const waiting = rowsOf(received.files) - rowsOf(taken);
  try {
    const gone = new Set(onlyStaged(raw, staged));
    await compareRows(list, options, {
      source: taken,
      target: staged.files,
      comparable: staged.files.filter((file) => !gone.has(file)),
    });
    return { waiting, damaged: new Set() };
  } catch (error) {
    const damaged = await checkPages(list, options, [...taken, ...staged.files]);
    if (damaged.size === 0) throw error;
    return { waiting, damaged };
  }
}

async function compareRows(
  list: Checklist,
  { engine, deep }: VerifyOptions,
  {
    source,
    target,
    comparable,
  }: { source: readonly DataFile[]; target: readonly DataFile[]; comparable: readonly DataFile[] },
): Promise<void> {
  const found = await engine.compareIdentities(source, target);
  const { extra } =
    comparable.length === target.length ? found : await engine.compareIdentities(source, comparable);
  list.equal('staging.repeats', 'staging.events: no event_uuid stands twice', {
    expected: 0,
    found: found.repeated,
  });
  list.equal('staging.missing', 'staging.events: every event_uuid of raw', {
    expected: 0,
    found: found.missing,
  });
  // Raw that was rolled back or trimmed by an operator leaves its events in staging: more is no loss, but is said.
  list.equal('staging.extra', 'staging.events: nothing that raw does not hold', {
    expected: 0,
    found: extra,
  });
  if (deep) {
    const { altered } = await engine.compareContents(source, comparable);
    list.equal('staging.altered', 'staging.events: every document as raw has it', {
      expected: 0,
      found: altered,
    });
  }
}

/** Files of staging whose days may be gone from raw on purpose. */
function onlyStaged(raw: Table, staged: ReadFiles): DataFile[] {
  const before = droppedBefore(raw);
  if (before === undefined) return [];
  return staged.files.filter((file) => firstDay(file) < before);
}

/** The oldest day of a file's rows: its partition says it, or the bound of the column that days are of. */
function firstDay({ specId, partition: [day], lowerBounds }: DataFile): number {
  const first = specId === 0 ? undefined : lowerBounds.get(CREATED_DATETIME_ID);
  return typeof first === 'bigint' ? Math.floor(Number(first) / 86_400_000_000) : Number(day);
}

const rowsOf = (files: readonly { recordCount: number }[]) =>
  files.reduce((sum, file) => sum + file.recordCount, 0);
