import { describe, expect, test } from 'vitest';
import { uuidOf } from '../../tests/support/events.ts';
import { succeeded, transformLake } from '../../tests/support/transform-lake.ts';
import { openQuery } from '../query/query.ts';
import { defineTransform, type Transform, type TransformDefinition, transformStatus } from './transforms.ts';

const event = (n: number, fields: object = {}): string =>
  JSON.stringify({
    event_uuid: uuidOf(n),
    event_name: 'lesson:started',
    created_at: Date.UTC(2026, 0, 10, 8) / 1000,
    ...fields,
  });

const shaped = (sql: string, over: Partial<TransformDefinition> = {}): Transform =>
  defineTransform({ name: 'shaped', from: ['lesson:*'], mode: 'append', sql, ...over } as never);

async function failureOf(transform: Transform) {
  const lake = await transformLake();
  await lake.fill([event(1)]);
  const [outcome] = await lake.run([transform]);
  return outcome!.failure as { code: string; message: string; why: string; hint: string } | undefined;
}

const EVERY_TYPE = `select true as a_boolean, 1::smallint as an_int, 2::bigint as a_long, sum(3::bigint) as a_sum,
  1.5::float as a_float, 2.5::double as a_double, 12.34::decimal(18, 2) as a_decimal, date '2026-01-02' as a_date,
  timestamp '2026-01-02 03:04:05.6' as a_timestamp, max(created_datetime) as a_timestamptz, 'text' as a_string,
  uuid '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70' as a_uuid, '{"x": 1}'::json as a_json, 'bytes'::blob as a_binary,
  -0.001::decimal(38, 3) as wide
  from events`;

describe('the columns of a mart', () => {
  test('are what the query gives, of types that every reader has', async () => {
    const lake = await transformLake();
    await lake.fill([event(1)]);
    succeeded(await lake.run([shaped(EVERY_TYPE)]));
    const { columns } = await transformStatus(lake.worker.lake, shaped(EVERY_TYPE));
    expect(Object.fromEntries(columns.map(({ name, type }) => [name, type]))).toEqual({
      a_boolean: 'boolean',
      an_int: 'int',
      a_long: 'long',
      a_sum: 'long',
      a_float: 'float',
      a_double: 'double',
      a_decimal: 'decimal(18, 2)',
      a_date: 'date',
      a_timestamp: 'timestamp',
      a_timestamptz: 'timestamptz',
      a_string: 'string',
      a_uuid: 'string',
      a_json: 'string',
      a_binary: 'binary',
      wide: 'decimal(38, 3)',
    });
    const { rows } = await openQuery(lake.worker).all('select * exclude (a_binary) from marts.shaped');
    expect(rows).toEqual([
      expect.objectContaining({
        a_sum: 3,
        a_decimal: '12.34',
        a_date: '2026-01-02',
        a_uuid: '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70',
        wide: '-0.001',
      }),
    ]);
  });

  test('have bounds that a filter leaves files out by', async () => {
    const lake = await transformLake();
    await lake.fill([event(1)]);
    succeeded(await lake.run([shaped(EVERY_TYPE)]));
    const { files } = await lake.worker.lake.files(await lake.table('shaped'));
    const bounds = files[0]!.lowerBounds;
    expect([5, 6, 7, 8, 9, 15].map((id) => bounds.get(id))).toEqual([
      1.5,
      2.5,
      1234n,
      Date.UTC(2026, 0, 2) / 86_400_000,
      BigInt(Date.UTC(2026, 0, 2, 3, 4, 5, 600)) * 1000n,
      -1n,
    ]);
    expect(files[0]!.upperBounds.get(7)).toBe(1234n);
  });

  test('can be given another type', async () => {
    const lake = await transformLake();
    await lake.fill([event(1)]);
    const sql = 'select count(*) as n, 7 as seven from events';
    succeeded(await lake.run([shaped(sql, { columns: { n: 'decimal(20, 0)', seven: 'double' } })]));
    expect((await transformStatus(lake.worker.lake, shaped(sql))).columns).toEqual([
      { name: 'n', type: 'decimal(20, 0)' },
      { name: 'seven', type: 'double' },
    ]);
  });

  test.each([
    ['select count(*) from events', 'count_star()', 'as learners'],
    ['select [1, 2] as list from events', 'list', 'to_json(list)::varchar'],
    [`select {'a': 1} as both from events`, 'both', 'to_json(both)::varchar'],
    [`select interval 1 day as wait from events`, 'wait', 'cast it'],
    ['select 1 as n, 2 as N from events', 'N', 'other_name'],
    ['select 1 as "a b" from events', 'a b', 'as learners'],
  ])('are refused where no reader or no table could have them: %s', async (sql, column, hint) => {
    const failure = await failureOf(shaped(sql));
    expect(failure).toMatchObject({ code: 'transform.bad_column', hint: expect.stringContaining(hint) });
    expect(failure!.message).toContain(`its column ${column} cannot be used`);
  });

  test('that the definition names must be there, and the partition must be a day', async () => {
    const sql = `select 1 as n from events`;
    expect((await failureOf(shaped(sql, { columns: { m: 'int' } })))!.message).toContain('its column m');
    expect((await failureOf(shaped(sql, { partition: 'day' })))!.why).toContain('the query gives n');
    expect((await failureOf(shaped(sql, { partition: 'n' })))!.why).toContain('is of type int');
  });
});

describe('a query', () => {
  test.each([
    ['select nothing from events', 'nothing'],
    ['selekt 1', 'selekt'],
    ['select 1 as n from lessons', 'lessons'],
  ])('that cannot run is an error with what the engine says: %s', async (sql, why) => {
    const failure = await failureOf(shaped(sql));
    expect(failure).toMatchObject({ code: 'transform.sql', fault: 'user' });
    expect(failure!.why).toContain(why);
    expect(failure!.hint).toContain('"lesson", "events" (event_uuid, ');
  });

  test.each(['create table x as select 1 as n', "copy events to 'file'", 'select 1 as n; select 2 as n'])(
    'is one question, and nothing that could change anything: %s',
    async (sql) => {
      expect((await failureOf(shaped(sql)))!.code).toMatch(/transform\.sql|query\.not_a_question/);
    },
  );

  test('may end in a semicolon or a comment', async () => {
    expect(await failureOf(shaped('select 1 as n from events; '))).toBeUndefined();
    expect(await failureOf(shaped('select 1 as n from events -- all of them'))).toBeUndefined();
  });

  test('whose rows are of a day that was not read is an error that names the row’s day', async () => {
    const failure = await failureOf(
      shaped(`select date '2026-01-01' as day from events`, {
        mode: 'partitions',
        partition: 'day',
      } as never),
    );
    expect(failure).toMatchObject({ code: 'transform.wrong_day' });
    expect(failure!.message).toContain('2026-01-01');
    const without = await failureOf(
      shaped('select null::date as day from events', { mode: 'partitions', partition: 'day' } as never),
    );
    expect(without!.message).toContain('null as its day');
  });

  test('that overflows a sum fails, and commits nothing', async () => {
    const failure = await failureOf(
      shaped('select sum(9223372036854775807::hugeint) as n from (from events union all from events)'),
    );
    expect(failure).toMatchObject({ code: 'transform.sql', why: expect.stringContaining('INT64') });
  });
});

test('a table of the mart’s name that no transform made is left alone', async () => {
  const lake = await transformLake();
  await lake.worker.lake.create(
    'marts.shaped',
    {
      schema: { fields: [{ id: 1, name: 'n', type: 'int', required: false }] },
      partition: [],
      sort: [],
      properties: {},
    },
    { commitId: crypto.randomUUID(), stage: () => ({ summary: {}, properties: {} }) },
  );
  const [outcome] = await lake.run([shaped('select 1 as n from events')]);
  expect(outcome!.failure).toMatchObject({ code: 'transform.table_taken' });
});
