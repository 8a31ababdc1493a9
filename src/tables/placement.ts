/**
 * Where the rows of a commit go: each partition has a file of its own, until a bound is reached. Beyond it the rows of
 * the smallest partitions lie together in few files of the overflow spec, which has no fields; so do the rows of event
 * types that came when the table had as many types as it may have, and those of all small partitions where a commit
 * would touch too many of them. An engine is told the bounds and decides by its rows.
 */
import type { Log } from '../base/base.ts';
import type { DataFile, Lake, Table } from '../lake/lake.ts';
import { EVENT_TYPE_ID } from './definitions.ts';
import { tableState } from './state.ts';

export interface PartitionBounds {
  /** Data files of one commit, and so the partitions that it touches. */
  filesMost: number;
  /** Event types of a table that have partitions of their own. */
  typesMost: number;
  /** Partitions of fewer than `SMALL_ROWS` rows in one commit; when there are more, none of them has a file of its own. */
  smallMost?: number;
}

/** What a file costs its readers beside its rows, in rows: about 2 ms, against 1.8 µs a row. */
export const SMALL_ROWS = 1_000;

/** What an engine is told of it. */
export interface Placement extends PartitionBounds {
  /** Event types that have partitions already; empty where the table is not partitioned by them. */
  types: ReadonlySet<string>;
  /** Where not all of them fit, a partition of fewer rows goes to overflow as well. */
  rowsLeast?: number;
  /** Files that what overflows is put into at most. */
  overflowMost?: number;
  /** Asked only when rows overflow. Undefined where the catalog takes no such spec: then every partition has its file. */
  overflowSpec(): Promise<number | undefined>;
}

/** The types that had partitions when files were written, and those that get some by them. */
export interface OwnTypes {
  known: readonly string[];
  added: readonly string[];
  most: number;
}

/** Of one commit to one table. */
export class Placing implements Placement {
  readonly filesMost: number;
  readonly typesMost: number;
  readonly smallMost?: number;
  readonly types: ReadonlySet<string>;
  readonly #lake: Lake;
  readonly #log: Log;
  #table: Table;

  constructor(
    { lake, log }: { lake: Lake; log: Log },
    { table, bounds, types }: { table: Table; bounds: PartitionBounds; types: readonly string[] },
  ) {
    this.#lake = lake;
    this.#log = log;
    this.#table = table;
    this.filesMost = bounds.filesMost;
    this.typesMost = bounds.typesMost;
    if (bounds.smallMost !== undefined) this.smallMost = bounds.smallMost;
    this.types = new Set(types);
  }

  /** As it was given, or with the overflow spec once that was asked for. */
  get table(): Table {
    return this.#table;
  }

  async overflowSpec(): Promise<number | undefined> {
    const found = await this.#lake.withOverflow(this.#table);
    this.#table = found?.table ?? this.#table;
    return found?.specId;
  }

  /** What a commit of these files says of types. */
  typesOf(files: readonly Placed[]): OwnTypes {
    const added = [...typesIn(this.#table, files)].filter((type) => !this.types.has(type));
    return { known: [...this.types], added, most: this.typesMost };
  }

  /** The same, where these files are what was taken in; says what overflowed, and what should have and could not. */
  written(files: readonly Placed[]): OwnTypes {
    if (files.length > this.filesMost) {
      this.#log.warn('tables.many_files', 'a commit makes more files than commit.maxFiles', {
        table: this.#table.name,
        files: files.length,
        most: this.filesMost,
      });
    }
    const overflowed = files.filter(({ partition }) => partition.length === 0);
    if (overflowed.length > 0) {
      this.#log.debug('tables.overflowed', 'rows of the smallest partitions lie together in overflow files', {
        table: this.#table.name,
        rows: overflowed.reduce((sum, { recordCount }) => sum + recordCount, 0),
        files: overflowed.length,
        partitions: files.length - overflowed.length,
      });
    }
    return this.typesOf(files);
  }
}

type Placed = Pick<DataFile, 'specId' | 'partition' | 'recordCount'>;

export async function placing(
  ports: { lake: Lake; log: Log },
  { table, bounds }: { table: Table; bounds: PartitionBounds },
): Promise<Placing> {
  // A table that is older than this state: its files are asked, until the first commit writes it down.
  const types = tableState(table).types ?? [...typesIn(table, (await ports.lake.files(table)).files)];
  return new Placing(ports, { table, bounds, types });
}

function typesIn(
  { metadata }: Table,
  files: readonly Pick<DataFile, 'specId' | 'partition'>[],
): ReadonlySet<string> {
  const at = new Map(
    metadata['partition-specs'].map((spec) => [
      spec['spec-id'],
      spec.fields.findIndex(
        (field) => field['source-id'] === EVENT_TYPE_ID && field.transform === 'identity',
      ),
    ]),
  );
  const types = new Set<string>();
  for (const { specId, partition } of files) {
    const type = partition[at.get(specId) ?? -1];
    if (typeof type === 'string') types.add(type);
  }
  return types;
}
