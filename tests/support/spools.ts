import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'vitest';
import type { Position, Spool, Taking } from '../../src/stream/stream.ts';

export interface SpoolRow {
  body: string;
  seq: string;
  arrived_ms: number;
  shard: string;
  sub: number;
}

// On a virtual clock a spool may have the path of one that is gone, within one second: DuckDB would have kept its bytes.
const instance = DuckDBInstance.create(':memory:', { enable_external_file_cache: 'false' });

/** The rows of a spool as DuckDB reads them, in order; bodies as Latin 1 text, so that every byte is told apart. */
export async function readSpool({ path, shards }: Pick<Spool, 'path' | 'shards'>): Promise<SpoolRow[]> {
  const connection = await (await instance).connect();
  try {
    const result = await connection.runAndReadAll(
      `select to_base64(body), seq, arrived_ms::double, shard, sub
       from read_parquet('${path}', file_row_number = true) order by file_row_number`,
    );
    return result.getRows().map(([body, seq, arrived_ms, shard, sub]) => ({
      body: Buffer.from(body as string, 'base64').toString('latin1'),
      seq: seq as string,
      arrived_ms: arrived_ms as number,
      shard: shards[shard as number]!,
      sub: sub as number,
    }));
  } finally {
    connection.closeSync();
  }
}

export type TakenSpool = Omit<Spool, typeof Symbol.asyncDispose> & { content: SpoolRow[] };

/** Every batch until the taking ends, read back and let go of. */
export async function takeAll(taking: Pick<Taking, 'next'>): Promise<TakenSpool[]> {
  const spools: TakenSpool[] = [];
  for (let spool = await taking.next(); spool !== undefined; spool = await taking.next()) {
    const content = await readSpool(spool);
    expect(content.length).toBe(spool.rows);
    await spool[Symbol.asyncDispose]();
    spools.push({ ...spool, content });
  }
  return spools;
}

/** Bodies by shard, over all batches. */
export function bodiesByShard(spools: readonly TakenSpool[]): Map<string, string[]> {
  const bodies = new Map<string, string[]>();
  for (const { content } of spools) {
    for (const { shard, body } of content) bodies.set(shard, [...(bodies.get(shard) ?? []), body]);
  }
  return bodies;
}

/** What every consumer relies on: ranges join without a gap and say exactly what is in the spool. */
export function expectJoinedRanges(
  spools: readonly TakenSpool[],
  from: ReadonlyMap<string, Position> = new Map(),
): void {
  const reached = new Map(from);
  for (const { ranges, content } of spools) {
    for (const [shard, range] of ranges) {
      if (reached.has(shard)) expect(range.from).toBe(reached.get(shard));
      expect(range.to).not.toBe(range.from);
      reached.set(shard, range.to);
      const last = content.findLast((row) => row.shard === shard);
      if (range.to !== 'end') expect(last?.seq).toBe(range.to);
    }
    for (const { shard } of content) expect(ranges.has(shard)).toBe(true);
  }
}
