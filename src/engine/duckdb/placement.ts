/**
 * Which file each partition's rows go to. The temporary table `__partitions` has a row for each partition: its keys, the
 * slice in which it is written, and the number `__p` of its file there. Numbers, because with the values themselves in
 * folder names a type of 300 characters could not be written.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { PartitionValue } from '../../lake/lake.ts';
import { type Placement, SMALL_ROWS } from '../../tables/tables.ts';
import { identifier, literal } from './sql.ts';
import { fillTexts } from './vectors.ts';

export interface Placed {
  /** A select that has the partition values under these names. */
  select: string;
  partitionBy: readonly string[];
  /** Partition values that may occur, where they are known without asking the rows; each then has its own file. */
  partitions?: readonly (readonly PartitionValue[])[];
  /** Without it every partition has its own file. */
  placement?: Placement;
  /** The one among `partitionBy` that is an event type. */
  typeKey?: string;
}

/** Slice → number in it → partition values; the overflow's slice has none. */
export interface Places {
  slices: ReadonlyMap<number, ReadonlyMap<string, readonly PartitionValue[]>>;
  overflowSpec: number | undefined;
}

/** The slice of what overflows. */
export const OVERFLOW = -1;

/** Every open partition takes about 280 kB of the engine's memory: 3,400 at once did not fit in 1 GB. */
export const PARTITIONS_AT_ONCE = 250;

/** Files kept free for what overflows: several, so that a filter on a type can leave some closed, but few of all. */
export const overflowFiles = (filesMost: number): number =>
  Math.max(1, Math.min(8, Math.floor(filesMost / 16)));

/** Fewer rows than this are not worth another file. */
const OVERFLOW_ROWS = 10_000;

export async function place(c: DuckDBConnection, placed: Placed): Promise<Places> {
  const keys = placed.partitionBy.map(identifier).join(', ');
  const known = knownPartitions(placed);
  if (known !== undefined) {
    await numberPartitions(c, { from: known, keys });
    return { slices: await partitionValues(c), overflowSpec: undefined };
  }
  await c.run(`create or replace temp table __sizes as
    select ${keys}, count(*) as __rows from (${placed.select}) group by all`);
  const overflowSpec = await fits(c, placed).then((all) =>
    all ? undefined : placed.placement?.overflowSpec(),
  );
  if (overflowSpec === undefined) await numberPartitions(c, { from: 'from __sizes', keys });
  else await shareOut(c, placed);
  return { slices: await partitionValues(c), overflowSpec };
}

/** Every slice counts from 0 and uses the same folders again: 3,400 of them took 0.5 s to make. */
async function numberPartitions(c: DuckDBConnection, { from, keys }: { from: string; keys: string }) {
  await c.run(`create or replace temp table __partitions as
    select n // ${PARTITIONS_AT_ONCE} as __slice, n % ${PARTITIONS_AT_ONCE} as __p, ${keys}
    from (select row_number() over (order by ${keys})::integer - 1 as n, * from (${from}))`);
}

async function fits(c: DuckDBConnection, { placement, typeKey }: Placed): Promise<boolean> {
  if (placement === undefined) return true;
  const types = typeKey === undefined ? '0' : `count(distinct ${identifier(typeKey)})`;
  const [[partitions, distinct, small]] = (
    await c.runAndReadAll(`select count(*)::double, ${types}::double,
      count_if(__rows < ${SMALL_ROWS})::double from __sizes`)
  ).getRowsJson() as [[number, number, number]];
  const { filesMost, smallMost = Number.POSITIVE_INFINITY } = placement;
  if (partitions > filesMost || small > smallMost) return false;
  return typesFit(c, { placement, typeKey, distinct });
}

async function typesFit(
  c: DuckDBConnection,
  { placement, typeKey, distinct }: { placement: Placement; typeKey: string | undefined; distinct: number },
): Promise<boolean> {
  const { types, typesMost } = placement;
  if (typeKey === undefined || types.size + distinct <= typesMost) return true;
  await fillTexts(c, '__own', [...types]);
  const [[fresh]] = (
    await c.runAndReadAll(`select count(distinct ${identifier(typeKey)})::double from __sizes
      where ${identifier(typeKey)} not in (select text from __own)`)
  ).getRowsJson() as [[number]];
  return fresh === 0 || types.size + fresh <= typesMost;
}

/**
 * The largest partitions keep files of their own, of those types that may have some: all that have, and as many new ones
 * as there is room for, the largest first; small ones only while they are few. The rest is cut by rows into few files, in
 * order of type and day, a partition in one of them.
 */
async function shareOut(c: DuckDBConnection, { partitionBy, placement, typeKey }: Placed): Promise<void> {
  const { filesMost, types, typesMost, rowsLeast = 0, overflowMost = overflowFiles(filesMost) } = placement!;
  const few = placement!.smallMost === undefined ? 'true' : `small <= ${placement!.smallMost}`;
  const overflow = Math.max(1, Math.min(overflowMost, filesMost));
  const keys = partitionBy.map(identifier).join(', ');
  const newest = partitionBy.map((key) => `${identifier(key)} desc`).join(', ');
  const byType = partitionBy.toReversed().map(identifier).join(', ');
  let allowed = 'true';
  if (typeKey !== undefined) {
    const type = identifier(typeKey);
    await fillTexts(c, '__own', [...types]);
    await c.run(`create or replace temp table __allowed as from __own union all
      (select ${type} from __sizes where ${type} not in (select text from __own)
       group by 1 order by sum(__rows) desc, 1 limit ${Math.max(0, typesMost - types.size)})`);
    allowed = `${type} in (select text from __allowed)`;
  }
  const places = Math.max(0, filesMost - overflow);
  await c.run(`create or replace temp table __ranked as
    select *, row_number() over (order by may desc, __rows desc, ${newest}) as rank
    from (select *, allowed and (__rows >= ${rowsLeast} or count_if(allowed) over () <= ${places})
        and (__rows >= ${SMALL_ROWS} or ${few}) as may
      from (select *, coalesce(${allowed}, false) as allowed,
          count_if(__rows < ${SMALL_ROWS}) over () as small from __sizes))`);
  const home = `may and rank <= ${places}`;
  await c.run(`create or replace temp table __partitions as
    select n // ${PARTITIONS_AT_ONCE} as __slice, n % ${PARTITIONS_AT_ONCE} as __p, ${keys}
    from (select row_number() over (order by ${keys})::integer - 1 as n, * from __ranked where ${home})
    union all
    select ${OVERFLOW}, (above * files // rows)::integer, ${keys}
    from (select *, sum(__rows) over (order by ${byType} rows unbounded preceding) - __rows as above,
        sum(__rows) over () as rows,
        greatest(1, least(${overflow}, sum(__rows) over () // ${OVERFLOW_ROWS})) as files
      from __ranked where not (${home}))`);
}

function knownPartitions({ partitionBy, partitions }: Placed): string | undefined {
  const keys = partitionBy.map(identifier).join(', ');
  const value = (v: PartitionValue) => (typeof v === 'string' ? literal(v) : String(v));
  const tuples = new Set(partitions?.map((tuple) => `(${tuple.map(value).join(', ')})`));
  // Of many that may occur few are left once repeats are dropped; each slice costs a scan, so the rows are asked.
  if (tuples.size === 0 || tuples.size > PARTITIONS_AT_ONCE) return undefined;
  return `from (values ${[...tuples].join(', ')}) as known(${keys})`;
}

async function partitionValues(c: DuckDBConnection): Promise<Places['slices']> {
  const slices = new Map<number, Map<string, PartitionValue[]>>();
  const rows = await c.runAndReadAll(`from __partitions where __slice <> ${OVERFLOW}
    union all by name select distinct __slice, __p from __partitions where __slice = ${OVERFLOW}`);
  for (const [slice, p, ...values] of rows.getRowsJson()) {
    const numbered = slices.get(Number(slice)) ?? new Map();
    slices.set(
      Number(slice),
      numbered.set(String(p), Number(slice) === OVERFLOW ? [] : (values as PartitionValue[])),
    );
  }
  return slices;
}
