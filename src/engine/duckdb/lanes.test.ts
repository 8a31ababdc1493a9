import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inLanes } from './lanes.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await instance.connect();
});
afterAll(() => instance.closeSync());

/** Lanes that count the connections opened beside the batch's own. */
function lanes(most: number) {
  const opened: DuckDBConnection[] = [];
  const connect = async () => {
    const c = await instance.connect();
    opened.push(c);
    return c;
  };
  return { lanes: { connection, connect, most }, opened };
}

it('results stand in the order of the pieces, whichever is done first', async () => {
  const { lanes: two, opened } = lanes(2);
  const last = Promise.withResolvers<void>();
  const results = await inLanes(two, [0, 1, 2, 3], async (_, piece) => {
    if (piece === 0) await last.promise;
    if (piece === 3) last.resolve();
    return piece * 10;
  });
  expect(results).toEqual([0, 10, 20, 30]);
  expect(opened.length).toBe(1);
});

it('one piece needs no further connection, and pieces of one lane never overlap', async () => {
  const { lanes: many, opened } = lanes(4);
  await inLanes(many, ['only'], async (c) => expect(c).toBe(connection));
  expect(opened).toEqual([]);

  const busy = new Set<DuckDBConnection>();
  await inLanes(lanes(2).lanes, [1, 2, 3, 4, 5, 6], async (c) => {
    expect(busy.has(c)).toBe(false);
    busy.add(c);
    await c.run('select 1');
    busy.delete(c);
  });
});

it('after a failure no piece is begun, and it is thrown once nothing runs any more', async () => {
  const { lanes: two, opened } = lanes(2);
  const failed = Promise.withResolvers<void>();
  const events: string[] = [];
  const writing = inLanes(two, ['slow', 'bad', 'never'], async (_, piece) => {
    events.push(`${piece} begins`);
    if (piece === 'bad') {
      failed.resolve();
      throw new Error('disk full');
    }
    await failed.promise;
    await connection.run('select 1');
    events.push(`${piece} ends`);
  });
  await expect(writing).rejects.toThrow('disk full');
  expect(events).toEqual(['slow begins', 'bad begins', 'slow ends']);
  // The batch's own stays open, the other is gone.
  await connection.run('select 1');
  await expect(opened[0]!.run('select 1')).rejects.toThrow();
});
