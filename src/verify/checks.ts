import { localPaths } from '../engine/engine.ts';
import { addTally, emptyTally, type Tally, tallyBalances } from '../event/event.ts';
import { ancestors, type Table } from '../lake/lake.ts';
import { openQuery } from '../query/query.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME, snapshotFacts, tableState } from '../tables/tables.ts';
import { recountStream } from './stream.ts';
import type { Check, Finding, Verified, VerifyOptions } from './verify.ts';

/** Collects checks; one that does not hold leaves a finding. */
export class Checklist {
  readonly checks: Check[] = [];
  readonly findings: Finding[] = [];

  equal(code: string, text: string, { expected, found }: { expected: number; found: number }): void {
    this.holds(code, text, { ok: expected === found, expected: figure(expected), found: figure(found) });
  }

  holds(
    code: string,
    text: string,
    { ok, expected, found }: { ok: boolean; expected: string; found: string },
  ): void {
    this.checks.push({ code, text, ok });
    if (!ok) this.findings.push({ code, what: text, expected, found });
  }
}

export async function verifyAll(options: VerifyOptions): Promise<Verified> {
  const { lake, onProgress } = options;
  const list = new Checklist();
  const [raw, staging, quarantine] = await Promise.all(
    [RAW_NAME, STAGING_NAME, QUARANTINE_NAME].map((n) => lake.load(n)),
  );
  if (raw === undefined) return { ...list, ledger: emptyTally, waiting: 0, events: 0, quarantined: 0 };

  onProgress?.('adding up the ledgers');
  const ledger = tableState(raw).ledger;
  for (const table of [raw, quarantine, staging]) if (table) checkLedger(list, table);

  onProgress?.('counting rows');
  const quarantined = await countRows(options, quarantine);
  await checkRows(list, options, raw);
  checkQuarantine(list, { raw, quarantined });
  if (staging) await checkRows(list, options, staging);

  onProgress?.('comparing raw with staging');
  const { waiting, events } = await checkStaging(list, options, { raw, staging });

  if (options.stream) {
    onProgress?.('recounting the stream');
    await recountStream(list, { ...options, raw, quarantine }, options.stream);
  }
  return { ...list, ledger, waiting, events, quarantined };
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

/** Rows in the files themselves, not in their metadata. */
async function countRows({ lake, engine }: Pick<VerifyOptions, 'lake' | 'engine'>, table: Table | undefined) {
  if (table === undefined) return 0;
  const { rows } = await openQuery({ lake, engine }).all(
    `select count(*) filter (where true) as n from ${table.name}`,
  );
  return Number(rows[0]!['n']);
}

async function checkRows(list: Checklist, options: VerifyOptions, table: Table): Promise<void> {
  const { ledger, foreignRows } = tableState(table);
  list.equal(`${table.name}.rows`, `${table.name}: rows = written − removed + foreign`, {
    expected: ledger.written - ledger.removed + ledger.foreign + foreignRows,
    found: await countRows(options, table),
  });
}

/** What raw rejected is in quarantine, or still waits for adoption. */
function checkQuarantine(list: Checklist, { raw, quarantined }: { raw: Table; quarantined: number }): void {
  const { ledger, rejected } = tableState(raw);
  const waiting = rejected.reduce((sum, r) => sum + r.rows, 0);
  list.holds('quarantine.rows', 'quarantine.events: every record that raw rejected', {
    // A manifest stays in the property until a later commit of raw sees it adopted.
    ok: quarantined <= ledger.quarantined && quarantined >= ledger.quarantined - waiting,
    expected: figure(ledger.quarantined),
    found: figure(quarantined),
  });
}

/** Every distinct event_uuid of raw stands in staging exactly once, as far as staging has consumed raw. */
async function checkStaging(
  list: Checklist,
  { lake, engine, deep }: VerifyOptions,
  { raw, staging }: { raw: Table; staging: Table | undefined },
): Promise<{ waiting: number; events: number }> {
  const consumed = staging && tableState(staging).consumed[RAW_NAME];
  const upTo = consumed?.uuid === raw.metadata['table-uuid'] ? consumed.sequenceNumber : -1;
  const rawFiles = (await lake.files(raw)).files;
  const taken = rawFiles.filter((file) => file.sequenceNumber! <= upTo);
  const waiting = rowsOf(rawFiles) - rowsOf(taken);
  const held = staging ? (await lake.files(staging)).files : [];
  const [source, target] = [localPaths(lake, taken), localPaths(lake, held)];
  const found = await engine.compareIdentities(source, target);
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
    found: found.extra,
  });
  if (deep) {
    const { altered } = await engine.compareContents(source, target);
    list.equal('staging.altered', 'staging.events: every document as raw has it', {
      expected: 0,
      found: altered,
    });
  }
  return { waiting, events: rowsOf(held) };
}

const rowsOf = (files: readonly { recordCount: number }[]) =>
  files.reduce((sum, file) => sum + file.recordCount, 0);

export const figure = (n: number): string => n.toLocaleString('en-US');
