import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

export interface SpooledRecord {
  body: Uint8Array;
  sequenceNumber: bigint;
  arrived_ms: number;
  /** Index into the spool's shards. */
  shard: number;
}

let opened: Promise<DuckDBInstance> | undefined;
let files = 0;

/** A spool as the stream module's contract describes it, by another way than its own: DuckDB writes the Parquet. */
export async function writeSpoolFile(
  folder: string,
  records: readonly SpooledRecord[],
): Promise<{ path: string; bytes: number }> {
  const path = join(folder, `spool-${process.pid}-${++files}.parquet`);
  opened ??= DuckDBInstance.create(':memory:', { threads: '1' });
  // A connection each: several workers of one test write at once, and an appender shares its connection with nobody.
  const c = await (await opened).connect();
  await c.run('create temp table spool (body blob, seq varchar, arrived_ms bigint, shard int, sub int)');
  const appender = await c.createAppender('spool', null, 'temp');
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
  await c.run(`copy spool to '${path}' (format parquet, compression uncompressed)`);
  c.closeSync();
  return { path, bytes };
}
