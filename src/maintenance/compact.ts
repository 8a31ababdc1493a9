/**
 * Compaction: small files of a partition become one, with the same rows and the highest data sequence number of the
 * old ones, so that no consumer reads them again. It adds and removes only files that it has read, so appends do not
 * disturb it; a file that somebody else removed meanwhile makes the commit void, and the new files go.
 */
import { Failure } from '../base/base.ts';
import { type Engine, isWritten, storeFiles } from '../engine/engine.ts';
import {
  currentFields,
  currentSnapshot,
  type DataFile,
  type Table,
  type TableDefinition,
} from '../lake/lake.ts';
import { TABLES } from '../tables/tables.ts';
import { compactOverflow } from './compact-overflow.ts';
import { type Group, planPartition } from './compaction-plan.ts';
import { compactUpTo } from './consumers.ts';
import { martDefinition } from './mart-definition.ts';
import { commitMaintenance, discard, note, type TableRound } from './table-round.ts';

/** Bounds of one commit: what a conflict can make void, and what its manifests name. */
const COMMIT_FILES = 2_000;
const COMMIT_BYTES = 1_000_000_000;
/** Files that one statement reads. */
const GROUP_FILES = 500;
/** About a kilobyte each is held while a round is planned. */
const PLANNED_FILES = 100_000;
/** Of a larger table: days that are older were brought together long ago, but for what came late. */
const PLANNED_MS = 35 * 86_400_000;
const PLANNED_COMMITS = 1_000;
/** A partition to which nothing came for so long is settled. */
export const SETTLED_MS = 3_600_000;

type Groups = Group<DataFile>[];

export async function compact(round: TableRound, table: Table): Promise<Table> {
  const { options, dryRun, report } = round;
  const created = TABLES[table.name] ?? martDefinition(table);
  const foreign = shapeDiffers(table, created);
  if (foreign !== undefined) {
    report.left.push(`no file is compacted: ${foreign}`);
    return table;
  }
  // All columns that the table has, also those of other programs, under the names that they have now.
  const { properties } = table.metadata;
  const definition = { ...created, properties, schema: { fields: currentFields(table.metadata) } };
  const files = await filesToPlan(round, { table, definition });
  const planning = plannable(round, table, files);
  const commits = batches(planGroups(round, table, planning), options.rules.roundMost_bytes);
  if (dryRun) for (const groups of commits) note(round, workOf(groups), 'planned');
  const engine = opened(options.openEngine);
  try {
    let now = dryRun ? table : await compactEach(round, { table, definition, engine: engine.get, commits });
    let overflow = planning.overflow;
    for (let bytes = bytesIn(commits.flat()); ; ) {
      const some = within(overflow, options.rules.roundMost_bytes - bytes);
      bytes += bytesOf(some);
      const { again, ...step } = await compactOverflow(round, {
        ...{ table: now, definition, files: some, engine: engine.get },
        tiers: { ...tiersOf(options, table), settled: planning.isSettled(some) },
      });
      now = step.table;
      if (!again || options.signal.aborted) return now;
      const next = await filesToPlan(round, { table: now, definition });
      overflow = plannable(round, now, next).overflow;
    }
  } finally {
    await engine.close();
  }
}

/** Opened when it is first needed. */
function opened(open: () => Promise<Engine>) {
  let engine: Promise<Engine> | undefined;
  return {
    get: () => (engine ??= open()),
    close: async () => (await engine)?.close(),
  };
}

interface All {
  table: Table;
  definition: TableDefinition;
  engine: () => Promise<Engine>;
  commits: readonly Groups[];
}

async function compactEach(round: TableRound, { table, commits, ...with_ }: All): Promise<Table> {
  const of = commits.flat().reduce((sum, group) => sum + group.files.length, 0);
  const progress = { files: 0, of };
  let now = table;
  for (const groups of commits) {
    if (round.options.signal.aborted) break;
    const engine = await with_.engine();
    now = await compactTogether(round, { ...with_, table: now, engine, groups, progress });
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
  const since_ms = options.clock.now() - PLANNED_MS;
  report.left.push(`of ${total} files only those of the last ${PLANNED_MS / 86_400_000} days were looked at`);
  return (await options.lake.files(table, filesSince(definition, since_ms, table))).files;
}

/** By the days that partition the table; where none do, by the last commits. */
function filesSince(definition: TableDefinition, since_ms: number, { metadata }: Table) {
  const days = definition.schema.fields.find(({ id }) => id === definition.partition[0]?.source);
  if (days === undefined) return { afterSequenceNumber: metadata['last-sequence-number'] - PLANNED_COMMITS };
  const min = days.type === 'date' ? Math.floor(since_ms / 86_400_000) : BigInt(since_ms) * 1000n;
  return { where: [{ column: days.name, id: days.id, min }] };
}

interface Plannable {
  /** By partition. */
  home: readonly (readonly DataFile[])[];
  /** Oldest first. */
  overflow: readonly DataFile[];
  /** Nothing came lately: what tiers left may be brought together as well. */
  isSettled(files: readonly DataFile[]): boolean;
}

/** Files that may be rewritten now. */
function plannable(round: TableRound, table: Table, files: readonly DataFile[]): Plannable {
  const { options, consumers, avoid, report } = round;
  const upTo = compactUpTo(table, { consumers, lagMost_ms: options.rules.consumerLagMost_ms });
  const settledBefore_ms = options.clock.now() - SETTLED_MS;
  const youngSnapshots = new Set(
    table.metadata.snapshots
      .filter((snapshot) => snapshot['timestamp-ms'] > settledBefore_ms)
      .map((snapshot) => snapshot['snapshot-id']),
  );
  const without = new Set(
    table.metadata['partition-specs']
      // A table without partitions has no other: its files are at home in it.
      .filter((spec) => spec.fields.length === 0 && spec['spec-id'] !== 0)
      .map((spec) => spec['spec-id']),
  );
  const ours = files.filter(
    (file) => (file.specId === 0 || without.has(file.specId)) && !avoid.has(file.location),
  );
  const eligible = ours.filter((file) => file.sequenceNumber! <= upTo);
  const waiting = `${ours.length - eligible.length} files wait until their consumers have read them`;
  if (eligible.length < ours.length && !report.left.includes(waiting)) report.left.push(waiting);
  const { home = [], overflow = [] } = Object.groupBy(eligible, ({ specId }) =>
    without.has(specId) ? 'overflow' : 'home',
  );
  return {
    home: [...Map.groupBy(home, ({ partition }) => JSON.stringify(partition)).values()],
    overflow,
    isSettled: (some) => !some.some((file) => youngSnapshots.has(file.snapshotId!)),
  };
}

const tiersOf = ({ rules }: TableRound['options'], table: Table) => ({
  target_bytes: targetSize(table) ?? rules.targetFileSize_bytes,
  minFiles: rules.minFiles,
  groupMost: GROUP_FILES,
});

function planGroups({ options }: TableRound, table: Table, { home, isSettled }: Plannable): Groups {
  return home
    .flatMap((ofOne) => planPartition(ofOne, { ...tiersOf(options, table), settled: isSettled(ofOne) }))
    .toSorted((a, b) => b.files.length - a.files.length);
}

/** What one rewrite of overflow files takes; one that is larger than the bounds still goes alone. */
function within(files: readonly DataFile[], roundMost_bytes: number): readonly DataFile[] {
  if (roundMost_bytes <= 0) return [];
  const most = Math.min(COMMIT_BYTES, roundMost_bytes);
  let bytes = 0;
  return files.slice(0, GROUP_FILES).filter((file, at) => {
    bytes += file.fileSize;
    return at === 0 || bytes <= most;
  });
}

/** What one commit takes, up to the bound of the round; a group larger than a bound still goes alone. */
function batches(groups: Groups, roundMost_bytes: number): Groups[] {
  const commits: Groups[] = [];
  let open: Groups = [];
  let all_bytes = 0;
  for (const group of groups) {
    const bytes = bytesIn([group]);
    if (all_bytes > 0 && all_bytes + bytes > roundMost_bytes) continue;
    all_bytes += bytes;
    const fits = filesOf(open) + group.files.length <= COMMIT_FILES && bytesIn(open) + bytes <= COMMIT_BYTES;
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
  await using undecided = new AsyncDisposableStack();
  for (const group of groups) {
    if (options.signal.aborted) break;
    const written = await rewritten(round, { table, group, undecided, ...with_ });
    with_.progress.files += group.files.length;
    options.onProgress?.({ table: table.name, ...with_.progress });
    if (written === undefined) continue;
    files.push(...written);
    done.push(group);
  }
  // What was rewritten until then is worth a commit, unless nobody waits for its end.
  if (done.length === 0 || options.signal.aborted) {
    await undecided.disposeAsync();
    await lake.store.delete(files.map((file) => file.location));
    return table;
  }
  const manifests = await lake.prepare(table, files);
  const remove = done.flatMap((group) => group.files);
  const outcome = await commitMaintenance(round, table, {
    change: { operation: 'replace', manifests, remove, preparedAt_ms },
  });
  note(round, { ...workOf(done), into: files.length }, outcome);
  await undecided.disposeAsync();
  if (outcome.kind === 'refused') await discard(round, { files, manifests });
  return outcome.table;
}

/** Undefined for a group that cannot be rewritten: the others go on without it. */
async function rewritten(
  round: TableRound,
  {
    table,
    group,
    definition,
    engine,
    undecided,
  }: Omit<Together, 'groups'> & { group: Group<DataFile>; undecided: AsyncDisposableStack },
): Promise<DataFile[] | undefined> {
  const { lake, signal, log } = round.options;
  const inOrder = group.files.toSorted(
    (a, b) => a.sequenceNumber! - b.sequenceNumber! || (a.location < b.location ? -1 : 1),
  );
  try {
    await using anew = await engine.rewrite({
      name: table.name,
      table: definition,
      files: inOrder,
      partition: inOrder[0]!.partition,
      signal,
    });
    const sequenceNumber = inOrder.at(-1)!.sequenceNumber!;
    const stored = await storeFiles(lake, { table, files: anew.files });
    undecided.use(anew.guard?.move());
    return stored.map((file) => ({ ...file, sequenceNumber }));
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

function workOf(groups: Groups) {
  const rows = groups.flatMap((group) => group.files).reduce((sum, file) => sum + file.recordCount, 0);
  const whys = new Set(groups.map((group) => group.why));
  return {
    action: 'compact' as const,
    count: filesOf(groups),
    into: groups.length,
    rows,
    bytes: bytesIn(groups),
    why: `partitions with ${whys.has('many small files') ? 'many small files' : 'small files and nothing new'}`,
  };
}

const filesOf = (groups: Groups) => groups.reduce((sum, group) => sum + group.files.length, 0);
const bytesOf = (files: readonly DataFile[]) => files.reduce((sum, file) => sum + file.fileSize, 0);
const bytesIn = (groups: Groups) => groups.reduce((sum, group) => sum + bytesOf(group.files), 0);

/** The table's own goes before the setting. */
function targetSize({ metadata }: Table): number | undefined {
  const said = metadata.properties['write.target-file-size-bytes'];
  return /^[1-9]\d{0,14}$/.test(said ?? '') ? Number(said) : undefined;
}

/** Why files of this table cannot be written anew without losing something; undefined when they can. */
function shapeDiffers({ metadata }: Table, definition: TableDefinition): string | undefined {
  const columns = currentFields(metadata);
  const gone = definition.schema.fields.find(({ id }) => !columns.some((field) => field.id === id));
  if (gone !== undefined) return `another program dropped its column ${gone.name}`;
  const unwritable = columns.find(({ type }) => !isWritten(type));
  if (unwritable !== undefined) {
    const type = typeof unwritable.type === 'string' ? unwritable.type : 'a nested type';
    return `another program added the column ${unwritable.name} of ${type}`;
  }
  const spec = metadata['partition-specs'].find((each) => each['spec-id'] === 0);
  const parts = (spec?.fields ?? []).map((field) => `${field['source-id']} ${field.transform}`);
  return parts.join() === definition.partition.map((field) => `${field.source} ${field.transform}`).join()
    ? undefined
    : 'another program changed its partitions';
}
