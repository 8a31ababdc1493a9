/** The records of one spool in Spark: judged once, kept on its disks, written from there. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Log } from '../../base/base.ts';
import type { Lake } from '../../lake/lake.ts';
import { type Placement, QUARANTINE, QUARANTINE_NAME, RAW, RAW_NAME } from '../../tables/tables.ts';
import type { Target } from '../batch.ts';
import type { EventLimits, Identities, JudgedBatch, LakeFile, SpoolInput, StoredFile } from '../engine.ts';
import type { BranchWrite, BranchWriter } from './branch-write.ts';
import { literal } from './connect/statements.ts';
import type { Workspace } from './connection.ts';
import { heldIds } from './event-files.ts';
import { gathered } from './identities.ts';
import { judgeSql, SPOOL_COLUMNS, SPOOL_SCHEMA } from './judge-sql.ts';

interface Input {
  workspace: Workspace;
  writer: BranchWriter;
  lake: Lake;
  newId: () => string;
  log: Log;
  spool: SpoolInput;
  limits: EventLimits;
}

const DOING = 'judging a batch';

export async function judge(input: Input): Promise<JudgedBatch> {
  const { workspace, spool, limits } = input;
  const at = await reachable(input);
  try {
    const scan = await workspace.filesView(DOING, {
      locations: [at.location],
      schema: SPOOL_SCHEMA,
      columns: SPOOL_COLUMNS,
    });
    const judged = await workspace.kept(DOING, judgeSql(scan, spool, limits));
    const [counts] = await workspace.rows(DOING, `select count(*), count_if(reason is null) from ${judged}`);
    const [records, events] = counts!.map(Number) as [number, number];
    return new SparkJudgedBatch({ ...input, judged, records, events, gone: at.gone });
  } catch (error) {
    await at.gone();
    throw error;
  }
}

/** A spool lies on this machine. Where the lake does too, Spark reads it there; else it is brought to the lake's store. */
async function reachable({ lake: { store }, spool, newId, log }: Input) {
  if (store.localPath(`${store.root}/spool`) !== undefined)
    return { location: pathToFileURL(spool.path).href, gone: async () => {} };
  const location = `${store.root}/spools/${newId()}-${basename(spool.path)}`;
  await store.write(location, await readFile(spool.path));
  const left = (error: unknown) =>
    log.warn('spark.spool_left', 'could not delete the copy of a batch', { location, why: String(error) });
  return { location, gone: () => store.delete([location]).catch(left) };
}

class SparkJudgedBatch implements JudgedBatch {
  readonly records: number;
  readonly events: number;
  readonly rejected: number;
  readonly guard = new AsyncDisposableStack();
  readonly #input: Input & { judged: string; gone: () => Promise<void> };

  constructor(input: Input & { judged: string; records: number; events: number; gone: () => Promise<void> }) {
    this.#input = input;
    this.records = input.records;
    this.events = input.events;
    this.rejected = input.records - input.events;
  }

  /** In the order that decides which of equals wins within one commit. */
  identities(): Promise<Identities> {
    const sql = `select rid, id, content, least(seconds, arrived_ms / 1000D) from ${this.#input.judged}
      where reason is null order by arrived_ms, shard_id, length(seq), seq, coalesce(sub, -1)`;
    return gathered(this.#input.workspace.batches('reading identities', sql));
  }

  async missingFrom(files: readonly LakeFile[]): Promise<number> {
    const { workspace, judged } = this.#input;
    const held = await heldIds(workspace, files);
    if (held === undefined) return this.events;
    const sql = `select count(*) from ${judged} j left anti join (${held}) h on j.id = h.id where reason is null`;
    const [[missing] = []] = await workspace.rows('comparing the stream with raw', sql);
    return Number(missing);
  }

  async writeEvents(drop: Int32Array, _placement?: Placement, target?: Target): Promise<StoredFile[]> {
    const { workspace, judged, spool } = this.#input;
    const doing = 'writing events';
    let kept = '';
    if (drop.length > 0) {
      const dropped = await workspace.columnsView(doing, { rid: drop });
      kept = `left anti join ${dropped} d on j.rid = d.rid`;
    }
    return this.#write({
      ...{
        doing,
        table: RAW_NAME,
        definition: RAW,
        columns: target?.columns,
        rows: this.events - drop.length,
      },
      select: `select uuid, name, type, subtype, seconds, timestamp_micros(us), text,
          timestamp_millis(arrived_ms), shard_id, seq, sub, ${literal(spool.stream)}
        from ${judged} j ${kept} where reason is null`,
    });
  }

  async writeRejected(_placement?: Placement, target?: Target): Promise<StoredFile[]> {
    if (this.rejected === 0) return [];
    const { judged, spool } = this.#input;
    return this.#write({
      ...{
        doing: 'writing what is no event',
        table: QUARANTINE_NAME,
        definition: QUARANTINE,
        columns: target?.columns,
        rows: this.rejected,
      },
      select: `select bytes, reason, cast(null as string), timestamp_millis(arrived_ms), ${literal(spool.stream)},
          shard_id, seq, sub
        from ${judged} where reason is not null`,
    });
  }

  async #write(write: BranchWrite): Promise<StoredFile[]> {
    const { files, release } = await this.#input.writer.write(this.#input.workspace, write);
    this.guard.defer(release);
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guard.disposeAsync();
    await this.#input.workspace[Symbol.asyncDispose]();
    await this.#input.gone();
  }
}
