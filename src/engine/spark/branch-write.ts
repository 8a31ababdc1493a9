/**
 * Spark writes, Lakeward commits: rows go to a fresh branch of the table at its current snapshot, Iceberg writes files,
 * statistics and manifests there, and what the one new snapshot of the branch added is handed to our committer, which
 * adds the same files to main as entries of its own. Main is never Spark's. The branch keeps the files from every
 * cleaner until that commit is decided; then it goes.
 */
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { backoff, type Clock, Failure, type Log } from '../../base/base.ts';
import {
  currentFields,
  type DataFile,
  type Field,
  type Lake,
  type Table,
  type TableDefinition,
  type TableName,
} from '../../lake/lake.ts';
import type { StoredFile } from '../engine.ts';
import { sparkType } from './column-types.ts';
import { identifier } from './connect/statements.ts';
import type { Connection, Workspace } from './connection.ts';

export interface BranchWrite {
  doing: string;
  table: TableName;
  definition: TableDefinition;
  /** As the table has them now, in the order of the definition's; undefined where it has the definition's own. */
  columns?: readonly Field[] | undefined;
  /** A select with the definition's columns in their order. */
  select: string;
  rows: number;
}

export interface BranchWriter {
  write(workspace: Workspace, write: BranchWrite): Promise<{ files: StoredFile[]; release(): Promise<void> }>;
  /** Drops what is left of this engine's branches. */
  close(): Promise<void>;
}

interface Options {
  lake: Lake;
  connection: Connection;
  catalog: string;
  clock: Clock;
  log: Log;
  newId: () => string;
  random: () => number;
  sweeps?: boolean;
}

/** Others commit to the table too, and Iceberg in Spark gives up when they are faster; each try has a branch of its own. */
const TRIES = 4;
const FIRST_WAIT_MS = 100;
const LAST_WAIT_MS = 2_000;

const PREFIX = 'lw_';
/** A branch that even the next start does not drop is dropped by whoever expires snapshots. */
const RETAIN = 'retain 2 days';

export function branchWriter(options: Options): BranchWriter {
  const { lake, connection, newId, sweeps = true } = options;
  const target = (table: TableName) => [options.catalog, ...table.split('.')].map(identifier).join('.');
  const left = new Map<string, TableName>();
  const swept = new Set<TableName>();

  async function drop(workspace: Workspace, { table, branch }: { table: TableName; branch: string }) {
    await workspace.run(
      'dropping a branch',
      `alter table ${target(table)} drop branch if exists ${identifier(branch)}`,
    );
    left.delete(branch);
  }

  /** What an earlier process left, at the first write; a branch that is another's still only makes it write again. */
  async function sweep(workspace: Workspace, { name, metadata }: Table): Promise<void> {
    const ours = [...left].filter(([, table]) => table === name).map(([branch]) => branch);
    const others =
      !sweeps || swept.has(name)
        ? []
        : Object.keys(metadata.refs).filter((ref) => ref.startsWith(PREFIX) && !inUse.has(ref));
    for (const branch of new Set([...ours, ...others])) await drop(workspace, { table: name, branch });
    swept.add(name);
  }

  const inUse = new Set<string>();
  const release = async (branch: string, table: TableName) => {
    if (!inUse.delete(branch)) return;
    left.set(branch, table);
    try {
      const workspace = await connection.workspace();
      await drop(workspace, { table, branch });
    } catch (error) {
      // Tried again at the next write, at the end, and at the next start.
      options.log.warn('spark.branch_left', `could not drop branch ${branch} of ${table}`, {
        why: String(error),
      });
    }
  };

  async function writeOnce(workspace: Workspace, write: BranchWrite) {
    const before = await loaded(lake, write.table);
    await sweep(workspace, before);
    const base = before.metadata['current-snapshot-id'];
    const branch = `${PREFIX}${newId().replaceAll('-', '_')}`;
    inUse.add(branch);
    try {
      const at = `as of version ${base} ${RETAIN}`;
      const name = identifier(branch);
      await workspace.run(write.doing, `alter table ${target(write.table)} create branch ${name} ${at}`);
      const into = `${target(write.table)}.${identifier(`branch_${branch}`)}`;
      await workspace.run(write.doing, `insert into ${into} ${inOrder(before, write)}`);
      const files = await addedFiles(lake, { write, branch, base });
      await makeDurable(lake, files);
      const stored = files.map((file) => ({ file: withoutUseless(file, write.definition) }));
      return { files: stored, release: () => release(branch, write.table) };
    } catch (error) {
      await release(branch, write.table);
      throw error;
    }
  }

  return {
    async write(workspace, write) {
      for (let failures = 0; ; ) {
        try {
          return await writeOnce(workspace, write);
        } catch (error) {
          if (!isOvertaken(error) || ++failures === TRIES) throw error;
          const pause = { first_ms: FIRST_WAIT_MS, most_ms: LAST_WAIT_MS, random: options.random };
          await options.clock.sleep(backoff(failures - 1, pause));
        }
      }
    },
    async close() {
      if (left.size === 0) return;
      try {
        const workspace = await connection.workspace();
        for (const [branch, table] of [...left]) await drop(workspace, { table, branch });
      } catch (error) {
        options.log.warn('spark.branch_left', 'branches are left; the next start drops them', {
          branches: [...left.keys()].join(', '),
          why: String(error),
        });
      }
    },
  };
}

const isOvertaken = (error: unknown): boolean =>
  error instanceof Failure && ['spark.commit_failed', 'spark.branch_unusable'].includes(error.code);

/**
 * An insert goes by position: the columns as the table has them, of which those of other programs have no value. Each
 * is cast, because a column is read as wide as it may have become.
 */
function inOrder(
  { metadata }: Table,
  { definition, columns = definition.schema.fields, select }: BranchWrite,
): string {
  const own = columns.map((_, i) => `c${i}`);
  const values = currentFields(metadata).map(({ id }) => {
    const at = columns.findIndex((column) => column.id === id);
    if (at < 0) return 'null';
    return `cast(${own[at]} as ${sparkType(columns[at]!.type)})`;
  });
  return `select ${values.join(', ')} from (${select}) as written(${own.join(', ')})`;
}

async function loaded(lake: Lake, name: TableName): Promise<Table> {
  const table = await lake.load(name);
  if (table !== undefined) return table;
  throw notOurs(name, 'there is no such table');
}

/** Only where the branch holds exactly one snapshot, on the base that it was made at, do we know what it added. */
async function addedFiles(
  lake: Lake,
  { write, branch, base }: { write: BranchWrite; branch: string; base: bigint | null },
): Promise<DataFile[]> {
  const table = await loaded(lake, write.table);
  const id = table.metadata.refs[branch]?.['snapshot-id'];
  const snapshot = table.metadata.snapshots.find((each) => each['snapshot-id'] === id);
  if (snapshot === undefined) throw notOurs(write.table, `branch ${branch} is gone`);
  if (snapshot['parent-snapshot-id'] !== base)
    throw notOurs(write.table, `branch ${branch} holds other than one snapshot on its base`);
  const sequenceNumber = snapshot['sequence-number'];
  const { files } = await lake.files(table, {
    snapshotId: snapshot['snapshot-id'],
    afterSequenceNumber: sequenceNumber - 1,
  });
  const rows = files.reduce((sum, { recordCount }) => sum + recordCount, 0);
  if (rows === write.rows) return files;
  throw new Failure(`${write.rows} rows were to be written, and the files hold ${rows}`, {
    code: 'engine.rows_differ',
    fault: 'ourselves',
    why: 'rows were lost or doubled on the way into the files; nothing of them was committed',
  });
}

function notOurs(table: TableName, why: string): Failure {
  return new Failure(`what Spark wrote for ${table} cannot be committed`, {
    code: 'spark.branch_unusable',
    fault: 'service',
    retry: 'backoff',
    why,
    docs: 'docs/how-to/spark.md',
  });
}

/** As our own writer has it: no bounds of documents, and the table's order for files that were sorted by it. */
function withoutUseless(file: DataFile, { schema, sort }: TableDefinition): DataFile {
  const { sequenceNumber: _, fileSequenceNumber: __, snapshotId: ___, sortOrderId: ____, ...rest } = file;
  const useless = new Set(
    schema.fields.filter((f) => f.name === 'document' || f.type === 'binary').map((f) => f.id),
  );
  const useful = <V>(bounds: ReadonlyMap<number, V>) =>
    new Map([...bounds].filter(([id]) => !useless.has(id)));
  return {
    ...rest,
    lowerBounds: useful(file.lowerBounds),
    upperBounds: useful(file.upperBounds),
    ...(sort.length === 0 ? {} : { sortOrderId: 1 }),
  };
}

/** Stores elsewhere acknowledge what is durable; on a disk of this machine Spark leaves that to chance. */
async function makeDurable(lake: Lake, files: readonly DataFile[]): Promise<void> {
  const paths = files.flatMap(({ location }) => lake.store.localPath(location) ?? []);
  for (const path of [...paths, ...new Set(paths.map(dirname))]) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
