import { expect, test } from 'vitest';
import { VirtualClock } from '../../../tests/support/virtual-clock.ts';
import { Failure, silentLog } from '../../base/base.ts';
import type { DataFile, Lake, Table } from '../../lake/lake.ts';
import { STAGING, STAGING_NAME } from '../../tables/tables.ts';
import { branchWriter } from './branch-write.ts';
import type { Connection, Workspace } from './connection.ts';

/** A table of one snapshot, and a Spark whose inserts are turned away so many times. */
function setup(turnedAway: number, { left = [], sweeps = true }: { left?: string[]; sweeps?: boolean } = {}) {
  const statements: string[] = [];
  const dropped: string[] = [];
  const main = { 'snapshot-id': 1n, 'sequence-number': 1 };
  const refs: Record<string, { 'snapshot-id': bigint }> = { main: { 'snapshot-id': 1n } };
  for (const branch of left) refs[branch] = { 'snapshot-id': 1n };
  const snapshots: object[] = [main];
  const schemas = [{ 'schema-id': 0, fields: STAGING.schema.fields }];
  const metadata = { 'current-snapshot-id': 1n, refs, snapshots, schemas, 'current-schema-id': 0 };
  const table = { name: STAGING_NAME, metadata } as unknown as Table;
  const file = { location: 's3://x/1', recordCount: 3, lowerBounds: new Map(), upperBounds: new Map() };
  const lake = {
    load: async () => table,
    files: async () => ({ files: [file as unknown as DataFile] }),
    store: { localPath: () => undefined },
  } as unknown as Lake;
  let inserts = 0;
  const run = async (_: string, sql: string) => {
    statements.push(sql.split(' ').slice(0, 2).join(' '));
    dropped.push(...(/drop branch if exists `(\w+)`/.exec(sql)?.slice(1) ?? []));
    if (!sql.startsWith('insert')) return;
    if (++inserts <= turnedAway)
      throw new Failure('writing failed', {
        code: 'spark.commit_failed',
        fault: 'service',
        retry: 'backoff',
      });
    const branch = /branch_(lw_\w+)/.exec(sql)![1]!;
    refs[branch] = { 'snapshot-id': 2n };
    snapshots.push({ 'snapshot-id': 2n, 'parent-snapshot-id': 1n, 'sequence-number': 2 });
  };
  const workspace = { run } as unknown as Workspace;
  const connection = { workspace: async () => workspace } as unknown as Connection;
  let id = 0;
  const around = {
    clock: new VirtualClock({ running: true }),
    log: silentLog,
    newId: () => `${++id}`,
    random: () => 0,
  };
  const writer = branchWriter({ ...around, lake, connection, sweeps, catalog: 'lakeward' });
  const write = { doing: 'writing', table: STAGING_NAME, definition: STAGING, select: 'select 1', rows: 3 };
  return { statements, dropped, inserts: () => inserts, write: () => writer.write(workspace, write) };
}

test('a write that others were faster than is made again, each time on a branch of its own that is dropped', async () => {
  const { statements, inserts, write } = setup(3);
  const { files } = await write();
  expect(files).toHaveLength(1);
  expect(inserts()).toBe(4);
  expect(statements.filter((each) => each === 'alter table')).toHaveLength(4 + 3);
});

test('it is given up after four tries', async () => {
  const { inserts, write } = setup(9);
  await expect(write()).rejects.toMatchObject({ code: 'spark.commit_failed' });
  expect(inserts()).toBe(4);
});

test.each([
  ['of the table’s own writer drops the branches that a process left which is gone', true, ['lw_gone']],
  ['beside the table’s own writer leaves its branches alone', false, []],
])('an engine %s', async (_, sweeps, expected) => {
  const { dropped, write } = setup(0, { left: ['lw_gone', 'theirs'], sweeps });
  await write();
  await write();
  expect(dropped).toEqual(expected);
});
