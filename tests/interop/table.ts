/**
 * Which programs do what to our tables, each row held by tests that `make interop` runs. A row stands here before it
 * is claimed anywhere: docs/reference/compatibility.md is made from it.
 */
import { OUR_REST_SERVER, PYICEBERG_WAYS, SPARK_WAYS } from './catalog-ways.ts';

export interface Row {
  program: string;
  /** What leads the program to the table. */
  catalog: string;
  operation: string;
  /** `file > describe > … > test` below tests/interop, without the ending `.test.ts`; all of them must pass. */
  tests: readonly string[];
}

const NAMES = ['raw.events', 'staging.events', 'quarantine.events'];

type Operations = Readonly<Record<string, string | readonly string[]>>;

/** Rows of one program, their tests below one title. */
function rows(program: string, catalog: string, under: string, operations: Operations): Row[] {
  return Object.entries(operations).map(([operation, tests]) => ({
    program,
    catalog,
    operation,
    tests: [tests].flat().map((test) => `${under} > ${test}`),
  }));
}

/** Of rows in files of two partition specs, and again when compaction took them home. */
const ofTwoSpecs = (test: (name: string) => string): string[] =>
  ['with overflow files', 'after compaction took the rows home'].flatMap((state) =>
    ['raw.events', 'staging.events'].map((name) => `${state} > ${test(name)}`),
  );

const ofEach = (test: (name: string) => string): string[] => NAMES.map(test);

/** What every catalog through which Spark comes must hold. */
const SPARK: Operations = {
  'find the tables': 'finds the tables',
  read: ofEach((name) => `reads ${name}`),
  'prune by partitions and metrics': ofEach(
    (name) => `opens the files of ${name} that we open, and misses no row`,
  ),
  'time travel, by snapshot and by time': 'travels to every snapshot, by its id and by its time',
  'metadata tables: files, snapshots, partitions, manifests':
    'shows the files, snapshots, partitions and manifests that we know of',
  append: [
    'appends: its rows are foreign, staging takes them, and we go on',
    'appends while we commit: our commit is staged again on its snapshot',
  ],
  'MERGE, DELETE (copy-on-write)':
    'merges by rewriting files: rows that stay are not staged twice, new ones are',
  rewrite_data_files: [
    ...ofEach((name) => `rewrites the files of ${name}: nothing is read twice`),
    'rewrites the files of raw and staging while we commit: the window goes on',
  ],
  'rename a column':
    'renames columns: it reads ours under the new names, we go on, and staging takes what it appends',
  expire_snapshots: [
    'expires snapshots: what we know of ourselves stays',
    'expires our newest snapshot behind one of its own: what we know of ourselves stays',
  ],
  remove_orphan_files: 'removes orphan files: those, and none of ours',
  'DELETE (merge-on-read): refused by us until it is rewritten':
    'deletes merge-on-read: we say what to do instead of showing rows that are gone',
  'CREATE OR REPLACE: refused by us':
    'replaces raw whole: we say that nothing tells any more how far it was read',
};

const readers = (name: string) => `other programs > read ${name}`;
const PRUNING = 'opening the files that we open, and missing no row';

const TWO_SPECS = 'overflow > a table of two partition specs';
const TWO_SPECS_READ = [
  ...ofTwoSpecs((name) => `pyiceberg and DuckDB read of ${name} the rows that we count`),
  ...ofTwoSpecs((name) => `pyiceberg and DuckDB open the files of ${name} that we open, and miss no row`),
];

/** That one way shows what every other does, beside what that must be. */
const alike = (by: string) => (test: string) =>
  NAMES.flatMap((name) => [
    `${readers(name)} > ${test}`,
    `${readers(name)} > by ${by} as by every other way, down to each file that it opens`,
  ]);

export const TABLE: readonly Row[] = [
  ...PYICEBERG_WAYS.flatMap(([by]) => pyiceberg(by)),
  ...rows('pyiceberg 0.12', 'metadata file', 'readers', {
    read: ofEach((name) => `${readers(name)} > by the metadata file as by the catalog`),
  }),
  ...SPARK_WAYS.flatMap(([by]) => rows('Spark 4.1, Iceberg 1.11', by, `spark > Spark > by ${by}`, SPARK)),
  ...rows('Spark 4.1, Iceberg 1.11', OUR_REST_SERVER, 'spark > Spark', {
    'read and prune overflow files, and where compaction took their rows': [
      ...ofTwoSpecs((name) => `reads ${name}`),
      ...ofTwoSpecs((name) => `opens the files of ${name} that we open, and misses no row`),
    ].map((test) => `on a table of two partition specs > ${test}`),
    'read format version 3 with its row ids, append to it': [
      ...ofEach((name) => `reads ${name}`),
      'sees an id of its own at every row, the same after compaction',
      'appends: its row is foreign, staging takes it, and all adds up',
    ].map((test) => `on a lake of format version 3 > ${test}`),
  }),
  ...rows('DuckDB 1.4 (its iceberg extension)', 'metadata file', 'readers', {
    read: ofEach((name) => `${readers(name)} > with exactly the rows that we count`),
    'prune by partitions and metrics': ofEach((name) => `${readers(name)} > ${PRUNING}`),
  }),
  ...rows('DuckDB 1.4 (its iceberg extension)', 'metadata file', TWO_SPECS, {
    'read and prune overflow files, and where compaction took their rows': TWO_SPECS_READ,
  }),
  ...rows(
    'DuckDB 1.4 (its iceberg extension)',
    OUR_REST_SERVER,
    'rest-clients > a program by our REST server',
    {
      'read, and fill a table of its own':
        'that is DuckDB reads a table of ours, and makes and fills one of its own',
    },
  ),
  ...rows('icebird 0.3', 'metadata file', 'icebird > icebird', {
    read: ofEach((name) => `reads ${name}`),
  }),
  ...rows('icebird 0.3', 'metadata file', TWO_SPECS, {
    'read overflow files, and where compaction took their rows': ofTwoSpecs(
      (name) => `icebird reads ${name}`,
    ),
  }),
];

/** What it must do by each way to the catalog. */
function pyiceberg(by: string): Row[] {
  const ask = (under: string, operations: Operations) => rows('pyiceberg 0.12', by, under, operations);
  return [
    ...ask('readers', {
      'find the tables': `other programs > find the tables by ${by}`,
      read: alike(by)('with exactly the rows that we count'),
      'prune by partitions and metrics': alike(by)(PRUNING),
      'metadata tables': alike(by)('with the files, partitions and bounds that we know of'),
    }),
    ...ask(`foreign-writer > a program that writes to raw beside us > by ${by}`, {
      append: [
        'appends: its rows are foreign, our next commit enters them, staging takes them',
        'appends while we commit: our commit is staged again on its snapshot',
      ],
      'delete rows (copy-on-write)':
        'deletes an event among others: sent again it is in raw again, and in staging once',
      'delete a partition': 'deletes a partition: its rows count as negative, and we go on',
      'add a column': 'adds a column: files of ours lack it, those of others have it, and staging takes both',
      'rename a column': 'renames a column: it reads ours under the new name, and we go on under it too',
      'expire snapshots': 'expires snapshots, also our newest one: what we know of ourselves stays',
    }),
    ...ask(TWO_SPECS, {
      'read and prune overflow files, and where compaction took their rows': TWO_SPECS_READ,
    }),
    ...ask('marts > pyiceberg', {
      'read a mart': `reads a mart by ${by}: its types, a column added later, and only the files that a filter leaves`,
    }),
  ];
}
