import { expect, test } from 'vitest';
import { AGGREGATES, openEngine, SCALARS, WINDOWS } from '../../src/engine/engine.ts';
import { openDuckDbOn } from '../support/spark-engine.ts';
import { lakeFolder } from '../support/worker.ts';
import { samplesOn, samplings } from './portable.ts';
import { AGGREGATE_SAMPLES, SCALAR_SAMPLES, WINDOW_SAMPLES } from './portable-samples.ts';

const JSON_TEXT = ['->>', 'json_extract_string'];

test('every function that is called portable has samples that are run on both engines', () => {
  expect(Object.keys(SCALAR_SAMPLES).toSorted()).toEqual([...Object.keys(SCALARS), ...JSON_TEXT].toSorted());
  expect(Object.keys(AGGREGATE_SAMPLES).toSorted()).toEqual(Object.keys(AGGREGATES).toSorted());
  expect(Object.keys(WINDOW_SAMPLES).toSorted()).toEqual(
    [...Object.keys(WINDOWS), 'WINDOW_AGGREGATE'].toSorted(),
  );
});

test('what the samples ask is accepted as portable, and DuckDB answers it', async () => {
  const folder = await lakeFolder();
  const engine = await openDuckDbOn(folder);
  for (const { transform } of samplings()) {
    const problems = await engine.notPortable({ sql: transform.sql, views: ['events', 'even', 'odd'] });
    expect(problems, transform.sql).toEqual([]);
  }
  const given = await samplesOn(openDuckDbOn);
  expect(given['round(m)::bigint']).toEqual([1, -3, 0, 123456790, 0, null, 8]);
});

test.for([
  ['select list(event_name) from events', 'line 1, column 8: list()'],
  [
    "select\n  'ü' as a,\n  strftime(created_datetime, '%Y') as year from events",
    'line 3, column 3: strftime()',
  ],
  ['select event_name from events where created_datetime < now()', 'line 1, column 56: now()'],
  ["select document->'$.a' as a from events", 'line 1, column 16: a JSON value by ->'],
  ["select document->>'$.a[*]' as a from events", 'line 1, column 16: this JSON path'],
  ["select document->>'/a' as a from events", 'line 1, column 16: this JSON path'],
  ["select split_part(event_name, '', 1) as a from events", 'line 1, column 8: split_part() with these'],
  ['select reverse(event_name) as a from events', 'line 1, column 8: reverse()'],
  [
    'select event_type in (select event_name from events) as a from events',
    'line 1, column 19: IN of a query outside WHERE',
  ],
  [
    'select event_name from events where not (shard_id is null or event_type in (select event_name from events))',
    'IN of a query outside WHERE',
  ],
  [
    'select lag(event_name) over (order by arrived_at rows between 1 preceding and current row) as a from events',
    'line 1, column 8: a frame of lag',
  ],
  ['select median(created_at) over (order by arrived_at) as a from events', 'with an ORDER BY'],
  ['select lag(event_name, created_at::int) over (order by arrived_at) as a from events', 'an offset'],
  ['select distinct on (event_type) event_name from events', 'line 1, column 21: DISTINCT ON'],
  ['select event_type, count(*) from events group by rollup(event_type)', 'grouping sets, ROLLUP or CUBE'],
  [
    'select created_at::integer as s from events where s > 5',
    'line 1, column 51: the column s of the same SELECT in WHERE',
  ],
  ['select unnest([1, 2]) as x from events', 'unnest()'],
  ["from read_parquet('x.parquet')", 'a function as a table'],
  ['select round(created_at, 2) as x from events', 'round() of 2 arguments'],
  ['select row_number() over () as n from events', 'row_number without ORDER BY'],
  ['select event_name from raw_events', 'the table raw_events'],
  [
    'with recursive r as (select 1 as n union all select n + 1 from r where n < 3) select n from r',
    'WITH RECURSIVE',
  ],
] as const)('%s is refused with its place', async ([sql, said], { onTestFinished }) => {
  const engine = await openEngine({ workFolder: await lakeFolder(), memory_bytes: 200e6, threads: 1 });
  onTestFinished(() => engine.close());
  const problems = await engine.notPortable({ sql, views: ['events'] });
  const told = problems.map(
    ({ line, column, what }) => `${line === undefined ? '' : `line ${line}, column ${column}: `}${what}`,
  );
  expect(told.join('\n')).toContain(said);
});
