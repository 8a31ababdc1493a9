/**
 * What an engine does for a transform: it shows files as named relations, asks one query of them, and writes the answer
 * as files of the transform's table. Types are Iceberg's; days are whole days of UTC, as numbers since the epoch.
 */
import type { Field, TableName, Type } from '../lake/lake.ts';
import type { Kept, LakeFile, WrittenFile } from './batch.ts';
import type { NotPortable } from './portable/portable.ts';

/** Files of a table as a relation that the query reads by this name. */
export interface SourceView {
  name: string;
  fields: readonly Field[];
  /** None: an empty relation of these columns. */
  files: readonly LakeFile[];
  /** Rows that are shown: those with one of these values in one of these columns; all when there is no such list. */
  anyOf?: readonly { column: string; values: readonly string[] }[];
  /** Rows that are shown: those of these days by a column of type date, timestamp or timestamptz; both inclusive. */
  days?: { column: string; first: number; last: number };
}

export interface TransformQuery {
  /** Of the transform, for messages. */
  name: string;
  views: readonly SourceView[];
  sql: string;
}

/** `type` is undefined where no column of a table can hold what the query gives; `given` is the engine's own word for it. */
export interface OutputColumn {
  name: string;
  given: string;
  type: Type | undefined;
}

export interface TransformWrite extends TransformQuery {
  /** What the rows are for. Nothing is committed to it here. */
  table: TableName;
  /** The table's columns; each is found by name in the answer and converted. One that the answer lacks is null. */
  fields: readonly Field[];
  /** The table's: `write.parquet.…`. */
  properties?: Readonly<Record<string, string>>;
  /** The table is partitioned by the day of this column. */
  partition?: {
    column: string;
    /** Only this day is written. A row of a day outside `within`, or without one, is an error: `transform.wrong_day`. */
    only?: { day: number; within: { first: number; last: number } };
  };
  /** Aborted: the query is interrupted, with Failure `transform.interrupted`. */
  signal?: AbortSignal;
}

export interface TransformAnswer extends Kept {
  rows: number;
  /** None when the answer is empty. */
  files: WrittenFile[];
}

/** Failures of the query itself are Failure `transform.sql`, of fault user. */
export interface TransformEngine {
  /**
   * What the query gives, by its text and the views' columns alone; nothing is read. Spark's throws Failure
   * `transform.not_portable` for what it would not give the same.
   */
  outputColumns(query: TransformQuery): Promise<OutputColumn[]>;
  /** What in the query is not known to give the same on every engine; by its text alone, on any engine. */
  notPortable(
    query: Pick<TransformQuery, 'sql'> & { views: readonly string[] },
  ): Promise<readonly NotPortable[]>;
  transform(write: TransformWrite): Promise<TransformAnswer>;
}
