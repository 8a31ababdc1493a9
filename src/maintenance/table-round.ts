/** What one round over one table works on; the steps of the round are functions over it. */
import type { Change, CommitOutcome, DataFile, Manifest, Table } from '../lake/lake.ts';
import { type Advance, advance, QUARANTINE_NAME, RAW_NAME, readUpTo } from '../tables/tables.ts';
import type { Consumer } from './consumers.ts';
import type { MaintenanceOptions, TableReport, Work } from './maintenance.ts';

export interface TableRound {
  options: MaintenanceOptions;
  consumers: readonly Consumer[];
  dryRun: boolean;
  report: TableReport;
  /** Files whose rewriting failed lately; left alone until the caller clears it. */
  avoid: Set<string>;
}

type Parts = Partial<Omit<Change, 'commitId' | 'stage'>> & Pick<Change, 'operation'>;

/** With our keys, so that the stamp goes along and foreign rows are entered. */
export function commitMaintenance(
  { options, consumers }: TableRound,
  table: Table,
  { change, say = {} }: { change: Parts; say?: Partial<Advance> },
): Promise<CommitOutcome> {
  // Consumers are those of the round's own table.
  const adopter = consumers.find((each) => each.table === QUARANTINE_NAME);
  return options.lake.commit(table, {
    commitId: options.newId(),
    manifests: [],
    ...change,
    stage: (base, attempt) =>
      advance(base, attempt, {
        writer: options.writer,
        // What is adopted is let go of before the history that shows it is.
        ...(table.name === RAW_NAME && adopter && { adoptedUpTo: readUpTo(base, adopter.at) }),
        ...say,
      }),
  });
}

/** With `gc.enabled` set to false, another table may use this one's files: no snapshot goes, and no file. */
export function collectsGarbage({ report }: TableRound, { metadata }: Table): boolean {
  if (metadata.properties['gc.enabled'] !== 'false') return true;
  const why = 'no snapshot is expired and no file removed: the table property gc.enabled is false';
  if (!report.left.includes(why)) report.left.push(why);
  return false;
}

/** What was written for a commit that certainly did not happen. */
export async function discard(
  { options: { lake } }: TableRound,
  { files, manifests }: { files: readonly DataFile[]; manifests: readonly Manifest[] },
): Promise<void> {
  await lake.store.delete([...files, ...manifests].map((each) => each.location));
}

/** Notes the work, and what became of it. */
export function note(
  { report }: TableRound,
  work: Omit<Work, 'result'>,
  outcome: CommitOutcome | 'planned' | 'done',
): void {
  if (typeof outcome === 'string') report.work.push({ ...work, result: outcome });
  else if (outcome.kind === 'committed') report.work.push({ ...work, result: 'done' });
  else report.work.push({ ...work, result: 'overtaken', detail: outcome.why });
}
