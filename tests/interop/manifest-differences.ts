/** Where two writers' manifest lists and manifests differ, field by field, and where they may. */
import type { AvroFile, DumpedSnapshot } from '../support/pyiceberg.ts';

interface Allowed {
  /** The field, or with an asterisk at its end all that begin so. */
  field: string;
  why: string;
  /** Only where this holds of the two values. */
  when?: (ours: unknown, theirs: unknown) => boolean;
}

const ENTRY = 'manifest.records.data_file';
const AVRO = 'manifest.avro.fields.type.fields';
const oursLacks = (ours: unknown) => ours === undefined || ours === null;
const noneIsZero = (ours: unknown, theirs: unknown) => ours === '0' && theirs === undefined;

export const ALLOWED: readonly Allowed[] = [
  { field: 'snapshot.summary.lakeward.*', why: 'positions, ledger and commit id: ours alone' },
  ...['added-data-files', 'added-records', 'changed-partition-count'].map((key) => ({
    ...{ field: `snapshot.summary.${key}`, why: 'of an empty commit ours says 0, pyiceberg nothing' },
    when: noneIsZero,
  })),
  { field: 'snapshot.summary.added-files-size', why: 'two engines make Parquet files of different sizes' },
  { field: 'snapshot.summary.total-files-size', why: 'two engines make Parquet files of different sizes' },
  { field: 'list.avro.fields.doc', why: 'ours leaves out what explains a field to people' },
  { field: 'list.records.manifest_path', why: 'names are fresh' },
  { field: 'list.records.manifest_length', why: 'headers and paths differ in length' },
  {
    field: 'manifest.header.schema-id',
    why: 'the spec requires it; pyiceberg leaves it out',
    when: (_, theirs) => theirs === undefined,
  },
  {
    field: 'manifest.header.schema.identifier-field-ids',
    why: 'optional; pyiceberg writes an empty list',
    when: (ours, theirs) => ours === undefined && Array.isArray(theirs) && theirs.length === 0,
  },
  { field: `${AVRO}.doc`, why: 'ours leaves out what explains a field to people' },
  {
    field: `${AVRO}.type.fields.type`,
    why: 'a partition value is optional in ours, so that null can be one',
  },
  { field: `${AVRO}.type.fields.default`, why: 'the default of an optional partition value' },
  { field: `${AVRO}.type.items`, why: 'equality_ids is a list of int in the spec, of long in pyiceberg' },
  {
    field: 'manifest.records.snapshot_id',
    why: 'ours inherits it, so that a manifest serves every attempt of a commit',
    when: oursLacks,
  },
  { field: `${ENTRY}.file_path`, why: 'names are fresh' },
  { field: `${ENTRY}.file_size_in_bytes`, why: 'two engines make Parquet files of different sizes' },
  { field: `${ENTRY}.column_sizes`, why: 'two engines make Parquet files of different sizes' },
  {
    field: `${ENTRY}.nan_value_counts`,
    why: 'ours knows that a double column holds no NaN; pyiceberg counts none',
    when: (ours, theirs) =>
      (oursLacks(ours) || (isObject(ours) && Object.values(ours).every((n) => n === 0))) && isEmpty(theirs),
  },
  { field: `${ENTRY}.split_offsets`, why: 'optional; DuckDB does not say them', when: oursLacks },
  {
    field: `${ENTRY}.sort_order_id`,
    why: 'pyiceberg does not sort, and so does not say so',
    when: (_, theirs) => theirs === null,
  },
  ...['lower_bounds', 'upper_bounds'].map((key) => ({
    ...{ field: `${ENTRY}.${key}`, when: oursLacks },
    why: 'DuckDB gives no bounds of a column with a value above 256 bytes that is not ASCII',
  })),
];

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** What allows it; undefined when nothing does. */
export function allowance({ field, ours, theirs }: Difference): Allowed | undefined {
  return ALLOWED.find(
    ({ field: listed, when }) =>
      (listed.endsWith('*') ? field.startsWith(listed.slice(0, -1)) : field === listed) &&
      (when === undefined || when(ours, theirs)),
  );
}

export interface Difference {
  /** Such as `entry.data_file.lower_bounds.3`. */
  field: string;
  ours: unknown;
  theirs: unknown;
}

/** Of commits that brought the same rows, in their order. */
export function differencesOf(
  ours: readonly DumpedSnapshot[],
  theirs: readonly DumpedSnapshot[],
): Difference[] {
  const found: Difference[] = [];
  compare('snapshots', { ours: ours.length, theirs: theirs.length }, found);
  const ordinals = new Map([...ours.entries(), ...theirs.entries()].map(([at, { id }]) => [id, at]));
  const pairs = ours.flatMap((mine, at) => (theirs[at] === undefined ? [] : [[mine, theirs[at]] as const]));
  for (const [mine, other] of pairs) {
    compare('snapshot', { ours: factsOf(mine), theirs: factsOf(other) }, found);
    compare('list', { ours: partsOf(mine.list, ordinals), theirs: partsOf(other.list, ordinals) }, found);
    compare('manifests', { ours: mine.manifests.length, theirs: other.manifests.length }, found);
    for (const [at, manifest] of mine.manifests.entries()) {
      const its = other.manifests[at];
      if (its !== undefined)
        compare('manifest', { ours: partsOf(manifest, ordinals), theirs: partsOf(its, ordinals) }, found);
    }
  }
  return found;
}

const factsOf = ({ number, summary }: DumpedSnapshot) => ({ number, summary });

/** Every snapshot has an id of its own: what is compared is which snapshot of its table it is. */
function partsOf({ header, schema, records }: AvroFile, ordinals: ReadonlyMap<string, number>): unknown {
  const named = (_key: string, value: unknown) => {
    const ordinal = typeof value === 'object' ? undefined : ordinals.get(String(value));
    if (ordinal !== undefined) return `snapshot ${ordinal}`;
    return typeof value === 'bigint' ? String(value) : value;
  };
  const said = JSON.parse(JSON.stringify({ header, records: records.toSorted(byPartition) }, named)) as {
    header: Record<string, string>;
  };
  const parsed = Object.entries(said.header).map(([key, value]) => [
    key,
    key === 'schema' || key === 'partition-spec' ? JSON.parse(value) : value,
  ]);
  return { ...said, header: Object.fromEntries(parsed), avro: schema };
}

/** Writers put a commit's files in any order; each of these has one file a partition. */
function byPartition(a: Record<string, unknown>, b: Record<string, unknown>): number {
  const [left, right] = [partitionOf(a), partitionOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

const partitionOf = (record: Record<string, unknown>): string =>
  JSON.stringify((record['data_file'] as { partition?: unknown } | undefined)?.partition ?? '');

function compare(
  field: string,
  { ours, theirs }: { ours: unknown; theirs: unknown },
  found: Difference[],
): void {
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    if (ours.length !== theirs.length) found.push({ field: `${field}.length`, ours, theirs });
    for (const [at, mine] of ours.entries()) {
      if (at < theirs.length) compare(field, { ours: mine, theirs: theirs[at] }, found);
    }
    return;
  }
  if (isObject(ours) && isObject(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      compare(/^\d+$/.test(key) ? field : `${field}.${key}`, { ours: ours[key], theirs: theirs[key] }, found);
    }
    return;
  }
  if (!Object.is(ours, theirs)) found.push({ field, ours, theirs });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
