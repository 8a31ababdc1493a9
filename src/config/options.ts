/**
 * The one table of options. Flags, environment variables, the type of `lakeward.config.ts` and
 * docs/reference/configuration.md are all made from it; a new option is a row here and nothing else.
 */
import { availableParallelism } from 'node:os';
import { bytes, choice, count, duration, instant, path, text, url } from './kinds.ts';
import { CATALOG_OPTIONS, STORE_OPTIONS, TABLE_OPTIONS } from './lake-options.ts';
import { MAINTENANCE_OPTIONS } from './maintenance-options.ts';
import { type Option, option, unset } from './option.ts';
import { SERVING_OPTIONS } from './serving-options.ts';

export const COMMAND_NAMES = [
  'dev',
  'run',
  'demo',
  'send',
  'sql',
  'tables',
  'quarantine list',
  'find',
  'verify',
  'status',
  'health',
  'maintain',
  'serve catalog',
  'init',
  'transform list',
  'transform show',
  'transform check',
  'transform run',
  'transform backfill',
  'types',
  'forecast',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** What needs no lake has no flag that says where it is. */
const LAKE = COMMAND_NAMES.filter((name) => !['init', 'transform check', 'forecast'].includes(name));
/** Set once for a deployment, or secret: from the environment or the file only. */
const NOT_A_FLAG = [] as const;
const PIPELINE = ['dev', 'run', 'demo'] as const;
const SERVICE = ['dev', 'run'] as const;
const STREAMING = ['dev', 'run', 'send', 'verify', 'status', 'health'] as const;
const COMPUTING = ['transform run', 'transform backfill'] as const;
const ON_ENGINES = [...SERVICE, ...COMPUTING, 'maintain'] as const;
const SHOWING = ['transform list', 'transform show', 'transform check'] as const;
const TRANSFORMING = ['dev', 'run', ...SHOWING, ...COMPUTING] as const;
const ASKING = ['dev', 'run', 'demo', 'sql', 'find', 'verify', 'maintain', 'types', ...COMPUTING] as const;

export const OPTIONS = {
  dir: option(path('DIR'), './.lakeward', {
    description: 'The folder of the lake: tables, catalog, embedded stream and working files.',
    example: '/data/lake',
    commands: LAKE,
  }),
  'store.url': unset(text('s3://BUCKET/PREFIX'), {
    description:
      'Where the tables are, if not in the folder: a prefix of an S3 bucket, of Amazon or of any store that honours conditional writes.',
    example: 's3://company-lake/events',
    commands: LAKE,
    shortcut: '--store',
  }),
  'store.endpoint': unset(url(), {
    description: 'Address of an S3 store that is not Amazon’s own.',
    example: 'http://127.0.0.1:9000',
    commands: LAKE,
  }),
  ...STORE_OPTIONS,
  'catalog.kind': option(choice('auto', 'sqlite', 'bucket', 'rest'), 'auto', {
    description:
      'Who keeps which version of each table is the current one: a file of the folder, the bucket itself, or a service. auto: rest with a catalog.uri, bucket with a store.url, else sqlite.',
    example: 'rest',
    commands: LAKE,
  }),
  'catalog.uri': unset(url(), {
    description: 'Address of an Iceberg REST catalog, without /v1.',
    example: 'https://glue.eu-west-1.amazonaws.com/iceberg',
    commands: LAKE,
  }),
  ...CATALOG_OPTIONS,
  ...TABLE_OPTIONS,
  'stream.name': option(text('NAME|ARN'), 'events', {
    description: 'The stream to take events from and to send them to, by name or ARN.',
    example: 'arn:aws:kinesis:eu-west-1:123456789012:stream/events',
    commands: STREAMING,
    shortcut: '--stream',
  }),
  'stream.endpoint': unset(url(), {
    description:
      'Address of a service that speaks the Kinesis protocol. Unset: the embedded stream of this folder, or Amazon Kinesis when stream.name is an ARN.',
    example: 'http://127.0.0.1:4566',
    // The stream of dev is its own.
    commands: STREAMING.filter((name) => name !== 'dev'),
    shortcut: '--endpoint',
  }),
  'stream.region': option(text('REGION'), 'us-east-1', {
    description: 'Region that requests are signed for.',
    example: 'eu-west-1',
    commands: STREAMING,
    alsoEnvironment: ['AWS_REGION'],
  }),
  'stream.encoding': option(choice('auto', 'json', 'cbor'), 'auto', {
    description:
      'How records are asked for. CBOR has them as bytes, which takes half the work of JSON’s base64. “auto” is CBOR for Amazon Kinesis and the embedded stream, JSON for other endpoints, not all of which speak CBOR as Amazon does.',
    example: 'json',
    commands: ['dev', 'run', 'verify'],
  }),
  'stream.fanOut': unset(text('CONSUMER'), {
    description:
      'Name of a consumer of enhanced fan-out: the stream then pushes records to it, 2 MB/s a shard for it alone. Registered where it is not yet; removing it is yours. Unset: shards are polled.',
    example: 'lakeward',
    commands: SERVICE,
  }),
  'stream.host': option(text('ADDRESS'), '127.0.0.1', {
    description:
      'Address that the embedded stream listens on. Anything but loopback lets other machines put and read events.',
    example: '0.0.0.0',
    commands: SERVICE,
  }),
  'stream.port': option(count({ max: 65535 }), 4567, {
    description: 'Port of the embedded stream; 0 takes any free one.',
    example: '4600',
    commands: PIPELINE,
  }),
  'stream.shards': option(count({ min: 1, max: 500 }), 1, {
    description: 'Shards that the embedded stream is created with. An existing stream keeps its own.',
    example: '4',
    commands: PIPELINE,
  }),
  'stream.maxBytes': option(bytes({ min: 1_000_000 }), '20GB', {
    description:
      'What the embedded stream may hold on disk. When it is full, puts are refused; records are never dropped.',
    example: '100GB',
    commands: SERVICE,
  }),
  'stream.retention': option(duration({ min: 60_000 }), '24h', {
    description:
      'How long the embedded stream keeps records that the lake has committed. Others it keeps until they are.',
    example: '7d',
    commands: SERVICE,
  }),
  'stream.limits': option(choice('off', 'on'), 'off', {
    description:
      'Whether a shard of the embedded stream takes and gives no more than one of Amazon Kinesis: 1,000 records and 1 MiB a second in, 5 reads and 2 MiB a second out; beyond, ProvisionedThroughputExceededException.',
    example: 'on',
    commands: SERVICE,
  }),
  'stream.start': option(instant('trim_horizon', 'now'), 'trim_horizon', {
    description:
      'Where a new lake begins to read: the oldest record that the stream holds, now, or a time. Pinned by the first commit, “now” as the time that the stream’s clock shows then; there is no “latest”, because events that come before the first commit would be lost.',
    example: '2026-01-31T00:00:00Z',
    commands: SERVICE,
  }),
  'commit.maxAge': option(duration({ min: 10 }), (command) => (command === 'run' ? '60s' : '1s'), {
    description:
      'A batch is committed when its first record has waited this long. A stream that is read to its end commits at once.',
    example: '10m',
    commands: PIPELINE,
  }),
  'commit.maxRows': option(count({ min: 1 }), 250_000, {
    description:
      'A batch is committed when it holds this many records. Larger ones make fewer and larger files, and take more memory.',
    example: '500k',
    commands: PIPELINE,
  }),
  'commit.maxBytes': option(bytes({ min: 1_000_000 }), '256MB', {
    description: 'A batch is committed when it holds this many bytes of records.',
    example: '64MB',
    commands: PIPELINE,
  }),
  'commit.maxFiles': option(count({ min: 16 }), 4_096, {
    description:
      'Data files that one commit makes of a table at most. Each day and type has a file of its own until then; the rows of the smallest lie together in few files without a partition, until compaction can move them.',
    example: '1000',
    commands: [...PIPELINE, 'maintain'],
  }),
  'commit.smallFiles': option(count(), 32, {
    description:
      'Files of fewer than 1,000 rows that one commit makes of raw at most. Late events touch many days with few rows each: when there would be more such files, their rows lie together, until compaction can move them.',
    example: '100',
    commands: PIPELINE,
  }),
  'commit.spoolsAhead': option(count({ min: 1, max: 64 }), 2, {
    description:
      'Batches that may wait on disk while one is processed. Beyond it reading stops; the stream holds the rest.',
    example: '4',
    commands: SERVICE,
  }),
  'commit.spacing': option(duration(), '1s', {
    description:
      'Where several workers write one lake, each leaves this time between its commits, times their number: so a table sees no more than one commit in that time, and they rarely get in each other’s way. One worker alone does not wait.',
    example: '500ms',
    commands: SERVICE,
  }),
  'workers.lease': option(duration({ min: 1_000 }), '30s', {
    description:
      'Processors of one stream share its shards. One of which the others have not heard for this long is taken for dead, and they take its shards over; each writes a small object beside the tables three times in that time.',
    example: '10s',
    commands: SERVICE,
  }),
  'dedupe.watermark': option(duration(), '10m', {
    description:
      'How far back in event time the processor drops repeats before they reach raw. Staging drops all the others, whatever this says.',
    example: '1h',
    commands: PIPELINE,
  }),
  'dedupe.maxIds': option(count({ min: 1000 }), 10_000_000, {
    description:
      'Most event ids that the processor remembers; the oldest are forgotten first. Bounds its memory (47–60 bytes an id), within the share that memory.limit leaves it: 570,000 at 512 MB, ten million at 3.5 GB.',
    example: '50M',
    commands: PIPELINE,
  }),
  'dedupe.filterMemory': option(bytes({ min: 1_000_000 }), '64MB', {
    description:
      'Memory of the filters by which staging knows a new event id without reading its index on disk, within memory.limit. Full speed up to 16 bits an id (32 million ids); more ids than that cost reads, never exactness.',
    example: '2GB',
    commands: NOT_A_FLAG,
  }),
  'event.minTime': option(instant(), '2000-01-01', {
    description: 'An event created before this goes to quarantine as absurd_created_at.',
    example: '2015-01-01',
    commands: SERVICE,
  }),
  'event.maxAhead': option(duration(), '48h', {
    description:
      'An event created more than this after its own arrival goes to quarantine as absurd_created_at.',
    example: '1h',
    commands: SERVICE,
  }),
  'types.max': option(count({ min: 1, max: 100_000 }), 1_000, {
    description:
      'Event types of a table that have partitions of their own. Events of further types are kept all the same, in files without a partition.',
    example: '200',
    commands: [...PIPELINE, 'maintain'],
  }),
  'engine.kind': option(choice('duckdb', 'spark'), 'duckdb', {
    description:
      'What judges records, drops repeats, computes transforms, compacts and writes files: DuckDB in this process, or Apache Spark at spark.url. Both write the same tables; a lake can go from one to the other and back.',
    example: 'spark',
    commands: ON_ENGINES,
    shortcut: '--engine',
  }),
  'engine.memory': option(bytes({ min: 64_000_000 }), '1GB', {
    description:
      'Memory that the SQL engine may use; beyond it, it spills to disk. 128 MB of it, or a quarter where that is less, are set aside for what it does not count.',
    example: '512MB',
    commands: ASKING,
  }),
  'engine.threads': option(count({ min: 1, max: 1024 }), () => availableParallelism(), {
    defaultText: 'the number of cores',
    description: 'Threads of the SQL engine.',
    example: '2',
    commands: ASKING,
  }),
  'memory.limit': option(bytes({ min: 450_000_000 }), '512MB', {
    description:
      'Memory that a worker takes beside the SQL engine’s own (engine.memory). It is shared out between the answers of the stream, the dedupe window, the index of staging and the rows of the batches in hand: dedupe.maxIds, dedupe.filterMemory, commit.maxRows and staging.maxRows are lowered to their shares, and under pressure reading waits.',
    example: '2GB',
    commands: SERVICE,
  }),
  'spark.url': unset(text('sc://HOST:PORT/;…'), {
    description:
      'The Spark Connect server, as its other clients write it: parameters are token, use_ssl, user_id, session_id, and headers of any other name. Better in the environment than as a flag when it holds a token.',
    example: 'sc://spark.example:15002/;use_ssl=true',
    commands: ON_ENGINES,
  }),
  'spark.catalog': option(text('NAME'), 'lakeward', {
    description: 'The name under which Spark knows the catalog of this lake.',
    example: 'lake',
    commands: ON_ENGINES,
  }),
  'spark.catalogUri': unset(text('URI'), {
    description:
      'Where Spark finds that catalog: http(s)://… of an Iceberg REST catalog (lakeward serve catalog), or jdbc:sqlite:… of this folder’s catalog.sqlite. Unset: the server itself is set up with it.',
    example: 'http://127.0.0.1:8181',
    commands: ON_ENGINES,
  }),
  'spark.attempts': option(count({ min: 1, max: 100 }), 8, {
    description:
      'Connections to Spark that may fail in a row before a batch is given up, and begun again by its role.',
    example: '12',
    commands: ON_ENGINES,
  }),
  'staging.maxRows': option(count({ min: 1 }), 250_000, {
    description:
      'Rows of raw that one commit of staging takes at most. They are sorted with their documents: what does not fit engine.memory is sorted on disk, several times slower.',
    example: '1M',
    commands: SERVICE,
  }),
  ...MAINTENANCE_OPTIONS,
  'transforms.dir': option(path('DIR'), './transforms', {
    description:
      'The folder of the transforms: every file in it that is no test defines one. Without it there are none.',
    example: './jobs',
    commands: TRANSFORMING,
  }),
  'transforms.every': option(duration({ min: 10 }), (command) => (command === 'run' ? '5m' : '5s'), {
    description:
      'How often the role transforms looks for what staging gained. Each time the days that changed are computed anew.',
    example: '1h',
    commands: SERVICE,
  }),
  'transforms.maxDays': option(count({ min: 1, max: 4_000 }), 31, {
    description: 'Days that one commit of a transform computes anew at most.',
    example: '7',
    commands: ['dev', 'run', ...COMPUTING],
  }),
  'transforms.maxRows': option(count({ min: 1 }), 1_000_000, {
    description: 'New events that one commit of a transform of mode append takes at most.',
    example: '100k',
    commands: ['dev', 'run', ...COMPUTING],
  }),
  ...SERVING_OPTIONS,
  'monitor.host': option(text('ADDRESS'), '127.0.0.1', {
    description:
      'Address that health and metrics are served on. They hold no secrets; on loopback only this machine asks.',
    example: '0.0.0.0',
    commands: SERVICE,
  }),
  'monitor.port': option(count({ max: 65535 }), (command) => (command === 'run' ? 9464 : 0), {
    description:
      'Port of /health/live, /health/ready and /metrics; 0 turns them off. When the default is taken, the next free one is used and named.',
    example: '9100',
    commands: [...SERVICE, 'health'],
  }),
  'log.level': option(
    choice('debug', 'info', 'warn', 'error'),
    (command) => (command === 'dev' || command === 'run' || command === 'serve catalog' ? 'info' : 'warn'),
    {
      description: 'The least important log entries to write, on stderr.',
      example: 'debug',
      commands: COMMAND_NAMES,
    },
  ),
  'log.format': option(choice('auto', 'pretty', 'json'), 'auto', {
    description:
      'How log entries are written: for people, or one JSON object a line. auto: for people on a terminal, else JSON.',
    example: 'json',
    commands: COMMAND_NAMES,
  }),
} as const;

export type OptionName = keyof typeof OPTIONS;
export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

/** Every option by its dotted name: durations in milliseconds, sizes in bytes, times in milliseconds since 1970. */
export type Settings = {
  readonly [Name in OptionName]: (typeof OPTIONS)[Name] extends Option<infer Value, infer _Input>
    ? Value
    : never;
};

/** The table, for code that walks over it and so does not know the types of single rows. */
export function optionRow(name: OptionName): Option<unknown, unknown> {
  return OPTIONS[name] as Option<unknown, unknown>;
}

/** `commit.maxAge` → `commit-max-age` */
function kebab(name: string): string {
  return name.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function flagOf(name: string): string {
  return `--${kebab(name)}`;
}

export function environmentOf(name: OptionName): string {
  return `LAKEWARD_${kebab(name).replaceAll('-', '_').toUpperCase()}`;
}

export function optionsOf(command: CommandName): OptionName[] {
  return OPTION_NAMES.filter((name) => (optionRow(name).commands as readonly string[]).includes(command));
}
