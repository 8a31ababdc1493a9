/** What the other programs are asked about each table: which columns tell its rows apart, and filters that prune. */
import { createHash } from 'node:crypto';
import type { FileFilter, Table } from '../../src/lake/lake.ts';

export interface Columns {
  key: string;
  group: string;
  time: string;
  content: string;
}

/** What rows of a table amount to, in figures that every program can work out. */
export interface Contents {
  rows: number;
  keys: number;
  groups: Record<string, number>;
  /** By days since 1970. */
  days: Record<string, number>;
  /** Sum of the times. */
  micros: string;
  digest: string;
}

export interface Row {
  key: string;
  group: string;
  us: bigint;
  content: string | Uint8Array;
}

export function contentsOf(rows: readonly Row[]): Contents {
  const count = (keys: readonly (string | bigint)[]) => {
    const counts: Record<string, number> = {};
    for (const key of keys) counts[String(key)] = (counts[String(key)] ?? 0) + 1;
    return counts;
  };
  const sha256 = (of: string | Uint8Array) => createHash('sha256').update(of).digest('hex');
  return {
    rows: rows.length,
    keys: new Set(rows.map(({ key }) => key)).size,
    groups: count(rows.map(({ group }) => group)),
    days: count(rows.map(({ us }) => us / DAY_US)),
    micros: String(rows.reduce((sum, { us }) => sum + us, 0n)),
    digest: sha256(
      rows
        .map(({ content }) => sha256(content))
        .sort()
        .join(''),
    ),
  };
}

export interface Question {
  about: string;
  where: readonly FileFilter[];
  /** What files are left out by. Bounds leave out files of partitions of which others are opened. */
  prunes: 'partitions' | 'bounds' | 'nothing' | 'everything';
}

const DAY_US = 86_400_000_000n;
const us = (iso: string) => BigInt(Date.parse(iso)) * 1000n;
const day = (column: string, date: string): FileFilter => ({
  ...{ column, min: us(`${date}T00:00:00Z`) },
  max: us(`${date}T00:00:00Z`) + DAY_US - 1n,
});

const LONG = `long-${'x'.repeat(400)}`;

const EVENT_QUESTIONS: readonly Question[] = [
  { about: 'everything', where: [], prunes: 'nothing' },
  { about: 'a day', where: [day('created_datetime', '2026-01-12')], prunes: 'partitions' },
  {
    about: 'the first day that is allowed',
    where: [day('created_datetime', '2000-01-01')],
    prunes: 'partitions',
  },
  {
    about: 'a day with an event in its last microsecond',
    where: [
      {
        column: 'created_datetime',
        min: us('2025-12-31T23:59:59.999Z') + 999n,
        max: us('2026-01-01T00:00:00Z') - 1n,
      },
    ],
    prunes: 'partitions',
  },
  {
    about: 'all but the last microsecond of a day',
    where: [
      { column: 'created_datetime', min: us('2026-01-12T00:00:00Z'), max: us('2026-01-13T00:00:00Z') - 2n },
    ],
    prunes: 'partitions',
  },
  { about: 'a type', where: [{ column: 'event_type', in: ['lesson'] }], prunes: 'partitions' },
  ...[
    ...['quo"te\'s', '100%', 'with space', 'ünïcode-日本-🎈', 'a/b/../c', '..', 'back\\slash', 'a=b&c=d#e?f'],
    ...[
      '__HIVE_DEFAULT_PARTITION__',
      'null',
      LONG,
      '🎈'.repeat(18),
      'é'.repeat(300),
      '\u{10ffff}'.repeat(17),
    ],
  ].map(
    (type): Question => ({
      about: `the type ${type.slice(0, 30)}`,
      where: [{ column: 'event_type', in: [type] }],
      prunes: 'partitions',
    }),
  ),
  {
    about: 'several types',
    where: [{ column: 'event_type', in: ['null', 'payment', 'nobody'] }],
    prunes: 'partitions',
  },
  {
    about: 'a range of types',
    where: [{ column: 'event_type', min: 'm', max: 'payment' }],
    prunes: 'partitions',
  },
  {
    about: 'a type on a day',
    where: [day('created_datetime', '2026-01-11'), { column: 'event_type', in: ['payment'] }],
    prunes: 'partitions',
  },
  { about: 'a day without events', where: [day('created_datetime', '1990-01-01')], prunes: 'everything' },
  {
    about: 'two minutes of a day',
    where: [{ column: 'created_datetime', min: us('2026-01-12T12:00:00Z'), max: us('2026-01-12T12:02:00Z') }],
    prunes: 'bounds',
  },
  {
    about: 'a range of names',
    where: [{ column: 'event_name', min: 'lesson:a', max: 'lesson:d' }],
    prunes: 'bounds',
  },
  { about: 'a name', where: [{ column: 'event_name', in: ['payment:refunded'] }], prunes: 'bounds' },
  {
    about: 'a name longer than a bound',
    where: [{ column: 'event_name', in: [`${LONG}:${'y'.repeat(400)}`] }],
    prunes: 'partitions',
  },
  { about: 'the first seconds', where: [{ column: 'created_at', max: 978_220_800 }], prunes: 'partitions' },
  {
    about: 'a range of seconds',
    where: [
      {
        column: 'created_at',
        min: Date.UTC(2026, 0, 12, 12) / 1000,
        max: Date.UTC(2026, 0, 12, 12, 2) / 1000,
      },
    ],
    prunes: 'bounds',
  },
  {
    about: 'a subtype, which some files lack',
    where: [{ column: 'event_subtype', in: ['created'] }],
    prunes: 'bounds',
  },
  {
    about: 'a number that no row has',
    where: [{ column: 'subsequence_number', min: 0 }],
    prunes: 'everything',
  },
  // Sixteen characters, as long as bounds are, do not tell shards apart.
  { about: 'a shard', where: [{ column: 'shard_id', in: ['shardId-000000000001'] }], prunes: 'nothing' },
  {
    about: 'arrivals of some hours',
    where: [{ column: 'arrived_at', min: us('2026-01-11T00:00:00Z'), max: us('2026-01-11T05:00:00Z') }],
    prunes: 'bounds',
  },
  { about: 'a document', where: [{ column: 'document', max: '{' }], prunes: 'nothing' },
];

const QUARANTINE_QUESTIONS: readonly Question[] = [
  { about: 'everything', where: [], prunes: 'nothing' },
  { about: 'a day', where: [day('arrived_at', '2026-01-12')], prunes: 'partitions' },
  {
    about: 'an hour',
    where: [{ column: 'arrived_at', min: us('2026-01-12T12:00:00Z'), max: us('2026-01-12T13:00:00Z') }],
    prunes: 'partitions',
  },
  { about: 'a reason', where: [{ column: 'reason', in: ['not_utf8'] }], prunes: 'bounds' },
  { about: 'a day without records', where: [day('arrived_at', '2026-02-12')], prunes: 'everything' },
];

const EVENT_COLUMNS: Columns = {
  key: 'event_uuid',
  group: 'event_type',
  time: 'created_datetime',
  content: 'document',
};
const QUARANTINE_COLUMNS: Columns = {
  key: 'sequence_number',
  group: 'reason',
  time: 'arrived_at',
  content: 'bytes',
};

export const ASKED: Readonly<Record<string, { columns: Columns; questions: readonly Question[] }>> = {
  'raw.events': { columns: EVENT_COLUMNS, questions: EVENT_QUESTIONS },
  'staging.events': { columns: EVENT_COLUMNS, questions: EVENT_QUESTIONS },
  'quarantine.events': { columns: QUARANTINE_COLUMNS, questions: QUARANTINE_QUESTIONS },
};

/** The filter as SQL, for programs that are asked in it. */
export function conditionOf(table: Table, where: readonly FileFilter[]): string {
  const types = new Map(table.metadata.schemas[0]!.fields.map(({ name, type }) => [name, type]));
  const literal = (column: string, value: string | number | bigint) => {
    if (types.get(column) === 'timestamptz') return timestamp(BigInt(value));
    return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
  };
  const conditions = where.flatMap(({ column, min, max, in: values }) => [
    ...(min === undefined ? [] : [`${column} >= ${literal(column, min)}`]),
    ...(max === undefined ? [] : [`${column} <= ${literal(column, max)}`]),
    ...(values === undefined ? [] : [`${column} in (${values.map((value) => literal(column, value))})`]),
  ]);
  return conditions.length === 0 ? 'true' : conditions.join(' and ');
}

function timestamp(micros: bigint): string {
  const seconds = new Date(Number(micros / 1000n)).toISOString().slice(0, 19).replace('T', ' ');
  return `timestamptz '${seconds}.${String(micros % 1_000_000n).padStart(6, '0')}+00'`;
}
