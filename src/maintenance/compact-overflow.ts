/**
 * Rows of overflow files go to partitions of their own where the bounds of a commit and of types allow it: all of them
 * when all fit, else those of partitions that have gathered enough rows. What stays is brought together like the small
 * files of any partition, and sorted anew. A file is known by its rows only, so the engine is asked for their days and
 * types before anything is planned.
 */
import { Failure } from '../base/base.ts';
import { type Engine, type Spread, storeFiles } from '../engine/engine.ts';
import type { DataFile, Table, TableDefinition } from '../lake/lake.ts';
import { type Placement, placing, SMALL_ROWS } from '../tables/tables.ts';
import { planPartition, type TierRules } from './compaction-plan.ts';
import { commitMaintenance, discard, note, type TableRound } from './table-round.ts';

/** Rows that move for one that is rewritten only because it lies beside them, at least. */
const LEAST_MOVED = 0.1;

export interface Overflow {
  table: Table;
  definition: TableDefinition;
  /** Of the overflow spec, up to the bound of one commit. */
  files: readonly DataFile[];
  tiers: TierRules & { settled: boolean };
  engine: () => Promise<Engine>;
}

export interface OverflowPlan {
  files: readonly DataFile[];
  why: string;
}

/** The table, and whether another look is worth it. */
export async function compactOverflow(
  round: TableRound,
  overflow: Overflow,
): Promise<{ table: Table; again: boolean }> {
  const { options, report } = round;
  const { table, definition, files, tiers } = overflow;
  if (files.length === 0) return { table, again: false };
  const place = await placing(options, { table, bounds: options.bounds });
  const placement: Placement = {
    ...options.bounds,
    types: place.types,
    rowsLeast: SMALL_ROWS,
    overflowMost: Math.max(1, Math.floor(bytesOf(files) / tiers.target_bytes)),
    overflowSpec: async () => files[0]!.specId,
  };
  const engine = await overflow.engine();
  try {
    const spread = await engine.spread({ table: definition, files, placement });
    const plan = planOverflow(files, { spread, tiers });
    if (typeof plan === 'string') {
      report.left.push(plan);
      return { table, again: false };
    }
    if (round.dryRun) {
      note(round, workOf(plan), 'planned');
      return { table, again: false };
    }
    return await rewritten(round, { ...overflow, plan, placement, place, of: engine });
  } catch (error) {
    if (options.signal.aborted) return { table, again: false };
    if (!(error instanceof Failure && error.code.startsWith('engine.'))) throw error;
    for (const file of files) round.avoid.add(file.location);
    const why = error.why ?? error.message;
    options.log.warn('maintenance.not_compacted', 'files of a partition could not be rewritten', {
      ...{ table: table.name, first: files[0]!.location, code: error.code, why },
    });
    report.work.push({ ...workOf({ files, why: 'overflow files' }), result: 'failed', detail: why });
    return { table, again: false };
  }
}

/** Why nothing is to be gained, where nothing is. */
export function planOverflow(
  files: readonly DataFile[],
  { spread: { partitions, own }, tiers }: { spread: Spread; tiers: Overflow['tiers'] },
): OverflowPlan | string {
  const [group] = planPartition(files, tiers);
  if (own.partitions === partitions) {
    // Sooner, each would get a file of its own for the few rows that one commit brought.
    if (group === undefined && !tiers.settled)
      return `${rowsOf(files)} rows of ${partitions} partitions wait in ${files.length} overflow files until ${tiers.minFiles} have gathered, or none came for an hour`;
    return { files, why: `overflow: all ${partitions} partitions fit into one commit` };
  }
  const holding = own.files.map((at) => files[at]!);
  if (own.partitions > 0 && own.rows >= rowsOf(holding) * LEAST_MOVED)
    return {
      files: holding,
      why: `overflow: ${own.partitions} of ${partitions} partitions have rows enough`,
    };
  if (group !== undefined) return { files: group.files, why: `overflow: ${group.why}` };
  return `${rowsOf(files)} rows of ${partitions} partitions stay in ${files.length} overflow files: they are of too few rows each, or of types beyond types.max`;
}

interface Rewriting extends Overflow {
  plan: OverflowPlan;
  placement: Placement;
  place: Awaited<ReturnType<typeof placing>>;
  of: Engine;
}

async function rewritten(
  round: TableRound,
  { table, definition, plan, placement, place, of: engine }: Rewriting,
): Promise<{ table: Table; again: boolean }> {
  const { lake, signal, clock } = round.options;
  const preparedAt_ms = clock.now();
  await using anew = await engine.rewrite({
    ...{ name: table.name, table: definition, files: plan.files, placement, signal },
  });
  // The highest of the rows' own numbers: no consumer reads them again.
  const sequenceNumber = Math.max(...plan.files.map((file) => file.sequenceNumber!));
  const stored = await storeFiles(lake, { table, files: anew.files });
  const files = stored.map((file) => ({ ...file, sequenceNumber }));
  if (signal.aborted) {
    await anew.guard?.disposeAsync();
    await lake.store.delete(files.map((file) => file.location));
    return { table, again: false };
  }
  const manifests = await lake.prepare(table, files);
  const outcome = await commitMaintenance(round, table, {
    change: { operation: 'replace', manifests, remove: plan.files, preparedAt_ms },
    say: { types: place.typesOf(files) },
  });
  note(round, { ...workOf(plan), into: files.length }, outcome);
  await anew.guard?.disposeAsync();
  if (outcome.kind === 'refused') await discard(round, { files, manifests });
  return { table: outcome.table, again: outcome.kind === 'committed' };
}

const workOf = ({ files, why }: OverflowPlan) => ({
  action: 'compact' as const,
  count: files.length,
  rows: rowsOf(files),
  bytes: bytesOf(files),
  why,
});

const rowsOf = (files: readonly DataFile[]) => files.reduce((sum, { recordCount }) => sum + recordCount, 0);
const bytesOf = (files: readonly DataFile[]) => files.reduce((sum, { fileSize }) => sum + fileSize, 0);
