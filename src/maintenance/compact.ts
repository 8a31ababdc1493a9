/**
 * Compaction: small files of a partition become one, with the same rows and the highest data sequence number of the
 * old ones, so that no consumer reads them again. It adds and removes only files that it has read, so appends do not
 * disturb it; a file that somebody else removed meanwhile makes the commit void, and the new files go.
 */
import { Failure } from '../base/base.ts';
import { type Engine, storeFiles } from '../engine/engine.ts';
import {
  currentSnapshot,
  type DataFile,
  type Manifest,
  type Table,
  type TableDefinition,
} from '../lake/lake.ts';
import { TABLES } from '../tables/tables.ts';
import { type Group, planPartition } from './compaction-plan.ts';
import { compactUpTo } from './consumers.ts';
import { commitMaintenance, note, type TableRound } from './table-round.ts';

/** Bounds of one commit: what a conflict can make void, and what its manifests name. */
const COMMIT_FILES = 2_000;
const COMMIT_BYTES = 1_000_000_000;
/** Files that one statement reads. */
const GROUP_FILES = 500;
/** About a kilobyte each is held while a round is planned. */
const PLANNED_FILES = 100_000;
/** Of a larger table: days that are older were brought together long ago, but for what came late. */
const PLANNED_MS = 35 * 86_400_000;
/** A partition to which nothing came for so long is settled. */
export const SETTLED_MS = 3_600_000;

type Groups = Group<DataFile>[];

export async function compact(round: TableRound, table: Table): Promise<Table> {
  const { options, dryRun, report } = round;
  const definition = TABLES[table.name];
  const foreign = definition && shapeDiffers(table, definition);
  if (definition === undefined || foreign !== undefined) {
    if (foreign !== undefined) report.left.push(`no file is compacted: ${foreign}`);
    return table;
  }
  const files = await filesToPlan(round, { table, definition });
  const commits = batches(planGroups(round, table, files), options.rules.roundMost_bytes);
  if (commits.length === 0) return table;
  if (dryRun) {
    for (const groups of commits) note(round, workOf(groups), 'planned');
    return table;
  }
  const of = commits.flat().reduce((sum, group) => sum + group.files.length, 0);
  const progress = { files: 0, of };
  const engine = await options.openEngine();
  let now = table;
  try {
    for (const groups of commits) {
      if (options.signal.aborted) break;
      now = await compactTogether(round, { table: now, definition, engine, groups, progress });
    }
  } finally {
    await engine.close();
  }
  return now;
}

/** All of them, unless they would be too many to hold: then those of the days that are still changing. */
async function filesToPlan(
  { options, report }: TableRound,
  { table, definition }: { table: Table; definition: TableDefinition },
): Promise<readonly DataFile[]> {
  const total = Number(currentSnapshot(table.metadata)?.summary['total-data-files'] ?? 0);
  if (total <= (options.rules.plannedMost ?? PLANNED_FILES)) return (await options.lake.files(table)).files;
  const day = definition.partition.find(({ transform }) => transform === 'day');
  const column = definition.schema.fields.find(({ id }) => id === day?.source)!.name;
  const min = BigInt(options.clock.now() - PLANNED_MS) * 1000n;
  report.left.push(`of ${total} files only those of the last ${PLANNED_MS / 86_400_000} days were looked at`);
  return (await options.lake.files(table, { where: [{ column, min }] })).files;
}

function planGroups(round: TableRound, table: Table, files: readonly DataFile[]): Groups {
  const { options, consumers, avoid, report } = round;
  const { rules, clock } = options;
  const upTo = compactUpTo(table, { consumers, lagMost_ms: rules.consumerLagMost_ms });
  const settledBefore_ms = clock.now() - SETTLED_MS;
  const youngSnapshots = new Set(
    table.metadata.snapshots
      .filter((snapshot) => snapshot['timestamp-ms'] > settledBefore_ms)
      .map((snapshot) => snapshot['snapshot-id']),
  );
  // The overflow spec's files have no partition of their own to be brought together in.
  const ours = files.filter((file) => file.specId === 0 && !avoid.has(file.location));
  const eligible = ours.filter((file) => file.sequenceNumber! <= upTo);
  if (eligible.length < ours.length)
    report.left.push(`${ours.length - eligible.length} files wait until their consumers have read them`);
  const tiers = {
    target_bytes: rules.targetFileSize_bytes,
    minFiles: rules.minFiles,
    groupMost: GROUP_FILES,
  };
  const partitions = Map.groupBy(eligible, ({ partition }) => JSON.stringify(partition));
  return [...partitions.values()]
    .flatMap((ofOne) => {
      const settled = !ofOne.some((file) => youngSnapshots.has(file.snapshotId!));
      return planPartition(ofOne, { ...tiers, settled });
    })
    .toSorted((a, b) => b.files.length - a.files.length);
}

/** What one commit takes, up to the bound of the round; a group larger than a bound still goes alone. */
function batches(groups: Groups, roundMost_bytes: number): Groups[] {
  const commits: Groups[] = [];
  let open: Groups = [];
  let all_bytes = 0;
  for (const group of groups) {
    const bytes = bytesOf([group]);
    if (all_bytes > 0 && all_bytes + bytes > roundMost_bytes) continue;
    all_bytes += bytes;
    const fits = filesOf(open) + group.files.length <= COMMIT_FILES && bytesOf(open) + bytes <= COMMIT_BYTES;
    if (open.length > 0 && !fits) {
      commits.push(open);
      open = [];
    }
    open.push(group);
  }
  return open.length > 0 ? [...commits, open] : commits;
}

interface Together {
  table: Table;
  definition: TableDefinition;
  engine: Engine;
  groups: Groups;
  progress: { files: number; of: number };
}

async function compactTogether(round: TableRound, { table, groups, ...with_ }: Together): Promise<Table> {
  const { options } = round;
  const { lake } = options;
  const preparedAt_ms = options.clock.now();
  const done: Groups = [];
  const files: DataFile[] = [];
  for (const group of groups) {
    if (options.signal.aborted) break;
    const written = await rewritten(round, { table, group, ...with_ });
    with_.progress.files += group.files.length;
    options.onProgress?.({ table: table.name, ...with_.progress });
    if (written === undefined) continue;
    files.push(...written);
    done.push(group);
  }
  // What was rewritten until then is worth a commit, unless nobody waits for its end.
  if (done.length === 0 || options.signal.aborted) {
    await lake.store.delete(files.map((file) => file.location));
    return table;
  }
  const manifests = await lake.prepare(table, files);
  const remove = done.flatMap((group) => group.files);
  const outcome = await commitMaintenance(round, table, {
    change: { operation: 'replace', manifests, remove, preparedAt_ms },
  });
  note(round, { ...workOf(done), into: files.length }, outcome);
  if (outcome.kind === 'refused') await discard(round, files, manifests);
  return outcome.table;
}

/** Undefined for a group that cannot be rewritten: the others go on without it. */
async function rewritten(
  round: TableRound,
  { table, group, definition, engine }: Omit<Together, 'groups'> & { group: Group<DataFile> },
): Promise<DataFile[] | undefined> {
  const { lake, signal, log } = round.options;
  const inOrder = group.files.toSorted(
    (a, b) => a.sequenceNumber! - b.sequenceNumber! || (a.location < b.location ? -1 : 1),
  );
  try {
    const { files, dispose } = await engine.rewrite({
      table: definition,
      files: inOrder,
      partition: inOrder[0]!.partition,
      signal,
    });
    try {
      const sequenceNumber = inOrder.at(-1)!.sequenceNumber!;
      return (await storeFiles(lake, { table, files })).map((file) => ({ ...file, sequenceNumber }));
    } finally {
      await dispose();
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!(error instanceof Failure && error.code.startsWith('engine.'))) throw error;
    for (const file of group.files) round.avoid.add(file.location);
    const why = error.why ?? error.message;
    log.warn('maintenance.not_compacted', 'files of a partition could not be rewritten', {
      table: table.name,
      first: group.files[0]!.location,
      code: error.code,
      why,
    });
    round.report.work.push({ ...workOf([group]), result: 'failed', detail: why });
    return undefined;
  }
}

/** The commit certainly did not happen. */
async function discard(
  { options: { lake } }: TableRound,
  files: readonly DataFile[],
  manifests: readonly Manifest[],
): Promise<void> {
  await lake.store.delete([...files, ...manifests].map((each) => each.location));
}

function workOf(groups: Groups) {
  const rows = groups.flatMap((group) => group.files).reduce((sum, file) => sum + file.recordCount, 0);
  const whys = new Set(groups.map((group) => group.why));
  return {
    action: 'compact' as const,
    count: filesOf(groups),
    into: groups.length,
    rows,
    bytes: bytesOf(groups),
    why: `partitions with ${whys.has('many small files') ? 'many small files' : 'small files and nothing new'}`,
  };
}

const filesOf = (groups: Groups) => groups.reduce((sum, group) => sum + group.files.length, 0);
const bytesOf = (groups: Groups) =>
  groups.reduce((sum, group) => sum + group.files.reduce((of, file) => of + file.fileSize, 0), 0);

/** Why files of this table cannot be written anew without losing something; undefined when they can. */
function shapeDiffers({ metadata }: Table, definition: TableDefinition): string | undefined {
  const schema = metadata.schemas.find((each) => each['schema-id'] === metadata['current-schema-id']);
  const columns = (fields: readonly { id: number; name: string; type: unknown }[]) =>
    fields.map(({ id, name, type }) => `${id} ${name} ${String(type)}`).join(', ');
  if (columns(schema?.fields ?? []) !== columns(definition.schema.fields))
    return 'another program changed its columns';
  const spec = metadata['partition-specs'].find((each) => each['spec-id'] === 0);
  const parts = (spec?.fields ?? []).map((field) => `${field['source-id']} ${field.transform}`);
  return parts.join() === definition.partition.map((field) => `${field.source} ${field.transform}`).join()
    ? undefined
    : 'another program changed its partitions';
}
