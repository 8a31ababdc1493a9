/** Whatever happens to staging and to the mart between runs: the next run gives what staging holds then. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rows } from '../../tests/support/audit.ts';
import { deleteAllRows, expireSnapshots, loaded, setMain } from '../../tests/support/edited-table.ts';
import { uuidOf } from '../../tests/support/events.ts';
import { succeeded, type TransformLake, transformLake } from '../../tests/support/transform-lake.ts';
import { STAGING_NAME } from '../tables/tables.ts';
import { backfill, defineTransform } from './transforms.ts';

/** A row of a day counts the events of the day, and those of the next. */
const pairs = defineTransform({
  name: 'pairs',
  from: ['lesson:started'],
  mode: 'partitions',
  partition: 'day',
  reads: { daysAfter: 1 },
  sql: `with days as (select created_datetime::date as day, count(*) as n from events group by day)
    select d.day, d.n, coalesce(next.n, 0) as after from days d left join days next on next.day = d.day + 1`,
});
const sums = defineTransform({
  name: 'sums',
  from: [{ mart: 'pairs' }],
  mode: 'partitions',
  partition: 'day',
  sql: 'select day, sum(n + after) as total from pairs group by day',
});

const DAYS = 5;

type Happening =
  | { kind: 'events'; days: readonly number[] }
  | { kind: 'run'; maxDays: number; marts: 'both' | 'first' }
  | { kind: 'backfill'; day: number }
  | { kind: 'rollback' | 'expiry'; table: 'staging.events' | 'marts.pairs'; at: number }
  | { kind: 'deletion' };

const day = fc.integer({ min: 0, max: DAYS - 1 });
const table = fc.constantFrom('staging.events' as const, 'marts.pairs' as const);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('events' as const),
      days: fc.array(day, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      maxDays: fc.constantFrom(1, 2, 31),
      marts: fc.constantFrom('both' as const, 'first' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('backfill' as const), day }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('rollback' as const, 'expiry' as const),
      table,
      at: fc.nat(5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deletion' as const) }) },
);

test('a mart, and one made from it, are what staging holds, whatever came in between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 3, maxLength: 9 }), async (happenings) => {
      const lake = await transformLake();
      let made = 0;
      for (const each of happenings) made = await happens(lake, each, made);
      // What an operator expired can leave no way to tell how far a table was read: that is said, and nothing else.
      const outcomes = await lake.run([sums, pairs]);
      if (outcomes.some(({ failure }) => isUndecidable(failure))) return;
      succeeded(outcomes);
      expect(await lake.rows('pairs', 'day::varchar, n, after')).toEqual(await expectedPairs(lake));
      const totals = (await expectedPairs(lake)).map(([text, n, after]) => [text, Number(n) + Number(after)]);
      expect(await lake.rows('sums', 'day::varchar, total')).toEqual(totals);
    }),
    { numRuns: 12, endOnFailure: true },
  );
}, 300_000);

async function happens(lake: TransformLake, each: Happening, made: number): Promise<number> {
  const { worker } = lake;
  switch (each.kind) {
    case 'events':
      await lake.fill(each.days.map((at, i) => event(made + i, at)));
      return made + each.days.length;
    case 'run':
      await lake.run(each.marts === 'both' ? [sums, pairs] : [pairs], { maxDays: each.maxDays });
      return made;
    case 'backfill': {
      const at = FIRST_DAY + each.day;
      await backfill(lake.options([pairs]), pairs, { from: at, to: at });
      return made;
    }
    case 'deletion':
      if ((await worker.lake.load(STAGING_NAME)) !== undefined) await deleteAllRows(worker, STAGING_NAME);
      return made;
    default: {
      const found = await worker.lake.load(each.table);
      const ids = found?.metadata.snapshots.map((snapshot) => snapshot['snapshot-id']) ?? [];
      const id = ids[each.at % Math.max(1, ids.length)];
      if (id === undefined) return made;
      if (each.kind === 'rollback') await setMain(worker, each.table, id);
      else if (id !== (await loaded(worker.lake, each.table)).metadata['current-snapshot-id'])
        await expireSnapshots(worker, each.table, [id]);
      return made;
    }
  }
}

const FIRST_DAY = Date.UTC(2026, 0, 10) / 86_400_000;
const textOf = (at: number): string => new Date((FIRST_DAY + at) * 86_400_000).toISOString().slice(0, 10);
const event = (n: number, at: number): string =>
  JSON.stringify({
    event_uuid: uuidOf(n),
    event_name: n % 4 === 3 ? 'lesson:completed' : 'lesson:started',
    created_at: (FIRST_DAY + at) * 86_400 + 3_600,
  });

const isUndecidable = (failure: unknown): boolean =>
  (failure as { code?: string } | undefined)?.code === 'tables.state_undecidable';

async function expectedPairs({ worker }: TransformLake): Promise<unknown[][]> {
  const held = await rows(worker, STAGING_NAME, 'event_name, created_datetime::date::varchar');
  const counts = Array.from(
    { length: DAYS },
    (_, at) => held.filter(([name, text]) => name === 'lesson:started' && text === textOf(at)).length,
  );
  return counts.flatMap((n, at) => (n === 0 ? [] : [[textOf(at), n, counts[at + 1] ?? 0]]));
}
