/**
 * Files of one partition written anew as one, or files of many anew by what their rows say. Documents pass through as
 * they are. The rows of one partition keep their order because one thread reads the files one after the other; a sorted
 * table is sorted again.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Field, PartitionField, TableDefinition } from '../../lake/lake.ts';
import type { Placement } from '../../tables/tables.ts';
import type { Engine } from '../engine.ts';
import type { LocalFiles } from '../local-files.ts';
import { misplaced, type Rewrite, type Rewritten, rewriteInterrupted, type Spread } from '../rewrite.ts';
import type { BatchFolder } from './batch-folders.ts';
import { engineFailure } from './duckdb.ts';
import { withFiles } from './held.ts';
import { interruptible } from './interruptible.ts';
import { ownColumns, type Readable } from './own-columns.ts';
import { OVERFLOW, place } from './placement.ts';
import { identifier, list } from './sql.ts';
import { ensureRows, type PartitionedWrite, partitionHint, writePartitioned } from './write.ts';

export async function rewrite(
  c: DuckDBConnection,
  { folder, access, ...input }: Rewrite & { folder: BatchFolder; access: LocalFiles },
): Promise<Rewritten> {
  const { signal } = input;
  const end = interruptible(c, signal);
  try {
    signal.throwIfAborted();
    const written = await withFiles(access, { files: input.files }, (readable) =>
      writePartitioned(c, writeOf(input, { readable, folder: folder.path })),
    );
    const rows = input.files.reduce((sum, file) => sum + file.recordCount, 0);
    const files = ensureRows(written, rows);
    const { partition } = input;
    if (partition !== undefined && files.some(({ file }) => String(file.partition) !== String(partition)))
      throw misplaced(input);
    return { files, [Symbol.asyncDispose]: () => folder.release() };
  } catch (error) {
    await folder.release();
    if (signal.aborted) throw rewriteInterrupted(error);
    throw engineFailure(error, 'rewriting files');
  } finally {
    end();
    c.closeSync();
  }
}

/** How many partitions the rows of files are of, and which of them would get files of their own. */
export async function spread(
  c: DuckDBConnection,
  { table, files, placement, access }: Parameters<Engine['spread']>[0] & { access: LocalFiles },
): Promise<Spread> {
  try {
    const sources = new Set(table.partition.map(({ source }) => source));
    const columns = table.schema.fields.filter(({ id }) => sources.has(id));
    return await withFiles(access, { files, need: { columns } }, async (readable) => {
      const { paths } = readable;
      const rows = `select ${keysOf(table)}, __file from ${ownColumns(readable, columns, { filename: "'__file'" })}`;
      const { partitionBy } = await placePartitions(c, { table, select: rows, placement });
      const same = partitionBy.map((key) => `s.${key} is not distinct from p.${key}`).join(' and ');
      const [[partitions, own, held, places]] = (
        await c.runAndReadAll(`with own as (
            select count(*)::double as n, list(distinct list_position(${list(paths)}, s.__file) - 1)::integer[] as places
            from (${rows}) s join __partitions p on ${same} where __slice <> ${OVERFLOW})
          select (select count(*)::double from __partitions),
            (select count(*)::double from __partitions where __slice <> ${OVERFLOW}), n, places from own`)
      ).getRowsJson() as [[number, number, number, number[] | null]];
      return { partitions, own: { partitions: own, rows: held, files: places ?? [] } };
    });
  } catch (error) {
    throw engineFailure(error, 'looking into overflow files');
  } finally {
    c.closeSync();
  }
}

async function placePartitions(
  c: DuckDBConnection,
  { table, select, placement }: { table: TableDefinition; select: string; placement: Placement },
) {
  const placed = { select, ...keys(table), placement };
  await place(c, placed);
  return placed;
}

/** The names under which a select has the partition values, and which of them is the event type. */
function keys({ partition }: TableDefinition) {
  const at = partition.findIndex(({ transform }) => transform === 'identity');
  return {
    partitionBy: partition.map((_, i) => `__value${i}`),
    ...(at >= 0 && { typeKey: `__value${at}` }),
  };
}

const keysOf = (table: TableDefinition): string =>
  table.partition.map((field, i) => `${partitionOf(table, field)} as __value${i}`).join(', ');

function writeOf(
  { table: asked, partition, placement, files }: Rewrite,
  { readable, folder }: { readable: Readable; folder: string },
): PartitionedWrite {
  const numbered = files.every(({ firstRowId }) => firstRowId !== undefined);
  const table = numbered ? { ...asked, schema: { fields: [...asked.schema.fields, ...LINEAGE] } } : asked;
  const columns = table.schema.fields.map((field) => identifier(field.name));
  const from = numbered ? withLineage(files, { readable, table }) : ownColumns(readable, table.schema.fields);
  const sort = table.sort.map((field) => columnOf(table, field.source));
  // The text of a statement ends at a NUL; then the rows are asked which partition they are of.
  const known = partition?.every((value) => !String(value).includes('\0')) ? [partition] : undefined;
  return {
    table,
    select: `select ${[...columns, ...(table.partition.length > 0 ? [keysOf(table)] : [])].join(', ')} from ${from}`,
    ...keys(table),
    ...(known && { partitions: known }),
    ...(placement && { placement }),
    ...(sort.length > 0 && { orderBy: sort, sortOrderId: 1 }),
    folder,
    hint: (of) =>
      partitionHint(
        table.partition.map((field) => field.name),
        of,
      ),
  };
}

/** Columns that the spec reserves for rows that were moved; a row that was not has its file's numbers. */
const LINEAGE: readonly Field[] = [
  { id: 2_147_483_540, name: '_row_id', type: 'long', required: false },
  { id: 2_147_483_539, name: '_last_updated_sequence_number', type: 'long', required: false },
];

function withLineage(
  files: Rewrite['files'],
  { readable, table }: { readable: Readable; table: TableDefinition },
): string {
  const first = files.map(
    ({ firstRowId, sequenceNumber = 0 }, i) => `(${i}::ubigint, ${firstRowId}, ${sequenceNumber})`,
  );
  const rows = ownColumns(readable, table.schema.fields, { file_row_number: 'true' });
  return `(select rows_of.* replace (
      coalesce(_row_id, __first + file_row_number) as _row_id,
      coalesce(_last_updated_sequence_number, __brought) as _last_updated_sequence_number)
    from ${rows} rows_of join (values ${first.join(', ')}) as files(__index, __first, __brought)
      on rows_of.file_index = __index)`;
}

function partitionOf(table: TableDefinition, { source, transform }: PartitionField): string {
  const { name, type } = fieldOf(table, source);
  const column = identifier(name);
  if (transform === 'day') return `(epoch_us(${column}) // 86400000000)::integer`;
  return type === 'date' ? `date_diff('day', date '1970-01-01', ${column})::integer` : column;
}

function columnOf(table: TableDefinition, id: number): string {
  return fieldOf(table, id).name;
}

const fieldOf = ({ schema }: TableDefinition, id: number) => schema.fields.find((field) => field.id === id)!;
