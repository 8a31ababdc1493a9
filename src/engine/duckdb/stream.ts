/**
 * Results that are read while they are made. The library ends a stream that failed as if it were complete (a
 * conversion error in row 1,500,000 gives 1,247,232 rows and no error); the transaction around it knows better.
 */
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';

/** After the last chunk, `endedWell` must be asked; the connection is for this query alone. */
export async function streamed(c: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  await c.run('begin');
  return c.stream(sql);
}

/** Throws what ended the stream before its end. */
export async function endedWell(c: DuckDBConnection, sql: string): Promise<void> {
  try {
    await c.run('select 1');
  } catch (aborted) {
    await c.run('rollback');
    // Runs it once more, without its rows, for the message.
    await c.run(`explain analyze ${sql}`);
    throw aborted;
  }
}
