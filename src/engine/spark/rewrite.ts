/**
 * Compaction in Spark: the rows of one partition's files go to a branch as those of every batch do, sorted as the table
 * is. Where it is not sorted, Spark leaves rows in no particular order.
 */
import { Failure } from '../../base/base.ts';
import type { Field } from '../../lake/lake.ts';
import { misplaced, type Rewrite, type Rewritten, rewriteInterrupted } from '../rewrite.ts';
import type { BranchWriter } from './branch-write.ts';
import { schemaWithIds } from './column-types.ts';
import { identifier } from './connect/statements.ts';
import type { Workspace } from './connection.ts';

interface Given {
  workspace: Workspace;
  writer: BranchWriter;
}

const DOING = 'rewriting files';

/** A job of Spark costs seconds: less than so much is rewritten sooner by the engine at hand. */
export const REWRITE_LEAST_BYTES = 64_000_000;

/** What Spark can do as the interface has it: not rows that keep their ids, and no placement. */
export function suitsSpark(
  { files, partition }: Pick<Rewrite, 'files' | 'partition'>,
  least_bytes: number,
): boolean {
  const bytes = files.reduce((sum, { fileSize }) => sum + fileSize, 0);
  const plain = files.every((file) => file.firstRowId === undefined && !file.nameMapped);
  return partition !== undefined && plain && bytes >= least_bytes;
}

export async function rewrite({ workspace, writer }: Given, input: Rewrite): Promise<Rewritten> {
  const { name, table, files, partition, signal } = input;
  const { fields } = table.schema;
  try {
    const scan = await workspace.filesView(DOING, {
      locations: files.map(({ location }) => location),
      schema: schemaWithIds(fields.map((field) => ({ ...field, type: typeInJson(field) }))),
      columns: fields.map((field) => identifier(field.name)),
    });
    const written = await writer.write(workspace, {
      ...{ doing: DOING, table: name, definition: table },
      select: `select * from ${scan}`,
      rows: files.reduce((sum, { recordCount }) => sum + recordCount, 0),
    });
    const guard = new AsyncDisposableStack();
    guard.defer(written.release);
    if (written.files.some(({ file }) => String(file.partition) !== String(partition))) {
      await guard.disposeAsync();
      throw misplaced(input);
    }
    return {
      ...{ files: written.files, guard },
      async [Symbol.asyncDispose]() {
        await guard.disposeAsync();
        await workspace[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    if (signal.aborted) throw rewriteInterrupted(error);
    throw error instanceof Failure && error.code === 'spark.failed' ? unreadable(error) : error;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  int: 'integer',
  timestamp: 'timestamp_ntz',
  timestamptz: 'timestamp',
};

const typeInJson = ({ type }: Field): string => TYPES[String(type)] ?? String(type);

/** Of these files alone: others are rewritten all the same. */
function unreadable(cause: Failure): Failure {
  return new Failure(cause.message, {
    code: 'engine.failed',
    fault: 'ourselves',
    ...(cause.why === undefined ? {} : { why: cause.why }),
    docs: 'docs/how-to/spark.md',
    cause,
  });
}
