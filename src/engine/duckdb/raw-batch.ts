/**
 * Rows of raw on their way to staging. Documents are not held in between: identities are read first, and the rows
 * that stay are copied from file to file. A row's id is the place of its file's first row plus its own in the file.
 */
import type { Placement } from '../../tables/tables.ts';
import type { Target } from '../batch.ts';
import type { Identities, LakeFile, LocalFile, RawBatch, RawFile } from '../engine.ts';
import type { HeldFiles, LocalFiles } from '../local-files.ts';
import type { BatchFolder } from './batch-folders.ts';
import { engineFailure } from './duckdb.ts';
import { heldIdentities, identitySql } from './event-sql.ts';
import { eventColumns, withFiles } from './held.ts';
import type { Lanes } from './lanes.ts';
import { required } from './own-columns.ts';
import { type PlacedFile, placed, rowsOf } from './raw-rows.ts';
import { readIdentities, readRowIds } from './vectors.ts';
import { ensureRows } from './write.ts';
import { writeSorted } from './write-sorted.ts';

interface Input {
  raw: readonly RawFile[];
  /** The same files as they can be read, until the batch is let go of. */
  held: HeldFiles;
  files: LocalFiles;
  lanes: Lanes;
  /** Of this batch alone; gone with it. */
  folder: BatchFolder;
}

export async function readRaw(input: Input): Promise<RawBatch> {
  const { raw, held, lanes, folder } = input;
  const places = placed(raw, held.paths);
  try {
    await lanes.connection.run(`create or replace temp table identities as
      select rid, ${identitySql(required('event_uuid'))} as id from (${rowsOf(places)})`);
    return new DuckDbRawBatch({ ...input, places });
  } catch (error) {
    lanes.connection.closeSync();
    held.release();
    await folder.release();
    throw engineFailure(error, 'reading raw');
  }
}

class DuckDbRawBatch implements RawBatch {
  readonly rows: number;
  readonly #lanes: Lanes;
  readonly #folder: BatchFolder;
  readonly #held: HeldFiles;
  readonly #files: LocalFiles;
  readonly #places: readonly PlacedFile[];

  constructor({ held, files, lanes, folder, places }: Input & { places: readonly PlacedFile[] }) {
    this.#lanes = lanes;
    this.#folder = folder;
    this.#held = held;
    this.#files = files;
    this.#places = places;
    this.rows = places.reduce((sum, { rows }) => sum + rows, 0);
  }

  identities(): Promise<Identities> {
    const sql = 'select rid, id, 0::uinteger, 0::double from identities';
    return readIdentities(this.#lanes.connection, sql);
  }

  /** Few: what the window let through. Only they are put in order, which needs their wide columns. */
  repeated(): Promise<Identities> {
    return readIdentities(
      this.#lanes.connection,
      `select rid, id, (hash(document) & 4294967295)::uinteger, created_at
       from (${rowsOf(this.#places)}) join identities using (rid)
       where id in (select id from identities group by id having count(*) > 1)
       order by brought, arrived_at, stream, shard_id, length(sequence_number), sequence_number,
         coalesce(subsequence_number, -1)`,
    );
  }

  async heldBy(files: readonly LakeFile[]): Promise<Int32Array> {
    if (files.length === 0) return new Int32Array(0);
    return withFiles(this.#files, { files, need: eventColumns('event_uuid') }, (readable) => {
      const sql = `select rid from identities where id in (${heldIdentities(readable, 'identities')})`;
      return readRowIds(this.#lanes.connection, sql);
    });
  }

  async writeSorted(drop: Int32Array, placement?: Placement, target?: Target): Promise<LocalFile[]> {
    const write = {
      ...{ lanes: this.#lanes, files: this.#places, drop, folder: this.#folder.path, placement },
      ...(target && { target }),
    };
    try {
      return ensureRows(await writeSorted(write), this.rows - drop.length);
    } catch (error) {
      throw engineFailure(error, 'writing staging');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lanes.connection.closeSync();
    this.#held.release();
    await this.#folder.release();
  }
}
