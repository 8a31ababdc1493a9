/** A mart as pyiceberg reads it: every type, a column that was added later, and a filter by bounds. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backfill, defineTransform, type Transform } from '../../src/transforms/transforms.ts';
import { uuidOf } from '../support/events.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { succeeded, transformLake } from '../support/transform-lake.ts';
import { PYICEBERG_WAYS } from './catalog-ways.ts';

const python = await pythonWith('iceberg');
const SCRIPT = join(import.meta.dirname, 'read_marts.py');

const shaped = (more: string): Transform =>
  defineTransform({
    name: 'shaped',
    from: ['lesson:*'],
    mode: 'partitions',
    partition: 'day',
    sql: `select created_datetime::date as day, true as a_boolean, 1::integer as an_int, count(*) as a_long,
      2.5::double as a_double, (12.34 + min(created_at)::bigint % 2)::decimal(18, 2) as a_decimal,
      -0.001::decimal(38, 3) as wide, timestamp '2026-01-02 03:04:05.6' as a_timestamp,
      max(created_datetime) as a_timestamptz, 'text' as a_string${more}
      from events group by day`,
  });

const event = (n: number, created_at: number): string =>
  JSON.stringify({ event_uuid: uuidOf(n), event_name: 'lesson:started', created_at });

describeWith(python, 'pyiceberg', () => {
  const title =
    'reads a mart by %s: its types, a column added later, and only the files that a filter leaves';
  test.each(PYICEBERG_WAYS)(title, async (_, reach) => {
    const lake = await transformLake();
    const day_s = Date.UTC(2026, 0, 1) / 1000;
    await lake.fill([event(1, day_s), event(2, day_s + 86_401)]);
    succeeded(await lake.run([shaped('')]));
    const wider = shaped(", 'later' as added");
    const range = { from: day_s / 86_400 + 1 };
    succeeded([await backfill(lake.options([wider]), wider, range)]);

    const { pyiceberg, close } = await reach({
      catalogPath: join(lake.folder, 'catalog.sqlite'),
      lake: lake.worker.lake,
    });
    const asked = { catalog: pyiceberg, name: 'marts.shaped', filter: 'a_decimal = 13.34' };
    const seen = await python.run(SCRIPT, asked).finally(close);
    const common = ['True', '1', '1', '2.5'];
    const rest = ['-0.001', '2026-01-02 03:04:05.600000'];
    expect(seen).toEqual({
      schema: {
        day: 'date',
        a_boolean: 'boolean',
        an_int: 'int',
        a_long: 'long',
        a_double: 'double',
        a_decimal: 'decimal(18, 2)',
        wide: 'decimal(38, 3)',
        a_timestamp: 'timestamp',
        a_timestamptz: 'timestamptz',
        a_string: 'string',
        added: 'string',
      },
      spec: [['day', 'identity']],
      rows: [
        ['2026-01-01', ...common, '12.34', ...rest, '2026-01-01 00:00:00+00:00', 'text', 'None'],
        ['2026-01-02', ...common, '13.34', ...rest, '2026-01-02 00:00:01+00:00', 'text', 'later'],
      ],
      files: 1,
      filtered: 1,
    });
  });
});
