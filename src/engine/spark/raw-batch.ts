/** Rows of raw on their way to staging, in Spark: only ids of repeats come to us, and no document ever does. */
import { Failure } from '../../base/base.ts';
import { type Placement, STAGING, STAGING_NAME } from '../../tables/tables.ts';
import type { Target } from '../batch.ts';
import type { Identities, LakeFile, RawBatch, RawFile, StoredFile } from '../engine.ts';
import type { BranchWriter } from './branch-write.ts';
import type { Workspace } from './connection.ts';
import { COLUMNS, heldIds, rawRows } from './event-files.ts';
import { contentSql, gathered, rowIds } from './identities.ts';

interface Input {
  workspace: Workspace;
  writer: BranchWriter;
  files: readonly RawFile[];
}

const ROWS_MAX = 2 ** 31 - 1;
/** Row ids that one message to the server can hold. */
const DROPPED_MAX = 30_000_000;

export async function readRaw(input: Input): Promise<RawBatch> {
  const rows = input.files.reduce((sum, file) => sum + file.rows, 0);
  if (rows > ROWS_MAX) throw tooLarge(rows, ROWS_MAX);
  return new SparkRawBatch({ ...input, rows, view: await rawRows(input.workspace, input.files) });
}

class SparkRawBatch implements RawBatch {
  readonly rows: number;
  readonly guard = new AsyncDisposableStack();
  readonly #workspace: Workspace;
  readonly #writer: BranchWriter;
  readonly #view: string;

  constructor({ rows, workspace, writer, view }: Input & { rows: number; view: string }) {
    this.rows = rows;
    this.#workspace = workspace;
    this.#writer = writer;
    this.#view = view;
  }

  identities(): Promise<Identities> {
    const sql = `select rid, id, 0L, 0D from ${this.#view}`;
    return gathered(this.#workspace.batches('reading identities', sql));
  }

  repeated(): Promise<Identities> {
    const sql = `with twice as (select id from ${this.#view} group by id having count(*) > 1)
      select rid, r.id, ${contentSql('document')}, created_at from ${this.#view} r join twice t on r.id = t.id
      order by brought, arrived_at nulls last, stream nulls last, shard_id nulls last,
        length(sequence_number) nulls last, sequence_number nulls last, coalesce(subsequence_number, -1)`;
    return gathered(this.#workspace.batches('looking for repeats', sql));
  }

  async heldBy(files: readonly LakeFile[]): Promise<Int32Array> {
    const held = await heldIds(this.#workspace, files);
    if (held === undefined) return new Int32Array(0);
    const sql = `select rid from ${this.#view} r left semi join (${held}) h on r.id = h.id`;
    return rowIds(this.#workspace.batches('looking for what staging holds', sql));
  }

  async writeSorted(drop: Int32Array, _placement?: Placement, target?: Target): Promise<StoredFile[]> {
    const doing = 'writing staging';
    let kept = '';
    if (drop.length > DROPPED_MAX) throw tooLarge(drop.length, DROPPED_MAX);
    if (drop.length > 0) {
      const dropped = await this.#workspace.columnsView(doing, { rid: drop });
      kept = `left anti join ${dropped} d on r.rid = d.rid`;
    }
    const { files, release } = await this.#writer.write(this.#workspace, {
      doing,
      table: STAGING_NAME,
      definition: STAGING,
      columns: target?.columns,
      select: `select ${COLUMNS.map((name) => `r.${name}`).join(', ')} from ${this.#view} r ${kept}`,
      rows: this.rows - drop.length,
    });
    this.guard.defer(release);
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guard.disposeAsync();
    await this.#workspace[Symbol.asyncDispose]();
  }
}

function tooLarge(rows: number, most: number): Failure {
  return new Failure(`a batch of ${rows} rows is too large`, {
    code: 'engine.batch_too_large',
    fault: 'user',
    why: `Spark takes ${most} at once`,
    hint: 'lower staging.maxRows or commit.maxRows',
  });
}
