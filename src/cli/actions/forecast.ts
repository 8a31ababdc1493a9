import {
  type Charge,
  DEFAULT_WORKLOAD,
  forecast as estimate,
  type Forecast,
} from '../../forecast/forecast.ts';
import type { ForecastAction } from '../commands/forecast.ts';
import { byteFigure, durationFigure, figure } from '../figures.ts';
import type { Paint } from '../paint.ts';
import { textPairs, textTable } from '../table.ts';

export const forecast: ForecastAction = async ({ flags, out }) => {
  const result = estimate({
    events_per_hour: flags['events-per-hour'],
    event_bytes: flags['event-size'] ?? DEFAULT_WORKLOAD.event_bytes,
    events_per_record: flags['events-per-record'],
    event_types: flags['event-types'],
    retention_ms: flags.retention ?? DEFAULT_WORKLOAD.retention_ms,
    commitInterval_ms: flags['commit-interval'] ?? DEFAULT_WORKLOAD.commitInterval_ms,
  });
  await out.result(result, (paint) => text(result, paint));
};

const GIB = 2 ** 30;

function text(result: Forecast, paint: Paint): string {
  const { workload, rate, stream, processors, lake, alternatives, prices, notes } = result;
  const heading = (title: string) => `\n${paint.bold(title)}\n`;
  return [
    textPairs(
      [
        ['events', `${figure(workload.events_per_hour)} an hour of ${byteFigure(workload.event_bytes)}`],
        ['rate', `${small(rate.events_per_s)} events/s, ${byteFigure(Math.round(rate.bytes_per_s))}/s`],
        ['shards', `${figure(stream.shards)} (${small(stream.busy_shards)} busy)`],
        ['PUT payload units', `${figure(stream.putPayloadUnits_per_month)} a month`],
        ['GetRecords', `at most ${figure(stream.getRecords_per_month)} a month`],
        [
          'processors',
          `${processors.tasks} × ${processors.vcpu} vCPU, ${processors.memory_gib} GB (${small(processors.busy_cores)} cores busy)`,
        ],
        ['rows a commit', figure(lake.rows_per_commit)],
        [
          'files a day',
          `${figure(lake.files_per_day)}, in raw ${byteFigure(Math.round(lake.file_bytes))} each`,
        ],
        ['S3 requests', `${figure(lake.puts_per_month)} PUT and ${figure(lake.gets_per_month)} GET a month`],
        ['heartbeats', `${figure(lake.heartbeats_per_month)} a month, each a PUT and a LIST`],
        [
          'stored',
          `${byteFigure(Math.round(lake.stored_gib * GIB))} after ${durationFigure(workload.retention_ms)}`,
        ],
      ],
      { paint },
    ),
    heading(`dollars a month, ${prices.region}, prices seen on ${prices.date}`),
    bill([...result.charges, summed('together', result.dollars)], { result, paint }),
    heading('instead of the provisioned stream'),
    bill(alternatives.onDemandStream, { result, paint }),
    heading('Firehose, documents as they come: one copy, with repeats'),
    bill([...alternatives.firehose.plain, summed('together', alternatives.firehose.plain_dollars)], {
      result,
      paint,
    }),
    heading('Firehose, as Parquet by date and event type: one copy, with repeats'),
    bill(
      [...alternatives.firehose.partitioned, summed('together', alternatives.firehose.partitioned_dollars)],
      {
        result,
        paint,
      },
    ),
    '\n',
    ...notes.map((note) => `${note}\n`),
    'An estimate of ours; --json has the source of every price and figure.\n',
  ].join('');
}

type Line = Charge | { item: string; dollars: number };

const summed = (item: string, dollars: number): Line => ({ item, dollars });

function bill(lines: readonly Line[], { result, paint }: { result: Forecast; paint: Paint }): string {
  const rows = lines.map((line) => {
    const price = 'price' in line ? result.prices.all[line.price] : undefined;
    return [
      line.item,
      line.dollars.toFixed(2).padStart(12),
      price === undefined ? '' : `${price.dollars} per ${price.per}`,
      price?.certainty === 'estimate' ? 'estimate' : '',
    ];
  });
  return textTable(['', '$'.padStart(12), 'price', ''], rows, { paint });
}

const small = (value: number): string =>
  value >= 100 ? figure(value) : String(Number(value.toPrecision(2)));
