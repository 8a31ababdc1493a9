/**
 * Files of one partition written anew as one. Documents pass through as they are. The rows of an unsorted table keep
 * their order because one thread reads the files one after the other; a sorted table is sorted again.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { Failure } from '../../base/base.ts';
import type { PartitionField, TableDefinition } from '../../lake/lake.ts';
import type { LocalFiles } from '../local-files.ts';
import type { Rewrite, Rewritten } from '../rewrite.ts';
import type { BatchFolder } from './batch-folders.ts';
import { engineFailure } from './duckdb.ts';
import { withPaths } from './held.ts';
import { identifier, parquet } from './sql.ts';
import { ensureRows, type PartitionedWrite, partitionHint, writePartitioned } from './write.ts';

export async function rewrite(
  c: DuckDBConnection,
  { folder, access, ...input }: Rewrite & { folder: BatchFolder; access: LocalFiles },
): Promise<Rewritten> {
  const { signal } = input;
  const end = interruptible(c, signal);
  try {
    signal.throwIfAborted();
    const written = await withPaths(access, { files: input.files }, (paths) =>
      writePartitioned(c, writeOf(input, { paths, folder: folder.path })),
    );
    const rows = input.files.reduce((sum, file) => sum + file.recordCount, 0);
    const files = ensureRows(written, rows);
    if (files.some(({ file }) => String(file.partition) !== String(input.partition))) throw misplaced(input);
    return { files, dispose: () => folder.release() };
  } catch (error) {
    await folder.release();
    if (signal.aborted) throw interrupted(error);
    throw error instanceof Failure ? error : engineFailure(error, 'rewriting files');
  } finally {
    end();
    c.closeSync();
  }
}

function writeOf(
  { table, partition }: Rewrite,
  { paths, folder }: { paths: readonly string[]; folder: string },
): PartitionedWrite {
  const columns = table.schema.fields.map((field) => identifier(field.name));
  const values = table.partition.map((field, i) => `${partitionOf(table, field)} as __value${i}`);
  const sort = table.sort.map((field) => columnOf(table, field.source));
  // The text of a statement ends at a NUL; then the rows are asked which partition they are of.
  const canSay = partition.every((value) => !String(value).includes('\0'));
  return {
    table,
    select: `select ${[...columns, ...values].join(', ')} from ${parquet(paths)}`,
    partitionBy: table.partition.map((_, i) => `__value${i}`),
    ...(canSay && { partitions: [partition] }),
    ...(sort.length > 0 && { orderBy: sort, sortOrderId: 1 }),
    folder,
    hint: (of) =>
      partitionHint(
        table.partition.map((field) => field.name),
        of,
      ),
  };
}

function partitionOf(table: TableDefinition, { source, transform }: PartitionField): string {
  const column = identifier(columnOf(table, source));
  return transform === 'day' ? `(epoch_us(${column}) // 86400000000)::integer` : column;
}

function columnOf({ schema }: TableDefinition, id: number): string {
  return schema.fields.find((field) => field.id === id)!.name;
}

/** DuckDB forgets an interrupt that comes between two statements, so it is told until the work has ended. */
function interruptible(c: DuckDBConnection, signal: AbortSignal): () => void {
  let telling: NodeJS.Timeout | undefined;
  const interrupt = () => {
    c.interrupt();
    telling = setInterval(() => c.interrupt(), 50);
  };
  signal.addEventListener('abort', interrupt, { once: true });
  return () => {
    signal.removeEventListener('abort', interrupt);
    clearInterval(telling);
  };
}

function interrupted(cause: unknown): Failure {
  return new Failure('the rewriting of files was interrupted', {
    code: 'engine.interrupted',
    fault: 'user',
    why: 'it was stopped before it had ended; the files are as they were',
    cause,
  });
}

function misplaced({ files }: Rewrite): Failure {
  return new Failure('files hold rows of another partition than the table says', {
    code: 'engine.misplaced_rows',
    fault: 'user',
    why: `at least one of ${files.length} files that begin with ${files[0]?.location} does`,
    hint: 'rewrite them with the program that wrote them',
  });
}
