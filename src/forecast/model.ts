/** From the parts of the model to one forecast. */
import { type Firehose, firehose } from './firehose.ts';
import { type LakeLoad, lake } from './lake-load.ts';
import { FIGURES, type Figure } from './measured.ts';
import { type Charge, DATE, PRICES, type Price, REGION, total } from './prices.ts';
import { type Processors, processors } from './processors.ts';
import { type Rate, rateOf } from './rate.ts';
import { type Shards, shards, streamCharges } from './shards.ts';
import { checked, type Workload } from './workload.ts';

export interface Forecast {
  workload: Workload;
  rate: Rate;
  stream: Shards;
  processors: Processors;
  lake: LakeLoad;
  /** A month of Lakeward with a provisioned stream. */
  charges: Charge[];
  dollars: number;
  alternatives: {
    /** The stream alone, when it scales by itself. */
    onDemandStream: Charge[];
    /** A consumer with throughput of its own, on top. */
    fanOut: Charge[];
    firehose: Firehose;
  };
  /** What the figures rest on. */
  prices: { region: string; date: string; all: Readonly<Record<string, Price>> };
  figures: Readonly<Record<string, Figure>>;
  /** What a reader should know before using the figures. */
  notes: string[];
}

export function forecast(asked: Workload): Forecast {
  const workload = checked(asked);
  const rate = rateOf(workload);
  const processing = processors(workload, rate);
  const stream = shards(workload, rate, processing.tasks);
  const stored = lake(workload, rate, processing.tasks);
  const paid = streamCharges(workload, rate, stream);
  const charges = [...paid.provisioned, ...processing.charges, ...stored.charges];
  return {
    workload,
    rate,
    stream,
    processors: processing,
    lake: stored,
    charges,
    dollars: total(charges),
    alternatives: {
      onDemandStream: paid.onDemand,
      fanOut: paid.fanOut,
      firehose: firehose(workload, rate),
    },
    prices: { region: REGION, date: DATE, all: PRICES },
    figures: FIGURES,
    notes: notesOn(stored),
  };
}

/** Files smaller than this cost more to open than to read. */
const SMALL_FILE_BYTES = 1_000_000;

function notesOn({ commits_per_s, file_bytes }: LakeLoad): string[] {
  const notes = [
    'Not counted: compaction, logs, KMS, NAT, traffic out of the region, the catalog, the query engines.',
    'Events that come days late add files for their days.',
  ];
  if (commits_per_s > 1)
    notes.push('More than one commit a second in one table: raise commit.maxBytes and commit.maxRows.');
  if (file_bytes < SMALL_FILE_BYTES)
    notes.push('Files under 1 MB: a longer commit interval makes fewer and larger ones.');
  return notes;
}
