/** The model at a few rates, as the documents show it. */
import { type Forecast, forecast } from './model.ts';
import { type Charge, PRICES, total } from './prices.ts';
import { DEFAULT_WORKLOAD } from './workload.ts';

const AGGREGATED = 20;

/** Lakeward beside Firehose at 1k, 1M and 1B events an hour. */
export function comparisonTable(): string {
  const rates = [1e3, 1e6, 1e9];
  const plain = rates.map((events_per_hour) => forecast({ ...DEFAULT_WORKLOAD, events_per_hour }));
  const packed = rates.map((events_per_hour) =>
    forecast({ ...DEFAULT_WORKLOAD, events_per_hour, events_per_record: AGGREGATED }),
  );
  const row = (title: string, of: (each: Forecast) => string, among = plain) => [title, ...among.map(of)];
  return markdown(
    ['a month, with', ...rates.map((rate) => `${short(rate)} events/h`)],
    [
      row('events put', (f) => short(f.rate.events_per_month)),
      row('GB put', (f) => amount(f.rate.gib_per_month)),
      row('shards', (f) => amount(f.stream.shards)),
      row('PUT payload units', (f) => short(f.stream.putPayloadUnits_per_month)),
      row('GetRecords, at most', (f) => short(f.stream.getRecords_per_month)),
      row('processors (Fargate, ARM)', (f) => `${f.processors.tasks} × ${f.processors.vcpu} vCPU`),
      row('files a day, both tables', (f) => amount(f.lake.files_per_day)),
      row('S3 PUT', (f) => short(f.lake.puts_per_month)),
      row('heartbeats, each a PUT and a LIST', (f) => short(f.lake.heartbeats_per_month)),
      row('stored after a year, GB', (f) => amount(f.lake.stored_gib)),
      row('$ stream', (f) => dollars(named(f.charges, 'stream'))),
      row('$ processors', (f) => dollars(named(f.charges, 'processors'))),
      row('$ S3 requests', (f) => dollars(named(f.charges, 'lake, PUT', 'lake, GET', 'lake, heartbeats'))),
      row('$ S3 storage', (f) => dollars(named(f.charges, 'lake, storage'))),
      row('**$ Lakeward**', (f) => `**${dollars(f.dollars)}**`),
      row(`$ Lakeward, ${AGGREGATED} events a record`, (f) => dollars(f.dollars), packed),
      row(
        '**$ Firehose, documents as they come**',
        (f) => `**${dollars(f.alternatives.firehose.plain_dollars)}**`,
      ),
      row(
        '**$ Firehose, partitioned Parquet**',
        (f) => `**${dollars(f.alternatives.firehose.partitioned_dollars)}**`,
      ),
      row(
        `$ Firehose, partitioned Parquet, ${AGGREGATED} events a record`,
        (f) => dollars(f.alternatives.firehose.partitioned_dollars),
        packed,
      ),
      row('$ the stream alone, on demand', (f) => dollars(total(f.alternatives.onDemandStream))),
    ],
  );
}

/** What each stage takes, from a thousand to ten billion events an hour. */
export function scaleTable(): string {
  const rates = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
  return markdown(
    [
      'events/h',
      'events/s',
      'shards',
      'busy cores',
      'processors',
      'commits/s',
      'files a day',
      'raw file',
      '$ a month',
    ],
    rates.map((events_per_hour) => {
      const f = forecast({ ...DEFAULT_WORKLOAD, events_per_hour });
      return [
        short(events_per_hour),
        amount(f.rate.events_per_s),
        amount(f.stream.shards),
        amount(f.processors.busy_cores),
        `${f.processors.tasks} × ${f.processors.vcpu} vCPU`,
        amount(f.lake.commits_per_s),
        amount(f.lake.files_per_day),
        `${amount(f.lake.file_bytes / 1000)} kB`,
        dollars(f.dollars),
      ];
    }),
  );
}

export function pricesTable(): string {
  return markdown(
    ['price', '$', 'per', 'how sure', 'source'],
    Object.entries(PRICES).map(([name, { dollars: price, per, certainty, source }]) => [
      `\`${name}\``,
      String(price),
      per,
      certainty,
      source,
    ]),
  );
}

const named = (charges: readonly Charge[], ...prefixes: string[]): number =>
  total(charges.filter(({ item }) => prefixes.some((prefix) => item.startsWith(prefix))));

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** 1234567 → 1.2M */
function short(value: number): string {
  const units = ['', 'k', 'M', 'B', 'T'];
  const power = Math.min(Math.max(0, Math.floor(Math.log10(value) / 3 + 1e-9)), units.length - 1);
  return `${Number((value / 1000 ** power).toPrecision(3))}${units[power]}`;
}

const grouped = (whole: number): string => String(whole).replace(/\B(?=(\d{3})+$)/g, ',');

const amount = (value: number): string =>
  value >= 100 ? grouped(Math.round(value)) : String(Number(value.toPrecision(2)));

const dollars = (value: number): string => (value >= 100 ? grouped(Math.round(value)) : value.toFixed(2));
