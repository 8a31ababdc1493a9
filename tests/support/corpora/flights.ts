import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/**
 * The 3,000,000 real flights of npm vega-datasets (first half of 2001) as a file of lines, with 3% repeats and 0.1%
 * damaged records. DuckDB writes both the lines and, by plain SQL over the original Parquet file, what is true about
 * them: nothing of the product has a part in either.
 *
 * event_name is `<haul>:<punctuality>:<origin>`: five types by distance, four subtypes by delay, the origin when it is
 * one of the twenty busiest airports, else "other". That is 5 types × 181 days (partitions as a real lake has them)
 * and at most 420 names ("hundreds of event names"), all of them taken from the data itself.
 */
export interface FlightsTruth {
  sent: number;
  distinct: number;
  repeats: number;
  repeats_in_other_case: number;
  repeats_with_other_content: number;
  /** By reason code. */
  damaged: Record<string, number>;
  by_name: Record<string, number>;
  /** UTC day → event type → events. */
  by_day: Record<string, Record<string, number>>;
}

export interface FlightsCorpus {
  /** One record a line; one reason in nine is not UTF-8, so read it as bytes. */
  path: string;
  truth: FlightsTruth;
}

export interface FlightsOptions {
  /** Where the files are kept; a corpus that is there already is used again. */
  cacheFolder: string;
  /** Only the first so many flights. */
  rows?: number;
}

export const FLIGHTS = 3_000_000;
/** Part of the files' names: raise it when their content changes. */
const VERSION = 1;

export async function flightsCorpus({ cacheFolder, rows = FLIGHTS }: FlightsOptions): Promise<FlightsCorpus> {
  const stem = join(cacheFolder, `flights-v${VERSION}-${rows}`);
  const [path, truthPath] = [`${stem}.ndjson`, `${stem}.truth.json`];
  // The truth comes last and whole, by a rename: where it is, the lines are complete.
  if (await exists(truthPath)) return { path, truth: JSON.parse(await readFile(truthPath, 'utf8')) };
  const draft = `${stem}.${process.pid}.draft`;
  const truth = await write({ draft, rows });
  await rename(draft, path);
  await writeFile(`${draft}.truth`, JSON.stringify(truth));
  await rename(`${draft}.truth`, truthPath);
  return { path, truth };
}

async function write({ draft, rows }: { draft: string; rows: number }): Promise<FlightsTruth> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: '3GB',
    temp_directory: `${draft}.tmp`,
  });
  const connection = await instance.connect();
  const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
  try {
    await connection.run(flightsView(rows));
    await connection.run(SENDINGS);
    await connection.run(
      `copy (${LINES}) to '${quoted(draft)}' (format csv, header false, quote '', delimiter '\x1f')`,
    );
    await breakUtf8(draft);
    return await truthOf(query);
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(`${draft}.tmp`, { recursive: true, force: true });
  }
}

const quoted = (text: string): string => text.replaceAll("'", "''");

function flightsView(rows: number): string {
  const require = createRequire(import.meta.url);
  const parquet = join(require.resolve('vega-datasets'), '..', '..', 'data', 'flights-3m.parquet');
  return `
    create view flights as
    with busiest as (
      select origin as airport from read_parquet('${quoted(parquet)}') group by all order by count(*) desc, origin limit 20)
    select
      file_row_number as n, date, delay, distance, origin, destination,
      concat_ws(':',
        case when distance < 250 then 'commuter' when distance < 500 then 'short_haul'
          when distance < 1000 then 'medium_haul' when distance < 2000 then 'long_haul' else 'coast_to_coast' end,
        case when delay < 0 then 'early' when delay <= 15 then 'on_time' when delay <= 60 then 'late' else 'very_late' end,
        coalesce(airport, 'other')) as event_name
    from read_parquet('${quoted(parquet)}', file_row_number = true) left join busiest on airport = origin
    where file_row_number < ${rows}`;
}

/**
 * One row for every record to be sent, `place` being its place in the file. Which flights are repeated, how far away
 * and in which way, comes from a hash of the row number. Half of the repeats come within 1,000 records, the others
 * anywhere up to the end.
 */
const SENDINGS = `
  create temp table sendings as
  with chance as (select n, md5_number_lower('flight' || n) as dice, (select max(n) from flights) as last from flights),
  rates as (
    select n, last,
      dice % 1000 as a, dice // 1000 % 1000 as b, dice // 1000000 % 1000000 / 1000000.0 as far, dice // 1000000000000 % 10 as way
    from chance)
  select n, n::double as place, 'event' as kind, 0 as variant from rates
  union all
  select n, n + 0.5 + case when b < 500 then floor(far * 1000) else floor(far * (last - n)) end,
    case way when 0 then 'other case' when 1 then 'other content' else 'repeat' end, 0
  from rates where a < 30
  union all
  select n, n + 0.25, 'damaged', (row_number() over (order by n) - 1)::integer from rates where a = 999`;

const UUID = `format('{}-{}-4{}-8{}-{:012x}', substr(md5(n::varchar), 1, 8), substr(md5(n::varchar), 9, 4),
  substr(md5(n::varchar), 13, 3), substr(md5(n::varchar), 16, 3), n)`;
const DOCUMENT = (changed: { uuid?: string; delay?: string } = {}) => `
  '{"event_uuid":"' || ${changed.uuid ?? 'uuid'} || '","event_name":"' || event_name || '","created_at":' || epoch(date)::bigint
  || ',"flight":{"origin":"' || origin || '","destination":"' || destination || '","distance_miles":' || distance
  || '},"delay_minutes":' || ${changed.delay ?? 'delay'} || '}'`;
const FIELDS = `'"event_name":"' || event_name || '","created_at":' || epoch(date)::bigint || '}'`;

/** Stands where one wrong byte goes: SQL's own text cannot hold it. */
const WRONG_BYTE_MARK = '@@wrong-byte-here@@';

/** A way to deserve each reason, in turn. */
const DAMAGED: readonly { reason: string; line: string }[] = [
  { reason: 'not_utf8', line: `'{"note":"${WRONG_BYTE_MARK}",' || substr(${DOCUMENT()}, 2)` },
  { reason: 'not_json', line: `substr(${DOCUMENT()}, 1, 60 + (n % 40)::integer)` },
  { reason: 'not_an_object', line: `'[' || ${DOCUMENT()} || ']'` },
  { reason: 'no_event_uuid', line: `'{' || ${FIELDS}` },
  { reason: 'bad_event_uuid', line: `'{"event_uuid":{"n":' || n || '},' || ${FIELDS}` },
  {
    reason: 'no_event_name',
    line: `'{"event_uuid":"' || uuid || '","event_name":"","created_at":' || epoch(date)::bigint || '}'`,
  },
  {
    reason: 'bad_event_name',
    line: `'{"event_uuid":"' || uuid || '","event_name":":late","created_at":' || epoch(date)::bigint || '}'`,
  },
  {
    reason: 'bad_created_at',
    line: `'{"event_uuid":"' || uuid || '","event_name":"' || event_name || '","created_at":"' || strftime(date, '%d.%m.%Y') || '"}'`,
  },
  {
    reason: 'absurd_created_at',
    line: `'{"event_uuid":"' || uuid || '","event_name":"' || event_name || '","created_at":-' || epoch(date)::bigint || '}'`,
  },
];

const LINES = `
  select case kind
    when 'other case' then ${DOCUMENT({ uuid: 'upper(uuid)' })}
    when 'other content' then ${DOCUMENT({ delay: '(delay + 1)' })}
    when 'damaged' then case variant % ${DAMAGED.length} ${DAMAGED.map(({ line }, way) => `when ${way} then ${line}`).join(' ')} end
    else ${DOCUMENT()} end as line
  from (select *, ${UUID} as uuid from sendings join flights using (n) order by place, n, kind)`;

/** Overwrites the first byte of every mark, in place; the file is read in pieces that overlap by a mark's length. */
async function breakUtf8(path: string): Promise<void> {
  const mark = Buffer.from(WRONG_BYTE_MARK);
  const piece = Buffer.alloc(8_000_000);
  await using file = await open(path, 'r+');
  for (let offset = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, piece.length, offset);
    const seen = piece.subarray(0, bytesRead);
    for (let at = seen.indexOf(mark); at >= 0; at = seen.indexOf(mark, at + 1))
      await file.write(Uint8Array.of(0xff), 0, 1, offset + at);
    if (bytesRead <= mark.length) return;
    offset += bytesRead - mark.length;
  }
}

type Query = (sql: string) => Promise<Record<string, unknown>[]>;

async function truthOf(query: Query): Promise<FlightsTruth> {
  const kinds = await query('select kind, count(*)::integer as count from sendings group by all');
  const of = (kind: string) =>
    (kinds.find((row) => row['kind'] === kind)?.['count'] as number | undefined) ?? 0;
  const damaged = await query(
    `select variant % ${DAMAGED.length} as way, count(*)::integer as count from sendings where kind = 'damaged' group by all`,
  );
  const names = await query(
    'select event_name, count(*)::integer as count from flights group by all order by all',
  );
  const days = await query(`
    select strftime(date, '%Y-%m-%d') as day, split_part(event_name, ':', 1) as type, count(*)::integer as count
    from flights group by all order by all`);
  const by_day: FlightsTruth['by_day'] = {};
  for (const { day, type, count } of days as { day: string; type: string; count: number }[]) {
    by_day[day] ??= {};
    by_day[day][type] = count;
  }
  return {
    sent: kinds.reduce((sum, { count }) => sum + (count as number), 0),
    distinct: of('event'),
    repeats: of('repeat') + of('other case') + of('other content'),
    repeats_in_other_case: of('other case'),
    repeats_with_other_content: of('other content'),
    damaged: Object.fromEntries(
      damaged.map(({ way, count }) => [DAMAGED[way as number]!.reason, count as number]),
    ),
    by_name: Object.fromEntries(
      names.map(({ event_name, count }) => [event_name as string, count as number]),
    ),
    by_day,
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
