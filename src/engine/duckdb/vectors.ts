/**
 * Whole columns between DuckDB and typed arrays, without a JavaScript object per value. Reading through getters costs
 * 0.3 µs a value; the raw vectors 0.13 CPU s a million identities.
 */
import {
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBResult,
  type DuckDBVector,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api';
import type { Identities } from '../engine.ts';
import { engineFailure } from './duckdb.ts';
import { endedWell, streamed } from './stream.ts';

/** The storage behind a vector; the library keeps it private although it is the only fast way. */
interface Raw<Items> {
  items: Items;
  dataView: DataView;
}
const raw = <Items = Int32Array>(vector: DuckDBVector) => vector as unknown as Raw<Items>;

/**
 * Chunks of a query whose columns are: row id INTEGER, identity UUID, content UINTEGER, time DOUBLE. For results too
 * large to be held; the connection is for this query alone.
 */
export async function* identityChunks(c: DuckDBConnection, sql: string): AsyncGenerator<Identities> {
  try {
    for await (const chunk of await streamed(c, sql)) yield identitiesOf(chunk);
    await endedWell(c, sql);
  } catch (error) {
    throw engineFailure(error, 'reading identities');
  }
}

function identitiesOf(chunk: DuckDBDataChunk): Identities {
  const count = chunk.rowCount;
  const { dataView } = raw(chunk.getColumnVector(1));
  return {
    count,
    rows: raw(chunk.getColumnVector(0)).items.slice(0, count),
    keys: new Uint32Array(dataView.buffer, dataView.byteOffset, count * 4).slice(),
    contents: raw<Uint32Array>(chunk.getColumnVector(2)).items.slice(0, count),
    times: raw<Float64Array>(chunk.getColumnVector(3)).items.slice(0, count),
  };
}

/** Before anything of it is read: a stream that fails gives fewer rows and no error. */
async function whole(c: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  try {
    return await c.run(sql);
  } catch (error) {
    throw engineFailure(error, 'reading identities');
  }
}

/** All of a batch. */
export async function readIdentities(
  c: DuckDBConnection,
  sql: string,
  capacity: number,
): Promise<Identities> {
  const all = {
    count: 0,
    rows: new Int32Array(capacity),
    keys: new Uint32Array(capacity * 4),
    contents: new Uint32Array(capacity),
    times: new Float64Array(capacity),
  };
  for await (const part of await whole(c, sql)) {
    const chunk = identitiesOf(part);
    all.rows.set(chunk.rows, all.count);
    all.keys.set(chunk.keys, all.count * 4);
    all.contents.set(chunk.contents, all.count);
    all.times.set(chunk.times, all.count);
    all.count += chunk.count;
  }
  return {
    count: all.count,
    rows: all.rows.subarray(0, all.count),
    keys: all.keys.subarray(0, all.count * 4),
    contents: all.contents.subarray(0, all.count),
    times: all.times.subarray(0, all.count),
  };
}

/** Creates a temporary table with one INTEGER column `rid`. */
export async function fillRowIds(c: DuckDBConnection, table: string, rows: Int32Array): Promise<void> {
  await c.run(`create or replace temp table ${table} (rid integer)`);
  const appender = await c.createAppender(table, null, 'temp');
  for (let at = 0; at < rows.length; at += 2048) {
    const part = rows.subarray(at, at + 2048);
    const chunk = DuckDBDataChunk.create([INTEGER], part.length);
    const vector = chunk.getColumnVector(0);
    raw(vector).items.set(part);
    vector.flush();
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

/** Creates a temporary table with one VARCHAR column `text`; a statement could not say a text with a NUL in it. */
export async function fillTexts(c: DuckDBConnection, table: string, texts: readonly string[]): Promise<void> {
  await c.run(`create or replace temp table ${table} (text varchar)`);
  const appender = await c.createAppender(table, null, 'temp');
  for (let at = 0; at < texts.length; at += 2048) {
    const part = texts.slice(at, at + 2048);
    const chunk = DuckDBDataChunk.create([VARCHAR], part.length);
    chunk.setColumnValues(0, part);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

export async function readRowIds(c: DuckDBConnection, sql: string, capacity: number): Promise<Int32Array> {
  const rows = new Int32Array(capacity);
  let count = 0;
  for await (const chunk of await whole(c, sql)) {
    rows.set(raw(chunk.getColumnVector(0)).items.subarray(0, chunk.rowCount), count);
    count += chunk.rowCount;
  }
  return rows.subarray(0, count);
}
