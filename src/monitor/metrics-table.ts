/**
 * The one table of metrics: /metrics, docs/reference/metrics.md and the types of what may be recorded come from it.
 * Names are OpenTelemetry's way (dots, units in UCUM); Prometheus' names are made from them: underscores, base unit,
 * `_total`. Labels are few and bounded, so that no stream and no lake can make the number of series grow without end.
 */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface Metric {
  kind: MetricKind;
  /** UCUM: `s`, `By`, `1`, or what is counted in braces. */
  unit: string;
  labels: readonly string[];
  meaning: string;
  /** Upper bounds of a histogram's buckets. */
  bounds?: readonly number[];
  /** Where Prometheus' own convention has another name than the one made from ours. */
  prometheus?: string;
}

const TABLE = ['table'] as const;

export const METRICS = {
  'lakeward.events.received': {
    kind: 'counter',
    unit: '{event}',
    labels: TABLE,
    meaning:
      'Records that commits of this process decided about: in raw.events those taken from the stream, in staging.events the rows taken from raw. For every table received = written + duplicates + quarantined.',
  },
  'lakeward.events.written': {
    kind: 'counter',
    unit: '{event}',
    labels: TABLE,
    meaning: 'Of those, the rows that were added to the table.',
  },
  'lakeward.events.duplicates': {
    kind: 'counter',
    unit: '{event}',
    labels: TABLE,
    meaning: 'Of those, the repeats that were dropped.',
  },
  'lakeward.events.quarantined': {
    kind: 'counter',
    unit: '{event}',
    labels: TABLE,
    meaning: 'Of those, the records that are no event; they stand in quarantine.events.',
  },
  'lakeward.events.conflicting': {
    kind: 'counter',
    unit: '{event}',
    labels: TABLE,
    meaning: 'Repeats whose content differed from the copy at hand.',
  },
  'lakeward.events.late': {
    kind: 'counter',
    unit: '{event}',
    labels: TABLE,
    meaning: 'Written events that were older than the watermark when they came.',
  },
  'lakeward.events.stray': {
    kind: 'counter',
    unit: '{event}',
    labels: TABLE,
    meaning: 'Records of an aggregate outside the hash range of its shard; kept.',
  },
  'lakeward.received': {
    kind: 'counter',
    unit: 'By',
    labels: TABLE,
    meaning: 'Bytes of the records received.',
  },
  'lakeward.commits': {
    kind: 'counter',
    unit: '{commit}',
    labels: ['table', 'outcome'],
    meaning:
      'Commits by outcome: committed; refused or superseded (the table moved on, and the work is judged again); failed (no answer that decides).',
  },
  'lakeward.commit.duration': {
    kind: 'histogram',
    unit: 's',
    labels: TABLE,
    meaning:
      'How long a commit took, from staging its snapshot to the answer of the catalog, retries included.',
    bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  },
  'lakeward.commit.conflicts': {
    kind: 'counter',
    unit: '{attempt}',
    labels: TABLE,
    meaning: 'Attempts of commits that another writer overtook, and that were staged again.',
  },
  'lakeward.commit.last_success.timestamp': {
    kind: 'gauge',
    unit: 's',
    labels: TABLE,
    meaning: 'When this process last committed to the table, in Unix seconds.',
  },
  'lakeward.failures': {
    kind: 'counter',
    unit: '{failure}',
    labels: ['role', 'code'],
    meaning: 'Failures that were retried, by the role that had them and the code of the error.',
  },
  'lakeward.source.reads': {
    kind: 'counter',
    unit: '{read}',
    labels: [],
    meaning: 'Answers taken from the stream (GetRecords).',
  },
  'lakeward.source.records': {
    kind: 'counter',
    unit: '{record}',
    labels: [],
    meaning: 'Records read from the stream, before anything was decided about them.',
  },
  'lakeward.source.throttled': {
    kind: 'counter',
    unit: '{read}',
    labels: [],
    meaning: 'Reads that the stream turned away because of its limits.',
  },
  'lakeward.source.expired_ranges': {
    kind: 'counter',
    unit: '{range}',
    labels: [],
    meaning:
      'Ranges that commits of this process went on behind and whose records may have expired before they were read (`lakeward.expired` in the summary of the commit). How many records, the stream does not tell.',
  },
  'lakeward.source.damaged_aggregates': {
    kind: 'counter',
    unit: '{record}',
    labels: [],
    meaning:
      'Records taken by commits of this process that are marked as aggregated records and whose checksum or form is wrong; kept as plain records.',
  },
  'lakeward.source.lag': {
    kind: 'gauge',
    unit: 's',
    labels: [],
    meaning:
      'How far reading is behind the end of the stream, by the stream’s own clock (MillisBehindLatest): the shard that is furthest behind. While nothing is read, because nothing can be committed say, how far the lake is.',
  },
  'lakeward.shard.lag': {
    kind: 'gauge',
    unit: 's',
    labels: ['shard'],
    meaning:
      'The same for each shard; beyond 100 shards the furthest behind of the rest stands under `other`.',
  },
  'lakeward.source.retention_left': {
    kind: 'gauge',
    unit: 's',
    labels: [],
    meaning:
      'How long until the stream trims the oldest record that was not read yet, or not committed while nothing is read. Not there while nothing is unread, and for an embedded stream, which keeps what is not committed.',
  },
  'lakeward.source.idle': {
    kind: 'gauge',
    unit: '1',
    labels: [],
    meaning: '1 while the stream holds nothing that was not taken: old data in the tables is then no fault.',
  },
  'lakeward.workers': {
    kind: 'gauge',
    unit: '{worker}',
    labels: [],
    meaning: 'Live processors of the stream, this one counted, as this one sees it.',
  },
  'lakeward.workers.shards': {
    kind: 'gauge',
    unit: '{shard}',
    labels: [],
    meaning: 'Shards that are this processor’s.',
  },
  'lakeward.table.rows': { kind: 'gauge', unit: '{row}', labels: TABLE, meaning: 'Rows of the table.' },
  'lakeward.table.files': {
    kind: 'gauge',
    unit: '{file}',
    labels: TABLE,
    meaning: 'Live data files of the table.',
  },
  'lakeward.table.size': {
    kind: 'gauge',
    unit: 'By',
    labels: TABLE,
    meaning: 'Bytes of the live data files.',
  },
  'lakeward.table.snapshots': {
    kind: 'gauge',
    unit: '{snapshot}',
    labels: TABLE,
    meaning: 'Snapshots that the table keeps.',
  },
  'lakeward.table.commit.age': {
    kind: 'gauge',
    unit: 's',
    labels: TABLE,
    meaning: 'Time since the last commit to the table, whoever made it.',
  },
  'lakeward.table.freshness': {
    kind: 'gauge',
    unit: 's',
    labels: TABLE,
    meaning:
      'Time since the newest record that the table shows arrived in the stream. Grows while the stream is idle: read it together with lakeward.source.idle.',
  },
  'lakeward.staging.waiting': {
    kind: 'gauge',
    unit: '{row}',
    labels: [],
    meaning: 'Rows of raw that staging has not taken yet.',
  },
  'lakeward.staging.behind': {
    kind: 'gauge',
    unit: 's',
    labels: [],
    meaning: 'Age of the oldest commit of raw that staging has not taken yet; 0 when it has all.',
  },
  'lakeward.ledger.imbalance': {
    kind: 'gauge',
    unit: '{event}',
    labels: [],
    meaning: 'received − (written + duplicate + quarantined) of raw. Anything but 0 is a bug.',
  },
  'lakeward.window.ids': {
    kind: 'gauge',
    unit: '{id}',
    labels: [],
    meaning: 'Event ids that the dedupe window remembers; bounded by dedupe.maxIds.',
  },
  'lakeward.spool.size': {
    kind: 'gauge',
    unit: 'By',
    labels: [],
    meaning: 'Bytes on disk that were taken from the stream and not committed yet.',
  },
  'lakeward.engine.memory': {
    kind: 'gauge',
    unit: 'By',
    labels: [],
    meaning: 'Memory that the SQL engine uses; bounded by engine.memory.',
  },
  'lakeward.healthy': {
    kind: 'gauge',
    unit: '1',
    labels: [],
    meaning: '1 while /health/ready says ok, else 0; what it is says /health/ready.',
  },
  'lakeward.build.info': {
    kind: 'gauge',
    unit: '1',
    labels: ['version', 'node'],
    meaning: 'Always 1; the labels say what runs.',
  },
  'process.memory.usage': {
    kind: 'gauge',
    unit: 'By',
    labels: [],
    meaning: 'Resident memory of the process, the engine’s included.',
    prometheus: 'process_resident_memory_bytes',
  },
  'process.cpu.time': {
    kind: 'counter',
    unit: 's',
    labels: [],
    meaning: 'Processor time that the process used.',
    prometheus: 'process_cpu_seconds_total',
  },
  'process.start.timestamp': {
    kind: 'gauge',
    unit: 's',
    labels: [],
    meaning: 'When the process started, in Unix seconds.',
    prometheus: 'process_start_time_seconds',
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];

export const metricRow = (name: MetricName): Metric => METRICS[name];

/** What must be said of a value: exactly the labels of its row. */
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in (typeof METRICS)[Name]['labels'][number]]: string;
};

const UNIT_SUFFIX: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/** `lakeward.commit.duration` in `s` → `lakeward_commit_duration_seconds` */
export function prometheusName(name: MetricName): string {
  const { kind, unit, prometheus } = metricRow(name);
  if (prometheus !== undefined) return prometheus;
  const suffix = UNIT_SUFFIX[unit] ?? '';
  return `${name.replaceAll('.', '_')}${suffix}${kind === 'counter' ? '_total' : ''}`;
}
