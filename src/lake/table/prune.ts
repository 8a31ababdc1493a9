/**
 * Which manifests and files can hold a row that a filter wants. Only "no" is sure: a file is left out when its
 * partition value or its bounds show that none of its rows match; what is not known speaks for the file.
 */
import { Failure } from '../../base/base.ts';
import type { FileFilter } from '../lake.ts';
import { hasBounds } from './bounds.ts';
import { compareBounds } from './compare.ts';
import type { Bound, DataFile, Manifest } from './data-file.ts';
import { currentSchema, partitionSpec, type TableMetadata } from './metadata.ts';
import { dayOfMicros } from './partition.ts';

/** A range of values, or single ones; a bound that is absent is open. */
interface Wanted {
  min?: Bound;
  max?: Bound;
  in?: readonly Bound[];
}

export interface Pruner {
  manifest(manifest: Manifest): boolean;
  file(file: DataFile): boolean;
}

interface Column {
  id: number;
  type: string;
  wanted: Wanted;
}

export function prunerOf(metadata: TableMetadata, filters: readonly FileFilter[]): Pruner {
  const columns = filters.map((filter) => columnOf(metadata, filter));
  const specs = new Map<number, PartitionTest[]>();
  const testsOf = (specId: number): PartitionTest[] => {
    const known = specs.get(specId) ?? columns.flatMap((column) => partitionTests(metadata, specId, column));
    specs.set(specId, known);
    return known;
  };
  return {
    manifest: (manifest) => testsOf(manifest.specId).every((test) => test.manifest(manifest)),
    file: (file) =>
      testsOf(file.specId).every((test) => test.file(file)) &&
      columns.every((column) => boundsAllow(column, file)),
  };
}

function columnOf(metadata: TableMetadata, { column, id, min, max, in: values }: FileFilter): Column {
  const { fields } = currentSchema(metadata);
  const field = fields.find((each) => (id === undefined ? each.name === column : each.id === id));
  if (field === undefined) {
    throw new Failure(`cannot filter by ${column}`, {
      code: 'lake.no_such_column',
      fault: 'user',
      why: `the table has no such column; it has ${currentSchema(metadata)
        .fields.map((each) => each.name)
        .join(', ')}`,
    });
  }
  const wanted: Wanted = {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(values === undefined ? {} : { in: values }),
  };
  return { id: field.id, type: field.type, wanted };
}

interface PartitionTest {
  manifest(manifest: Manifest): boolean;
  file(file: DataFile): boolean;
}

function partitionTests(
  metadata: TableMetadata,
  specId: number,
  { id, type, wanted }: Column,
): PartitionTest[] {
  return partitionSpec(metadata, specId).fields.flatMap((field, at) => {
    if (field['source-id'] !== id || !hasBounds(type)) return [];
    const inPartition =
      field.transform === 'identity' ? wanted : field.transform === 'day' ? daysOf(wanted, type) : undefined;
    if (inPartition === undefined) return [];
    return [
      {
        manifest: ({ partitions }) => {
          const summary = partitions[at];
          if (summary === undefined) return true;
          const { lower, upper, containsNan } = summary;
          if (isFloating(type) && containsNan !== false) return true;
          // Without bounds every value is null, and null matches nothing.
          if (lower === undefined && upper === undefined) return !summary.containsNull;
          return overlaps(inPartition, { lower, upper });
        },
        file: ({ partition }) => {
          const value = partition[at];
          if (value === undefined || Number.isNaN(value)) return true;
          return value !== null && overlaps(inPartition, { lower: value, upper: value });
        },
      },
    ];
  });
}

/** The days in which wanted moments lie; a date is its own day. */
function daysOf(wanted: Wanted, type: string): Wanted | undefined {
  const dayOf = (bound: Bound): Bound => (type === 'date' ? bound : dayOfMicros(micros(bound)));
  const { min, max, in: values } = wanted;
  if (
    [min, max, ...(values ?? [])].some(
      (v) => typeof v === 'string' || typeof v === 'boolean' || v instanceof Uint8Array,
    )
  ) {
    return undefined;
  }
  return {
    ...(min === undefined ? {} : { min: dayOf(min) }),
    ...(max === undefined ? {} : { max: dayOf(max) }),
    ...(values === undefined ? {} : { in: values.map(dayOf) }),
  };
}

const micros = (bound: Bound): bigint =>
  typeof bound === 'bigint' ? bound : BigInt(Math.floor(Number(bound)));

function boundsAllow({ id, type, wanted }: Column, file: DataFile): boolean {
  const nulls = file.nullValueCounts.get(id);
  if (nulls !== undefined && nulls === file.recordCount) return false;
  const lower = file.lowerBounds.get(id);
  // Bounds leave out NaN, which an engine may take for greater than everything.
  const upper = isFloating(type) && file.nanValueCounts.get(id) !== 0 ? undefined : file.upperBounds.get(id);
  return overlaps(wanted, { lower, upper });
}

/** Whether a range of values can hold one that is wanted; an absent bound is open. */
export function mayMatch(
  { min, max, in: values }: Omit<FileFilter, 'column'>,
  has: { lower: Bound | undefined; upper: Bound | undefined },
): boolean {
  return overlaps(
    { ...(min !== undefined && { min }), ...(max !== undefined && { max }), ...(values && { in: values }) },
    has,
  );
}

const isFloating = (type: string): boolean => type === 'float' || type === 'double';

function overlaps(wanted: Wanted, has: { lower: Bound | undefined; upper: Bound | undefined }): boolean {
  const below = (a: Bound | undefined, b: Bound | undefined): boolean =>
    a !== undefined && b !== undefined && (compareBounds(a, b) ?? 0) < 0;
  if (below(has.upper, wanted.min) || below(wanted.max, has.lower)) return false;
  return (
    wanted.in === undefined || wanted.in.some((value) => !below(value, has.lower) && !below(has.upper, value))
  );
}
