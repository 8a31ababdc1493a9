/**
 * Whole columns between DuckDB and typed arrays, without a JavaScript object per value. Reading through getters costs
 * 0.3 µs a value; the raw vectors 0.13 CPU s a million identities.
 */
import {
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBMaterializedResult,
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
  const all = room(chunk.rowCount);
  copyInto(all, 0, chunk);
  return all;
}

/** Before anything of it is read: a stream that fails gives fewer rows and no error. */
async function whole(c: DuckDBConnection, sql: string): Promise<DuckDBMaterializedResult> {
  try {
    return await c.run(sql);
  } catch (error) {
    throw engineFailure(error, 'reading identities');
  }
}

/** All of a batch. */
export async function readIdentities(c: DuckDBConnection, sql: string): Promise<Identities> {
  const result = await whole(c, sql);
  const all = room(result.rowCount);
  let at = 0;
  for await (const chunk of result) {
    copyInto(all, at, chunk);
    at += chunk.rowCount;
  }
  return all;
}

const room = (count: number) => ({
  count,
  rows: new Int32Array(count),
  keys: new Uint32Array(count * 4),
  contents: new Uint32Array(count),
  times: new Float64Array(count),
});

function copyInto(all: ReturnType<typeof room>, at: number, chunk: DuckDBDataChunk): void {
  const count = chunk.rowCount;
  const { dataView } = raw(chunk.getColumnVector(1));
  all.rows.set(raw(chunk.getColumnVector(0)).items.subarray(0, count), at);
  all.keys.set(new Uint32Array(dataView.buffer, dataView.byteOffset, count * 4), at * 4);
  all.contents.set(raw<Uint32Array>(chunk.getColumnVector(2)).items.subarray(0, count), at);
  all.times.set(raw<Float64Array>(chunk.getColumnVector(3)).items.subarray(0, count), at);
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

export async function readRowIds(c: DuckDBConnection, sql: string): Promise<Int32Array> {
  const result = await whole(c, sql);
  const rows = new Int32Array(result.rowCount);
  let count = 0;
  for await (const chunk of result) {
    rows.set(raw(chunk.getColumnVector(0)).items.subarray(0, chunk.rowCount), count);
    count += chunk.rowCount;
  }
  return rows;
}
