import type { DuckDBConnection } from '@duckdb/node-api';
import { type Placement, QUARANTINE, RAW } from '../../tables/tables.ts';
import type { Target } from '../batch.ts';
import type { EventLimits, Identities, JudgedBatch, LakeFile, LocalFile, SpoolInput } from '../engine.ts';
import type { LocalFiles } from '../local-files.ts';
import type { BatchFolder } from './batch-folders.ts';
import { engineFailure } from './duckdb.ts';
import { heldIdentities, judgeSql } from './event-sql.ts';
import { eventColumns, withFiles } from './held.ts';
import { literal } from './sql.ts';
import { fillRowIds, readIdentities } from './vectors.ts';
import { ensureRows, partitionHint, writePartitioned } from './write.ts';

interface Input {
  spool: SpoolInput;
  limits: EventLimits;
  files: LocalFiles;
  /** Of this batch alone; gone with it. */
  folder: BatchFolder;
}

/** Stages the spool once, as a temporary table; everything else reads that. */
export async function judge(c: DuckDBConnection, input: Input): Promise<JudgedBatch> {
  try {
    await c.run(`create or replace temp table judged as ${judgeSql(input.spool, input.limits)}`);
    const counted = await c.runAndReadAll(
      'select count(*), count(*) filter (where reason is null) from judged',
    );
    const [records, events] = counted.getRowsJson()[0]!.map(Number) as [number, number];
    return new DuckDbJudgedBatch(c, { ...input, records, events });
  } catch (error) {
    c.closeSync();
    await input.folder.release();
    throw engineFailure(error, 'judging a batch');
  }
}

class DuckDbJudgedBatch implements JudgedBatch {
  readonly records: number;
  readonly events: number;
  readonly rejected: number;
  readonly #c: DuckDBConnection;
  readonly #input: Input;

  constructor(c: DuckDBConnection, input: Input & { records: number; events: number }) {
    this.#c = c;
    this.#input = input;
    this.records = input.records;
    this.events = input.events;
    this.rejected = input.records - input.events;
  }

  /**
   * In the order that decides which of equals wins within one commit. Rows of a shard stand in the spool in the order of
   * their numbers: sorting by the numbers, as text, takes twice the time.
   */
  identities(): Promise<Identities> {
    return readIdentities(
      this.#c,
      `select rid, id, content, least(seconds, arrived_ms / 1000.0) from judged where reason is null
       order by arrived_ms, shard_id, rid`,
    );
  }

  async missingFrom(files: readonly LakeFile[]): Promise<number> {
    return withFiles(this.#input.files, { files, need: eventColumns('event_uuid') }, async (readable) => {
      const none = 'select null::uuid as id where false';
      const held = files.length === 0 ? none : heldIdentities(readable, 'judged');
      try {
        const counted = await this.#c.runAndReadAll(
          `select count(*) from judged where reason is null and id not in (${held})`,
        );
        return Number(counted.getRowsJson()[0]![0]);
      } catch (error) {
        throw engineFailure(error, 'comparing the stream with raw');
      }
    });
  }

  async writeEvents(drop: Int32Array, placement?: Placement, target?: Target): Promise<LocalFile[]> {
    let kept = 'reason is null';
    if (drop.length > 0) {
      await fillRowIds(this.#c, 'dropped', drop);
      kept += ' and rid not in (select rid from dropped)';
    }
    const files = await this.#write('writing events', {
      table: RAW,
      ...(target && { target }),
      select: `select uuid as event_uuid, name as event_name, type as event_type, subtype as event_subtype,
          seconds as created_at, make_timestamptz(us) as created_datetime, text as document,
          make_timestamptz(arrived_ms * 1000) as arrived_at, shard_id, seq as sequence_number,
          sub as subsequence_number, ${literal(this.#input.spool.stream)} as stream, day as __day, type as __type
        from judged where ${kept}`,
      partitionBy: ['__day', '__type'],
      typeKey: '__type',
      ...(placement && { placement }),
      hint: (values) => partitionHint(['created_datetime_day', 'event_type'], values),
    });
    return ensureRows(files, this.events - drop.length);
  }

  async writeRejected(placement?: Placement, target?: Target): Promise<LocalFile[]> {
    if (this.rejected === 0) return [];
    const files = await this.#write('writing what is no event', {
      table: QUARANTINE,
      ...(target && { target }),
      select: `select bytes, reason, null::varchar as detail, make_timestamptz(arrived_ms * 1000) as arrived_at,
          ${literal(this.#input.spool.stream)} as stream, shard_id, seq as sequence_number, sub as subsequence_number,
          (arrived_ms // 86400000)::integer as __day
        from judged where reason is not null`,
      partitionBy: ['__day'],
      ...(placement && { placement }),
      hint: (values) => partitionHint(['arrived_at_day'], values),
    });
    return ensureRows(files, this.rejected);
  }

  async #write(
    doing: string,
    write: Omit<Parameters<typeof writePartitioned>[1], 'folder'>,
  ): Promise<LocalFile[]> {
    try {
      return await writePartitioned(this.#c, { ...write, folder: this.#input.folder.path });
    } catch (error) {
      throw engineFailure(error, doing);
    }
  }

  /** Files that were moved into the store are no longer at their local path; the rest goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#c.closeSync();
    await this.#input.folder.release();
  }
}
