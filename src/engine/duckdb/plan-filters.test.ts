import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileFilter } from '../../lake/lake.ts';
import { type Engine, openEngine } from '../engine.ts';

let folder: string;
let engine: Engine;

const COLUMNS = [
  { name: 'event_uuid', type: 'VARCHAR' },
  { name: 'event_name', type: 'VARCHAR' },
  { name: 'event_type', type: 'VARCHAR' },
  { name: 'created_at', type: 'DOUBLE' },
  { name: 'created_datetime', type: 'TIMESTAMPTZ' },
  { name: 'sub', type: 'INTEGER' },
  { name: 'big', type: 'BIGINT' },
  { name: 'ratio', type: 'FLOAT' },
  { name: 'price', type: 'DECIMAL(10, 2)' },
  { name: 'local', type: 'TIMESTAMP' },
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'));
  engine = await openEngine({ workFolder: join(folder, 'work'), memory_bytes: 5e8, threads: 1 });
  const view = (schema: string, name: string) => ({ schema, name, columns: COLUMNS, files: [] });
  await engine.defineViews([
    view('raw', 'events'),
    view('staging', 'events'),
    view('my-lake', 'Odd "name"'),
    view('a.b', 'c'),
  ]);
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

async function filters(where: string): Promise<readonly FileFilter[]> {
  const scans = await engine.scanFilters(
    `select count(*), any_value(event_uuid) from raw.events where ${where}`,
  );
  expect(scans.map((scan) => scan.view)).toEqual(['raw.events']);
  return scans[0]!.filters;
}

/** View and filters of every scan, in an order of their own. */
async function scans(sql: string) {
  const found = await engine.scanFilters(sql);
  return found.map((scan) => `${scan.view} ${JSON.stringify(scan.filters)}`).sort();
}

const us = (iso: string): bigint => BigInt(Date.parse(iso)) * 1000n;
const DAY = 86_400_000_000n;

describe('comparisons that a file can be judged by', () => {
  it.each<[string, FileFilter[]]>([
    ["event_type = 'payment'", [{ column: 'event_type', in: ['payment'] }]],
    ["'payment' = Event_Type", [{ column: 'event_type', in: ['payment'] }]],
    ["event_type in ('a', 'b', 'd''e')", [{ column: 'event_type', in: ['a', 'b', "d'e"] }]],
    [
      "event_type = 'a' or event_type = 'b' or event_type = 'c'",
      [{ column: 'event_type', in: ['a', 'b', 'c'] }],
    ],
    ["event_type > 'a'", [{ column: 'event_type', min: 'a' }]],
    [
      "event_type between 'a' and 'c'",
      [
        { column: 'event_type', min: 'a' },
        { column: 'event_type', max: 'c' },
      ],
    ],
    [
      "event_name like 'pay%'",
      [
        { column: 'event_name', min: 'pay' },
        { column: 'event_name', max: 'paz' },
      ],
    ],
    ["event_type = 'Ünï日本😀'", [{ column: 'event_type', in: ['Ünï日本😀'] }]],
    ["event_type = 'a' || 'b'", [{ column: 'event_type', in: ['ab'] }]],
    ['sub = -5', [{ column: 'sub', in: [-5] }]],
    [
      'sub in (-1, -2)',
      [
        { column: 'sub', min: -2 },
        { column: 'sub', max: -1 },
      ],
    ],
    ['created_at > -1e300', [{ column: 'created_at', min: -1e300 }]],
    ['created_at <= 0.1', [{ column: 'created_at', max: 0.1 }]],
    ['big = 9007199254740993', [{ column: 'big', in: [9_007_199_254_740_993n] }]],
    ['big < 9007199254740993', [{ column: 'big', max: 9_007_199_254_740_992n }]],
    ["created_datetime >= '2026-01-02'", [{ column: 'created_datetime', min: us('2026-01-02') }]],
    [
      "created_datetime = '2026-01-01 00:00:00.123456+02'",
      [{ column: 'created_datetime', in: [us('2025-12-31T22:00:00.123Z') + 456n] }],
    ],
    [
      "created_datetime = timestamptz '2026-01-01 00:00:00+05:30'",
      [{ column: 'created_datetime', in: [us('2025-12-31T18:30:00Z')] }],
    ],
    ["created_datetime < '1969-12-31 23:59:59.5'", [{ column: 'created_datetime', max: -500_001n }]],
    ["created_datetime > '0044-03-15'", [{ column: 'created_datetime', min: us('0044-03-15') + 1n }]],
  ])('%s', async (where, expected) => {
    expect(await filters(where)).toEqual(expected);
  });
});

it('reads a value of 5,000 characters to its end', async () => {
  const long = `${'x'.repeat(4_999)}y`;
  expect(await filters(`event_type = '${long}'`)).toEqual([{ column: 'event_type', in: [long] }]);
});

describe('a timestamp compared by its day', () => {
  const start = us('2026-01-01');
  it.each<[string, FileFilter]>([
    [
      "created_datetime::date = '2026-01-01'",
      { column: 'created_datetime', min: start, max: start + DAY - 1n },
    ],
    ["created_datetime::date >= '2026-01-01'", { column: 'created_datetime', min: start }],
    ["created_datetime::date > '2026-01-01'", { column: 'created_datetime', min: start + DAY }],
    ["created_datetime::date <= '2026-01-01'", { column: 'created_datetime', max: start + DAY - 1n }],
    ["created_datetime::date < '2026-01-01'", { column: 'created_datetime', max: start - 1n }],
    [
      "created_datetime::date between '2026-01-01' and '2026-01-03'",
      { column: 'created_datetime', min: start, max: start + 3n * DAY - 1n },
    ],
  ])('%s', async (where, expected) => {
    expect(await filters(where)).toEqual([expected]);
  });

  it('reads date_trunc as the range that it is', async () => {
    expect(await filters("date_trunc('month', created_datetime) = '2026-01-01'")).toEqual([
      { column: 'created_datetime', min: start },
      { column: 'created_datetime', max: start + 31n * DAY - 1n },
    ]);
  });

  it('reads arithmetic with now() as the moment that it is', async () => {
    const before = BigInt(Date.now()) * 1000n;
    const [filter, ...others] = await filters('created_datetime > now() - interval 1 day');
    expect(others).toEqual([]);
    expect(filter!.min).toBeGreaterThan(before - DAY);
    expect(filter!.min).toBeLessThanOrEqual(BigInt(Date.now() + 1) * 1000n - DAY);
  });
});

describe('what is not understood in full leaves every file in', () => {
  it.each([
    "event_type <> 'a'",
    "not (event_type = 'a')",
    'not (sub between 1 and 3)',
    "event_type not in ('a', 'b')",
    "event_type = 'a' or sub = 1",
    "event_type = 'a' or event_type is null",
    'sub = 10 or (sub >= 5 and sub <= 7)',
    "(event_type > 'a' and event_type < 'b') or event_type = 'z'",
    "event_type > 'a' or event_type < '0'",
    "lower(event_type) = 'a'",
    "event_type collate nocase = 'a'",
    'event_type = event_name',
    'event_type is null',
    "event_name like '%pay'",
    "event_name ilike 'pay%'",
    'sub = 5.5',
    'created_at::int = 5',
    "sub::varchar = '5'",
    "event_name::date = '2026-01-01'",
    "local::date = '2026-01-01'",
    // Bounds of these are rounded or unscaled: the text of the constant cannot be compared with them.
    'ratio = 0.1',
    'price <= 1.5',
    "local > '2026-01-01'",
    "created_at = 'nan'",
    "created_datetime < 'infinity'",
    "created_datetime > '0044-03-15 (BC)'",
    "created_datetime < '290000-01-01'",
    'year(created_datetime) = 2026',
    "coalesce(event_type = 'a', true)",
  ])('%s', async (where) => {
    expect(await filters(where)).toEqual([]);
  });

  it('keeps the part beside it that is understood', async () => {
    expect(
      await filters("event_type = 'a' and (sub = 1 or created_at = 2) and lower(event_name) = 'b'"),
    ).toEqual([{ column: 'event_type', in: ['a'] }]);
  });
});

describe('values that look like a plan', () => {
  it.each([
    "x' OR 'y",
    'a) AND (b',
    "it''s",
    "' AND sub=5 AND event_name='",
    "a' OR event_type='b",
    "a', 'b",
    'optional: sub=5',
    "'::TIMESTAMP WITH TIME ZONE",
    '\\n',
  ])('%j is that value and nothing else', async (value) => {
    const literal = `'${value.replaceAll("'", "''")}'`;
    expect(await filters(`event_type = ${literal}`)).toEqual([{ column: 'event_type', in: [value] }]);
    expect(await filters(`event_type in ('z', ${literal}, 'y')`)).toEqual([
      { column: 'event_type', in: ['z', value, 'y'] },
    ]);
    // Between two OR the parts of such a value cannot always be told apart: then it is no filter.
    for (const filter of await filters(`event_type = 'z' or event_type = ${literal}`)) {
      expect(filter).toEqual({ column: 'event_type', in: ['z', value] });
    }
  });

  it('takes a line break in a value for a part of it, whatever stands on the next line', async () => {
    expect(await filters("event_type = 'a' || chr(10) || 'sub=5' || chr(10) || 'b'")).toEqual([
      { column: 'event_type', in: ['a\nsub=5\nb'] },
    ]);
    const line = "chr(10) || 'sub=5' || chr(10) || 'b'";
    expect(await filters(`event_type in ('a' || ${line}, 'c' || ${line})`)).toEqual([
      { column: 'event_type', in: ['a\nsub=5\nb', 'c\nsub=5\nb'] },
    ]);
  });

  it('makes no filter of a value whose text ends at a NUL', async () => {
    expect(await filters("event_type = 'a' || chr(0) || 'b'")).toEqual([]);
    expect(await filters("event_type in ('c', 'a'')' || chr(0) || 'b')")).toEqual([]);
  });
});

describe('scans', () => {
  const only = (type: string) => `raw.events [{"column":"event_type","in":["${type}"]}]`;

  it.each([
    [
      'of a self-join have a filter each',
      "select a.sub from raw.events a join raw.events b using (event_uuid) where a.event_type = 'x' and b.event_type = 'y'",
      [only('x'), only('y')],
    ],
    [
      'of two tables are told apart',
      "select 1 from raw.events r join staging.events s using (event_uuid) where r.event_type = 'x'",
      [only('x'), 'staging.events []'],
    ],
    [
      'of a CTE that is read twice are not narrowed by one of the readers',
      "with t as materialized (select * from raw.events) select sub from t where event_type = 'x' union all select sub from t",
      ['raw.events []'],
    ],
    [
      'of a CTE take the filter that stands in it',
      "with t as (select * from raw.events where event_type = 'x') select count(*) from t",
      [only('x')],
    ],
    [
      'of the arms of a UNION have a filter each',
      "select sub from raw.events where event_type = 'x' union all select sub from raw.events where event_type = 'y'",
      [only('x'), only('y')],
    ],
    [
      'of a subquery do not narrow the outer query',
      "select sub from raw.events where event_uuid in (select event_uuid from raw.events where event_type = 'x')",
      [only('x'), 'raw.events []'],
    ],
    [
      'take a filter of the outer query through a subquery and under the name it has there',
      "select * from (select event_name as event_type, sub from raw.events) where event_type = 'x'",
      ['raw.events [{"column":"event_name","in":["x"]}]'],
    ],
    [
      'take a filter by the column itself, whatever alias stands over it',
      "select count(*) from raw.events as t(a, event_type, event_name) where t.event_name = 'x'",
      [only('x')],
    ],
    [
      'take no filter through an aggregate that is not its key',
      "select * from (select event_type, max(sub) as sub from raw.events group by 1) where sub = 5 and event_type = 'x'",
      [only('x')],
    ],
    [
      'take no filter of the right side of an outer join that only decides what is joined',
      "select 1 from raw.events a left join staging.events b on a.event_uuid = b.event_uuid and a.event_type = 'x'",
      ['raw.events []', 'staging.events []'],
    ],
    ['are found by a shouted name', "select sub from RAW.EVENTS where EVENT_TYPE = 'x'", [only('x')]],
    [
      'are found under names with quotes, dots and dashes',
      'select sub from "my-lake"."Odd ""name"""',
      ['my-lake.Odd "name" []'],
    ],
    ['are found in nested namespaces', 'select sub from "a.b".c', ['a.b.c []']],
    ['are none without a table', 'values (1)', []],
    [
      'are those of what an EXPLAIN explains',
      "explain analyze select sub from raw.events where event_type = 'x'",
      [only('x')],
    ],
    ['are those of a SUMMARIZE', "summarize select sub from raw.events where event_type = 'x'", [only('x')]],
  ])('%s', async (_name, sql, expected) => {
    expect(await scans(sql)).toEqual(expected.toSorted());
  });
});
