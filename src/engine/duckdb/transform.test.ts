import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { STAGING } from '../../tables/tables.ts';
import { openEngine, type TransformWrite } from '../engine.ts';
import type { LocalFiles, Need } from '../local-files.ts';

async function setup(files: LocalFiles) {
  const folder = await mkdtemp(join(tmpdir(), 'transform-'));
  const engine = await openEngine({
    workFolder: join(folder, 'work'),
    memory_bytes: 200e6,
    threads: 1,
    files,
  });
  onTestFinished(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });
  return engine;
}

const write = (sql: string): TransformWrite => ({
  name: 'mart',
  table: 'marts.mart',
  views: [
    {
      name: 'events',
      fields: STAGING.schema.fields,
      files: [],
      anyOf: [{ column: 'event_type', values: ['lesson'] }],
      days: { column: 'created_datetime', first: 20_000, last: 20_001 },
    },
  ],
  sql,
  fields: [{ id: 1, name: 'n', type: 'long', required: false }],
});

const FILTERED = ['event_type', 'created_datetime'];

test.for([
  ['select count(*) as n from events', []],
  ["select count(distinct document->>'$.x') as n from events", ['document']],
  ['select count(*) as n from events e where E."Event_Name" is not null', ['event_name']],
  ['with a as (select event_uuid as id from events) select count(id) as n from a', ['event_uuid']],
  ['select count(*) as n from events a join (select shard_id from events) b using (shard_id)', ['shard_id']],
  ['select count(*) as n from (select * from events)', 'all'],
  ['select count(*) as n from events a natural join events b', 'all'],
  ['select count(distinct e) as n from events e', 'all'],
  ["select count(x) as n from query_table('events') t(x)", 'all'],
  ['select count(distinct columns(*)) as n from (select event_name from events)', 'all'],
] as const)('of its files it needs the columns that it can read: %s', async ([sql, named]) => {
  const needs: (Need | undefined)[] = [];
  const engine = await setup({
    async hold(files, need) {
      needs.push(need);
      return { paths: files.map(({ location }) => location), release() {} };
    },
  });
  await engine.transform(write(sql)).then((answer) => answer[Symbol.asyncDispose]());
  const columns = needs[0]!.columns?.map(({ name }) => name);
  const all = STAGING.schema.fields.map(({ name }) => name);
  expect(columns).toEqual(
    named === 'all' ? undefined : all.filter((name) => [...FILTERED, ...named].includes(name)),
  );
});

test('a query that runs ends when it is told to', async () => {
  const stop = new AbortController();
  const engine = await setup({
    async hold() {
      // The query begins in the turn after this one, and would take hours.
      setTimeout(() => stop.abort(), 0);
      return { paths: [], release() {} };
    },
  });
  const sql = 'select sum(a.range * b.range % 7)::bigint as n from range(100000000) a, range(100000000) b';
  const running = engine.transform({ ...write(sql), signal: stop.signal });
  await expect(running).rejects.toMatchObject({ code: 'transform.interrupted' });
});
