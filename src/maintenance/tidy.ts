/** Fewer manifests and snapshots, in one commit; then what only the expired snapshots needed is deleted. */
import { currentSnapshot, type Table } from '../lake/lake.ts';
import { isReader } from './consumers.ts';
import { expirable, withProperties } from './expiry-plan.ts';
import { namedByRaw } from './named-by-raw.ts';
import { collectsGarbage, commitMaintenance, note, type TableRound } from './table-round.ts';

/** So many manifests more than the files need: every reader and every commit goes through them all. */
const MANIFESTS_MOST = 50;
/** As many files as the lake puts into one manifest. */
const FILES_A_MANIFEST = 10_000;
/** Expired together, so that expiry does not itself make a snapshot for each that goes. */
export const EXPIRED_LEAST = 10;

export async function tidy(round: TableRound, table: Table): Promise<Table> {
  const { lake } = round.options;
  const expire = collectsGarbage(round, table) ? toExpire(round, table) : [];
  const listed = await manifestsOf(round, table);
  const needless = listed - Math.ceil(totalFiles(table) / FILES_A_MANIFEST);
  const { properties } = table.metadata;
  const merging =
    properties['commit.manifest-merge.enabled'] !== 'false' &&
    needless >= wholeOr(properties['commit.manifest.min-count-to-merge'], MANIFESTS_MOST);
  const expiry = {
    action: 'expire snapshots' as const,
    count: expire.length,
    into: table.metadata.snapshots.length - expire.length,
    why: 'older than maintenance.keepSnapshots, or more than maintenance.maxSnapshots',
  };
  const merger = {
    action: 'merge manifests' as const,
    count: listed,
    why: `${needless} more than its files need`,
  };
  if (round.dryRun) {
    if (merging) note(round, merger, 'planned');
    if (expire.length > 0) note(round, expiry, 'planned');
    return table;
  }
  const preparedAt_ms = round.options.clock.now();
  const merge = merging ? await lake.mergeManifests(table) : undefined;
  if (expire.length === 0 && merge === undefined) return table;

  const outcome = await commitMaintenance(round, table, {
    change: { operation: 'replace', expire, ...(merge && { merge, preparedAt_ms }) },
  });
  if (merge) note(round, { ...merger, into: listed - merge.from.length + merge.to.length }, outcome);
  if (outcome.kind === 'refused' && merge) await lake.store.delete(merge.to.map(({ location }) => location));
  if (expire.length > 0) {
    const deleted =
      outcome.kind === 'committed'
        ? await lake.deleteExpired({
            before: table,
            after: outcome.table,
            keepManifests: await namedByRaw(lake, table),
          })
        : undefined;
    note(
      round,
      { ...expiry, ...(deleted && { why: `${expiry.why}; ${deleted.files} files deleted` }) },
      outcome,
    );
  }
  return outcome.table;
}

const wholeOr = (text: string | undefined, otherwise: number): number =>
  /^\d{1,9}$/.test(text ?? '') ? Math.max(1, Number(text)) : otherwise;

function toExpire({ options, consumers }: TableRound, table: Table): bigint[] {
  const { rules, clock } = options;
  const { keepSnapshots_ms: keep_ms, snapshotsLeast: least, snapshotsMost: most } = rules;
  const now_ms = clock.now();
  const { metadata } = table;
  const waitedFor = consumers.filter((each) => each.lag_ms <= rules.consumerLagMost_ms);
  const isLate = (id: bigint) => {
    const named = metadata.snapshots.find((snapshot) => snapshot['snapshot-id'] === id);
    return named !== undefined && now_ms - named['timestamp-ms'] > rules.consumerLagMost_ms;
  };
  const some = expirable(
    metadata,
    withProperties(metadata, {
      now_ms,
      keep_ms,
      least,
      most,
      needed: waitedFor.filter((each) => isReader(table, each)).map((each) => each.at.snapshot),
      alsoKept: consumers
        .filter((each) => !isReader(table, each) && !isLate(each.at.snapshot))
        .map((each) => each.at.snapshot),
    }),
  );
  const kept = metadata.snapshots.length - some.length;
  return some.length >= Math.max(EXPIRED_LEAST, kept / 10) ? some : [];
}

/** Without opening any of them. */
async function manifestsOf({ options: { lake } }: TableRound, table: Table): Promise<number> {
  const afterSequenceNumber = table.metadata['last-sequence-number'];
  return (await lake.files(table, { afterSequenceNumber })).manifests.listed;
}

const totalFiles = ({ metadata }: Table) =>
  Number(currentSnapshot(metadata)?.summary['total-data-files'] ?? 0);
