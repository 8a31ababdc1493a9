/** Identities between Spark and typed arrays, by way of Arrow batches. */
import type { Table } from 'apache-arrow';
import type { Identities } from '../engine.ts';

/**
 * An event_uuid's identity as 16 bytes: what event/identity.ts says, in Spark's SQL. `\z`, because Java's `$` also
 * stands before a last line break.
 */
export const identitySql = (uuid: string) =>
  `unhex(case when ${uuid} rlike r'^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\z'
    then replace(${uuid}, '-', '') else left(sha2(cast(${uuid} as binary), 256), 32) end)`;

/** Of a document; only ever compared with others of the same engine. */
export const contentSql = (document: string) => `cast(xxhash64(${document}) & 4294967295L as bigint)`;

/** A batch whose columns are: rid int, id binary(16), content bigint, time double. */
export function identitiesOf(batch: Table): Identities {
  const count = batch.numRows;
  const [rids, ids, contents, times] = [0, 1, 2, 3].map((at) => batch.getChildAt(at)!);
  const identities = {
    count,
    rows: new Int32Array(count),
    keys: new Uint32Array(count * 4),
    contents: new Uint32Array(count),
    times: new Float64Array(count),
  };
  const bytes = new DataView(identities.keys.buffer);
  for (let i = 0; i < count; i++) {
    identities.rows[i] = rids!.get(i) as number;
    const id = ids!.get(i) as Uint8Array;
    setKey(bytes, { at: i * 16, id });
    identities.contents[i] = Number(contents!.get(i));
    identities.times[i] = times!.get(i) as number;
  }
  return identities;
}

/**
 * The words in the order in which DuckDB keeps a UUID (lower half first, little endian, the sign bit flipped so that
 * they sort), so that an index made with one engine holds with the other.
 */
function setKey(keys: DataView, { at, id }: { at: number; id: Uint8Array }): void {
  const bytes = new DataView(id.buffer, id.byteOffset, 16);
  keys.setBigUint64(at, bytes.getBigUint64(8), true);
  keys.setBigUint64(at + 8, bytes.getBigUint64(0) ^ 0x8000000000000000n, true);
}

export async function gathered(batches: AsyncIterable<Table>): Promise<Identities> {
  const parts: Identities[] = [];
  for await (const batch of batches) parts.push(identitiesOf(batch));
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const all = {
    count,
    rows: new Int32Array(count),
    keys: new Uint32Array(count * 4),
    contents: new Uint32Array(count),
    times: new Float64Array(count),
  };
  let at = 0;
  for (const part of parts) {
    all.rows.set(part.rows, at);
    all.keys.set(part.keys, at * 4);
    all.contents.set(part.contents, at);
    all.times.set(part.times, at);
    at += part.count;
  }
  return all;
}

export async function rowIds(batches: AsyncIterable<Table>): Promise<Int32Array> {
  const parts: Int32Array[] = [];
  for await (const batch of batches) parts.push(Int32Array.from(batch.getChildAt(0)!.toArray()));
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
