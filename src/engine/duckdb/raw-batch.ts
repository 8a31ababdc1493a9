/**
 * Rows of raw on their way to staging. Documents are not held in between: identities are read first, and the rows
 * that stay are copied from file to file. A row's id is the place of its file's first row plus its own in the file.
 */
import { rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { Failure } from '../../base/base.ts';
import type { PartitionValue } from '../../lake/lake.ts';
import { STAGING } from '../../tables/tables.ts';
import type { Identities, RawBatch, RawFile, WrittenFile } from '../engine.ts';
import type { BatchFolder } from './batch-folders.ts';
import { engineFailure } from './duckdb.ts';
import { heldIdentities, identitySql } from './event-sql.ts';
import { literal, parquet } from './sql.ts';
import { fillRowIds, readIdentities, readRowIds } from './vectors.ts';
import { ensureRows, partitionHint, rowsIn, writePartitioned } from './write.ts';

interface Input {
  files: readonly RawFile[];
  /** Of this batch alone; gone with it. */
  folder: BatchFolder;
}

const COLUMNS = STAGING.schema.fields.map((f) => f.name).join(', ');

/** The files' rows with `rid`, and `brought`, the sequence number of the commit that brought each. */
function rowsOf(files: readonly RawFile[]): { sql: string; count: number } {
  let count = 0;
  const values = files.map(({ path, sequenceNumber, rows }) => {
    const value = `(${literal(path)}, ${sequenceNumber}, ${count})`;
    count += rows;
    return value;
  });
  const sql = `select (first + file_row_number)::integer as rid, brought, ${COLUMNS}
    from ${parquet(
      files.map((f) => f.path),
      { filename: "'__file'", file_row_number: 'true' },
    )}
    join (values ${values.join(', ')}) as files(__path, brought, first) on __file = __path`;
  return { sql, count };
}

/** Undefined when one is not known, or cannot be said in SQL: the text of a statement ends at a NUL. */
function knownPartitions(files: readonly RawFile[]): (readonly PartitionValue[])[] | undefined {
  const known = files.flatMap(({ partition }) => (partition === undefined ? [] : [partition]));
  const sayable = known.every((tuple) => tuple.every((value) => !String(value).includes('\0')));
  return sayable && known.length === files.length ? known : undefined;
}

export async function readRaw(c: DuckDBConnection, input: Input): Promise<RawBatch> {
  const { sql, count } = rowsOf(input.files);
  try {
    await c.run(`create or replace temp table identities as
      select rid, ${identitySql('event_uuid')} as id from (${sql})`);
    return new DuckDbRawBatch(c, { ...input, rows: count, sql });
  } catch (error) {
    c.closeSync();
    await input.folder.release();
    throw engineFailure(error, 'reading raw');
  }
}

class DuckDbRawBatch implements RawBatch {
  readonly rows: number;
  readonly #c: DuckDBConnection;
  readonly #folder: BatchFolder;
  readonly #files: readonly RawFile[];
  readonly #sql: string;

  constructor(c: DuckDBConnection, { files, folder, rows, sql }: Input & { rows: number; sql: string }) {
    this.#c = c;
    this.#folder = folder;
    this.#files = files;
    this.#sql = sql;
    this.rows = rows;
  }

  identities(): Promise<Identities> {
    return readIdentities(this.#c, 'select rid, id, 0::uinteger, 0::double from identities', this.rows);
  }

  /** Few: what the window let through. Only they are put in order, which needs their wide columns. */
  repeated(): Promise<Identities> {
    return readIdentities(
      this.#c,
      `select rid, id, (hash(document) & 4294967295)::uinteger, created_at
       from (${this.#sql}) join identities using (rid)
       where id in (select id from identities group by id having count(*) > 1)
       order by brought, arrived_at, stream, shard_id, length(sequence_number), sequence_number,
         coalesce(subsequence_number, -1)`,
      this.rows,
    );
  }

  heldBy(paths: readonly string[]): Promise<Int32Array> {
    if (paths.length === 0) return Promise.resolve(new Int32Array(0));
    const sql = `select rid from identities where id in (${heldIdentities(paths, 'identities')})`;
    return readRowIds(this.#c, sql, this.rows);
  }

  async writeSorted(drop: Int32Array): Promise<WrittenFile[]> {
    const expected = this.rows - drop.length;
    try {
      await fillRowIds(this.#c, 'dropped', drop);
      const partitions = knownPartitions(this.#files);
      if (partitions !== undefined) {
        const files = await this.#write(partitions);
        if (rowsIn(files) === expected) return files;
        // A file of another program holds rows of other partitions than it says; then the rows say where they belong.
        await Promise.all(files.map((file) => rm(file.localPath, { force: true })));
      }
      return ensureRows(await this.#write(undefined), expected);
    } catch (error) {
      throw error instanceof Failure ? error : engineFailure(error, 'writing staging');
    }
  }

  #write(partitions: (readonly PartitionValue[])[] | undefined): Promise<WrittenFile[]> {
    return writePartitioned(this.#c, {
      table: STAGING,
      select: `select ${COLUMNS}, (epoch_us(created_datetime) // 86400000000)::integer as __day, event_type as __type
        from (${this.#sql}) where rid not in (select rid from dropped)`,
      partitionBy: ['__day', '__type'],
      ...(partitions && { partitions }),
      orderBy: ['event_name', 'created_datetime'],
      sortOrderId: 1,
      folder: this.#folder.path,
      hint: (values) => partitionHint(['created_datetime_day', 'event_type'], values),
    });
  }

  async dispose(): Promise<void> {
    this.#c.closeSync();
    await this.#folder.release();
  }
}
