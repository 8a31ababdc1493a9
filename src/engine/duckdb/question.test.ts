import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../base/base.ts';
import { type Cell, type Engine, type LocalFiles, openEngine } from '../engine.ts';

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'question-'));
  engine = await openEngine({ workFolder: join(folder, 'work'), memory_bytes: 5e8, threads: 2 });
  const columns = [
    { name: 'event_type', type: 'VARCHAR' },
    { name: 'size', type: 'INTEGER' },
  ];
  await engine.defineViews([{ schema: 'raw', name: 'events', columns, files: [] }]);
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

async function rowsOf(sql: string, options?: { signal?: AbortSignal }): Promise<(readonly Cell[])[]> {
  const rows: (readonly Cell[])[] = [];
  for await (const chunk of (await engine.query(sql, options)).chunks()) rows.push(...chunk);
  return rows;
}

const failure = (code: string) => expect.objectContaining({ name: 'Failure', code, fault: 'user' });

describe('a question', () => {
  it.each([
    'select count(*) from raw.events',
    '-- how many\nselect count(*) from raw.events; -- end',
    'with t as (select 1 as x) select x from t',
    'with recursive t(x) as (select 1 union all select x + 1 from t where x < 3) select * from t',
    "from raw.events select count(*) where event_type = 'lesson'",
    'table raw.events',
    '(select 1)',
    'values (1), (2)',
    'describe raw.events',
    'describe select 1 as one',
    'show all tables',
    'summarize raw.events',
    "explain select * from raw.events where event_type = 'lesson'",
    '/* slow? */ EXPLAIN ANALYZE select * from raw.events',
    'explain (format json) select * from raw.events',
    "pivot raw.events on event_type in ('lesson') using count(*)",
    "pivot (values ('a', 1), ('b', 2)) t(k, v) on k using sum(v);",
    'unpivot (select 1 as a, 2 as b) on a, b',
  ])('may be: %s', async (sql) => {
    await engine.scanFilters(sql);
    await rowsOf(sql);
  });

  it.each([
    'create table mine (a int)',
    'create view v as select 1',
    'create type mood as enum (select event_type from raw.events)',
    'insert into raw.events select * from raw.events',
    'delete from raw.events',
    "update raw.events set event_type = 'x'",
    'merge into raw.events using raw.events b on false when matched then delete',
    'drop view raw.events',
    "attach 'FILE'",
    'detach memory',
    "copy raw.events to 'FILE'",
    "copy (select 1) to 'FILE'",
    "export database 'FILE'",
    'install httpfs',
    'load httpfs',
    'set threads = 1',
    "pragma memory_limit = '1GB'",
    'reset threads',
    'use raw',
    'begin',
    'checkpoint',
    'vacuum',
    'call pragma_version()',
    'prepare p as select 1',
    'select 1; select 2',
    'select 1; drop view raw.events',
    "select 1; export database 'FILE'",
    'create temp type t as enum (select 1); select 2',
    'select 1); create table y as (select 1',
    'pivot raw.events on event_type using count(*); drop view raw.events',
    'pivot raw.events on event_type using count(*)); create table y as (select 1',
    'explain create table mine (a int)',
    "explain analyze copy raw.events to 'FILE'",
    'explain analyze select 1; select 2',
    'explain select 1; drop view raw.events',
  ])('is not, and nothing of it runs: %s', async (sql) => {
    const before = await readdir(folder);
    await expect(engine.scanFilters(sql.replace('FILE', join(folder, 'answer')))).rejects.toEqual(
      // What closes a parenthesis that nobody opened is no SQL at all.
      failure(/\)\)?; create table/.test(sql) ? 'query.failed' : 'query.not_a_question'),
    );
    expect(await readdir(folder)).toEqual(before);
  });

  it.each([
    ['selec 1', 'syntax error'],
    ['select nothing from raw.events', 'nothing'],
    ['select 1 from raw.event', 'event'],
    ['pivot raw.nothing on a using count(*)', 'nothing'],
    ['', 'no statement'],
    [' ; -- nothing', 'no statement'],
    ['explain', 'no statement'],
  ])('that cannot be asked is a mistake of the asker, with its reason: %j', async (sql, why) => {
    await expect(engine.scanFilters(sql)).rejects.toEqual(
      expect.objectContaining({
        code: 'query.failed',
        fault: 'user',
        why: expect.stringContaining(why),
      }),
    );
  });
});

it('a mistake is shown in the text as it was written', async () => {
  const lines = async (sql: string) => {
    const failed = await engine.scanFilters(sql).then(
      () => undefined,
      (error: Failure) => error.why,
    );
    return failed?.split('\n').slice(-2);
  };
  expect(await lines('select nothing from raw.events')).toEqual([
    'LINE 1: select nothing from raw.events',
    '               ^',
  ]);
  expect(await lines(`${'\n'.repeat(8)}select\n  nothing from raw.events`)).toEqual([
    'LINE 10:   nothing from raw.events',
    '           ^',
  ]);
  expect(await lines(`${'\n'.repeat(8)}select nothing from raw.events`)).toEqual([
    'LINE 9:  select nothing from raw.events',
    '                ^',
  ]);
});

it('that cannot read a file is sent to verify, not to the names of columns', async () => {
  await expect(engine.scanFilters("select * from read_parquet('gone.parquet')")).rejects.toEqual(
    expect.objectContaining({ code: 'query.failed', hint: expect.stringContaining('lakeward verify') }),
  );
});

describe('an answer', () => {
  it('that fails far behind its beginning is a failure, not a short answer', async () => {
    const sql = "select (case when i = 1500000 then 'x' else '1' end)::int from range(2000000) r(i)";
    await expect(rowsOf(sql)).rejects.toEqual(
      expect.objectContaining({
        code: 'query.failed',
        fault: 'user',
        why: expect.stringContaining("Could not convert string 'x'"),
      }),
    );
  });

  it('has 64-bit integers as numbers where a number holds them, else as text', async () => {
    expect(await rowsOf('select 5::bigint, 9007199254740993::bigint, null::bigint, sum(2)::hugeint')).toEqual(
      [[5, '9007199254740993', null, 2]],
    );
  });

  it('is interrupted by its signal, before, while it is made and while it is read; the engine stays usable', async () => {
    const endless = 'select count(*) from range(100000000000) r(i) where hash(i) % 7 = 3';
    await expect(rowsOf('select 1', { signal: AbortSignal.abort() })).rejects.toEqual(
      failure('query.interrupted'),
    );
    await expect(rowsOf(endless, { signal: AbortSignal.timeout(20) })).rejects.toEqual(
      failure('query.interrupted'),
    );
    const stop = new AbortController();
    const read = async () => {
      const { chunks } = await engine.query('select i from range(100000000000) r(i)', {
        signal: stop.signal,
      });
      for await (const _ of chunks()) stop.abort();
    };
    await expect(read()).rejects.toEqual(failure('query.interrupted'));
    expect(await rowsOf('select 1')).toEqual([[1]]);
  });

  it('has intervals as text, as it has times', async () => {
    expect(await rowsOf("select interval 90 minute, [interval 1 day], time '01:30'")).toEqual([
      ['01:30:00', ['1 day'], '01:30:00'],
    ]);
  });

  it('that is never read keeps its files until it is closed, and no longer', async () => {
    let held = 0;
    const files: LocalFiles = {
      async hold() {
        held++;
        return { paths: [], release: () => held-- };
      },
    };
    const own = await openEngine({ workFolder: join(folder, 'own'), memory_bytes: 5e8, threads: 1, files });
    const view = { schema: 'raw', name: 'events', columns: [{ name: 'x', type: 'INTEGER' }], files: [] };
    await own.defineViews([view]);
    const answer = await own.query('from raw.events');
    await own.dropViews([view]);
    expect(held).toBe(1);
    answer.close();
    answer.close();
    expect(held).toBe(0);
    await own.close();
  });

  it('need not be read to its end', async () => {
    for await (const chunk of (await engine.query('select i from range(100000000000) r(i)')).chunks()) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(await rowsOf('select 1')).toEqual([[1]]);
  });
});
