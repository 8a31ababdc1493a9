/**
 * Preloaded (`--import`): the process dies as of a fault in the engine's native code whenever a record that holds
 * `deadly` is looked into.
 */
import { DuckDBConnection } from '@duckdb/node-api';

const { run } = DuckDBConnection.prototype;
DuckDBConnection.prototype.run = async function (sql, ...rest) {
  const result = await run.call(this, sql, ...rest);
  if (sql.startsWith('create or replace temp table judged')) {
    const found = await run.call(this, "select 1 from judged where contains(text, 'deadly') limit 1");
    if ((await found.getRows()).length > 0) process.abort();
  }
  return result;
};
