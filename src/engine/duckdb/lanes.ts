/**
 * Pieces of one write side by side. A connection works on one thread, so two of them use two cores; each has temporary
 * tables of its own, so that pieces share nothing but the files they read and the folder they write to.
 */
import type { DuckDBConnection } from '@duckdb/node-api';

export interface Lanes {
  /** The batch's own connection: the first lane. */
  connection: DuckDBConnection;
  /** Further connections are opened for as long as a write needs them. */
  connect: () => Promise<DuckDBConnection>;
  /** Connections that work at once. */
  most: number;
}

/**
 * Results in the order of the pieces, which are begun in that order. After a failure no further piece is begun; it is
 * thrown once nothing runs any more, so that whoever then empties the folder has it for himself.
 */
export async function inLanes<Piece, Result>(
  { connection, connect, most }: Lanes,
  pieces: readonly Piece[],
  work: (c: DuckDBConnection, piece: Piece) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = pieces.entries();
  let failed = false;
  const lane = async (open: () => Promise<DuckDBConnection>) => {
    let c: DuckDBConnection | undefined;
    try {
      for (const [i, piece] of waiting) {
        c ??= await open();
        if (failed) break;
        results[i] = await work(c, piece);
      }
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      if (c !== connection) c?.closeSync();
    }
  };
  const further = Math.min(most, pieces.length) - 1;
  const running = [
    lane(async () => connection),
    ...Array.from({ length: Math.max(further, 0) }, () => lane(connect)),
  ];
  const ended = await Promise.allSettled(running);
  const failure = ended.find((end) => end.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return results;
}
