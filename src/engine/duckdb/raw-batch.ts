import { rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { STAGING } from '../../tables/tables.ts';
import type { Identities, RawBatch, WrittenFile } from '../engine.ts';
import { engineFailure } from './duckdb.ts';
import { heldIdentities, identitySql } from './event-sql.ts';
import { list, literal } from './sql.ts';
import { fillRowIds, readIdentities, readRowIds } from './vectors.ts';
import { partitionHint, writePartitioned } from './write.ts';

interface Input {
  files: readonly { path: string; sequenceNumber: number }[];
  folder: string;
}

const COLUMNS = STAGING.schema.fields.map((f) => f.name).join(', ');

/** Order among equals: the commit that brought the row, then the order within one commit. */
export async function readRaw(c: DuckDBConnection, input: Input): Promise<RawBatch> {
  try {
    const sequence = input.files.map((f) => `(${literal(f.path)}, ${f.sequenceNumber})`).join(', ');
    await c.run(`create or replace temp table raw_batch as
      select row_number() over ()::integer as rid, brought, ${identitySql('event_uuid')} as id, ${COLUMNS}
      from read_parquet(${list(input.files.map((f) => f.path))}, filename = '__file')
      join (values ${sequence}) as files(__path, brought) on __file = __path`);
    const counted = await c.runAndReadAll('select count(*) from raw_batch');
    return new DuckDbRawBatch(c, { folder: input.folder, rows: Number(counted.getRowsJson()[0]![0]) });
  } catch (error) {
    c.closeSync();
    throw engineFailure(error, 'reading raw');
  }
}

class DuckDbRawBatch implements RawBatch {
  readonly rows: number;
  readonly #c: DuckDBConnection;
  readonly #folder: string;
  readonly #written: string[] = [];

  constructor(c: DuckDBConnection, { folder, rows }: { folder: string; rows: number }) {
    this.#c = c;
    this.#folder = folder;
    this.rows = rows;
  }

  identities(): Promise<Identities> {
    return readIdentities(
      this.#c,
      `select rid, id, (hash(document) & 4294967295)::uinteger, created_at from raw_batch
       order by brought, arrived_at, stream, shard_id, length(sequence_number), sequence_number,
         coalesce(subsequence_number, -1)`,
      this.rows,
    );
  }

  heldBy(paths: readonly string[]): Promise<Int32Array> {
    if (paths.length === 0) return Promise.resolve(new Int32Array(0));
    const sql = `select rid from raw_batch where id in (${heldIdentities(paths, 'raw_batch')})`;
    return readRowIds(this.#c, sql, this.rows);
  }

  async writeSorted(drop: Int32Array): Promise<WrittenFile[]> {
    try {
      await fillRowIds(this.#c, 'dropped', drop);
      const files = await writePartitioned(this.#c, {
        table: STAGING,
        select: `select ${COLUMNS}, (epoch_us(created_datetime) // 86400000000)::integer as __day, event_type as __type
          from raw_batch where rid not in (select rid from dropped)`,
        partitionBy: ['__day', '__type'],
        orderBy: ['event_name', 'created_datetime'],
        sortOrderId: 1,
        folder: this.#folder,
        hint: (values) => partitionHint(['created_datetime_day', 'event_type'], values),
      });
      this.#written.push(...files.map((f) => f.localPath));
      return files;
    } catch (error) {
      throw engineFailure(error, 'writing staging');
    }
  }

  async dispose(): Promise<void> {
    this.#c.closeSync();
    await Promise.all(this.#written.map((path) => rm(path, { force: true })));
  }
}
