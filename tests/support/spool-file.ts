import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

export interface SpooledRecord {
  body: Uint8Array;
  sequenceNumber: bigint;
  arrived_ms: number;
  /** Index into the spool's shards. */
  shard: number;
}

let opened: Promise<DuckDBConnection> | undefined;
let files = 0;

/** A spool as the stream module's contract describes it, by another way than its own: DuckDB writes the Parquet. */
export async function writeSpoolFile(
  folder: string,
  records: readonly SpooledRecord[],
): Promise<{ path: string; bytes: number }> {
  opened ??= DuckDBInstance.create(':memory:').then((instance) => instance.connect());
  const c = await opened;
  const number = ++files;
  const table = `spool_${number}`;
  await c.run(`create temp table ${table} (body blob, seq varchar, arrived_ms bigint, shard int, sub int)`);
  const appender = await c.createAppender(table, null, 'temp');
  let bytes = 0;
  for (const { body, sequenceNumber, arrived_ms, shard } of records) {
    appender.appendBlob(body);
    appender.appendVarchar(String(sequenceNumber));
    appender.appendBigInt(BigInt(arrived_ms));
    appender.appendInteger(shard);
    appender.appendInteger(-1);
    appender.endRow();
    bytes += body.length;
  }
  appender.closeSync();
  const path = join(folder, `spool-${process.pid}-${number}.parquet`);
  await c.run(`copy ${table} to '${path}' (format parquet, compression uncompressed)`);
  await c.run(`drop table ${table}`);
  return { path, bytes };
}
