/** pyiceberg and DuckDB by our REST server: their own tables from beginning to end, and ours, while ours goes on. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { currentSnapshot } from '../../src/lake/lake.ts';
import { RAW_NAME, tableState } from '../../src/tables/tables.ts';
import { uuidOf } from '../support/events.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { byRestServer, type Reached } from './catalog-ways.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

const python = await pythonWith('iceberg');
const SCRIPT = join(import.meta.dirname, 'use_rest_catalog.py');
const DUCKDB = join(import.meta.dirname, 'use_rest_with_duckdb.py');
const TABLE = 'marts.by_python';

describeWith(python, 'a program by our REST server', () => {
  let written: WrittenLake;
  let reached: Reached;
  beforeAll(async () => {
    written = await writeLake({ count: 600, seed: 5, commits: [400] });
    reached = await byRestServer(written);
  });
  afterAll(async () => {
    await reached?.close();
    await written?.close();
  });
  const address = () => ({ uri: reached.pyiceberg['uri'], token: reached.pyiceberg['token'] });

  async function step<T>(name: string, more: object = {}): Promise<T> {
    const answer = await python.run<{ [name: string]: T }>(SCRIPT, {
      ...{ ...address(), steps: [name] },
      ...more,
    });
    return answer[name]!;
  }

  test('creates a table and appends to it', async () => {
    expect(await step('create')).toEqual({
      ids: [1, 2],
      columns: [1, 2, 3],
      by: 'hand',
      namespaces: [['marts'], ['quarantine'], ['raw'], ['staging']],
      tables: [['marts', 'by_python']],
      owner: 'me',
    });
    const table = await written.table(TABLE);
    expect(table.metadata.properties).toMatchObject({ 'made-by': 'pyiceberg' });
    expect(await written.rows(TABLE, 'count(*)')).toEqual([[2]]);
  });

  test('appends on a version that is no longer the current one: it is told so, and succeeds anew', async () => {
    expect(await step('stale')).toEqual({ refused: true, ids: [1, 2, 3, 4] });
  });

  test('adds and renames columns, overwrites and deletes rows', async () => {
    expect(await step('evolve')).toEqual({
      ids: [3, 4, 9],
      columns: ['id', 'at', 'sort', 'size'],
      changed: 'yes',
    });
  });

  test('expires snapshots, but for a tagged one', async () => {
    const { current, ...rest } = await step<{ current: string }>('expire');
    expect(rest).toEqual({ snapshots: 2, ids: [3, 4, 9], first: [1, 2] });
    const table = await written.table(TABLE);
    expect(String(table.metadata['current-snapshot-id'])).toBe(current);
    expect(currentSnapshot(table.metadata)).toBeDefined();
  });

  test('reads a table of ours, pruned, and appends to it; our next commit goes on from there', async () => {
    const before = await tableState(await written.table(RAW_NAME));
    const where = ['event_type', 'lesson'] as const;
    const expected = Number((await written.rows(RAW_NAME, 'count(*)', `where event_type = 'lesson'`))[0]![0]);
    const { files } = await written.lake.files(await written.table(RAW_NAME), {
      where: [{ column: where[0], in: [where[1]] }],
    });
    expect(await step('ours', { table: RAW_NAME, where, uuid: uuidOf(9) })).toEqual({
      rows: expected,
      files: files.length + 1,
    });
    written.stream.put([
      JSON.stringify({ event_uuid: uuidOf(10), event_name: 'lesson:started', created_at: 1.7e9 }),
    ]);
    await written.run();
    const after = await tableState(await written.table(RAW_NAME));
    expect(after.foreignRows).toBe(0);
    expect(after.ledger.foreign).toBe(before.ledger.foreign + 1);
  });

  test('that is DuckDB reads a table of ours, and makes and fills one of its own', async () => {
    const where = `event_type = 'lesson'`;
    const expected = Number((await written.rows(RAW_NAME, 'count(*)', `where ${where}`))[0]![0]);
    const asked = { ...address(), table: RAW_NAME, where };
    expect(await python.run(DUCKDB, asked)).toEqual({
      rows: expected,
      own: [
        [1, 'a'],
        [2, 'ü'],
        [3, 'c'],
      ],
    });
    expect(await written.rows('duck.pond', 'count(*)')).toEqual([[3]]);
  });

  test('renames its table and purges it: none of its files is left', async () => {
    const table = await written.table(TABLE);
    const { files } = await written.lake.files(table);
    expect(await step('finish')).toEqual({
      ids: [3, 4, 9],
      gone: true,
      namespaces: [['duck'], ['quarantine'], ['raw'], ['staging']],
    });
    const named = [table.metadataLocation, ...files.map(({ location }) => location)];
    expect(files.length).toBeGreaterThan(0);
    for (const location of named) expect(await written.lake.store.head(location)).toBeUndefined();
  });
});
