/**
 * The scale-out engine: Apache Spark by Spark Connect. It judges, reads raw, computes transforms, compacts and
 * writes. All else (questions, verify, adopting quarantine's files) stays with the embedded engine, on the same files.
 */
import type { Clock, Log } from '../../base/base.ts';
import type { Lake } from '../../lake/lake.ts';
import type { Engine, Identities, LakeFile } from '../engine.ts';
import { tryOutHere } from '../try-out.ts';
import { branchWriter } from './branch-write.ts';
import { type Connection, openConnection, type Workspace } from './connection.ts';
import { windowRows } from './event-files.ts';
import { identitiesOf } from './identities.ts';
import { judge } from './judge.ts';
import { readRaw } from './raw-batch.ts';
import { REWRITE_LEAST_BYTES, rewrite, suitsSpark } from './rewrite.ts';
import { outputColumns, transform } from './transform.ts';

export interface SparkOptions {
  /** `sc://host:port/;token=…;use_ssl=true`. */
  url: string;
  /** The lake's catalog as Spark names it, and how Spark finds it where the server is not set up with it. */
  catalog: { name: string; uri: string | undefined };
  lake: Lake;
  embedded: Engine;
  clock: Clock;
  log: Log;
  newId: () => string;
  random: () => number;
  /** Connections tried in a row without hearing anything. */
  attempts: number;
  /** Files of fewer bytes together are rewritten by the embedded engine (64 MB). */
  rewriteLeast_bytes?: number;
  /** Its first write to a table drops branches that a process left which is gone (true): not where the writer is another. */
  sweeps?: boolean;
}

/** Servers close a session that was silent for an hour; some are set to minutes. */
const HEARTBEAT_MS = 60_000;

export function openSpark(options: SparkOptions): Engine {
  const { embedded, lake, newId, log } = options;
  const connection = openConnection({
    ...options,
    heartbeat_ms: HEARTBEAT_MS,
    catalog: { ...options.catalog, warehouse: lake.store.root },
  });
  const writer = branchWriter({ ...options, connection, catalog: options.catalog.name });
  /** The workspace goes with the batch, or at once where there is no batch. */
  async function inWorkspace<Batch>(
    begin: (workspace: Workspace) => Promise<Batch>,
    signal?: AbortSignal,
  ): Promise<Batch> {
    await using opening = new AsyncDisposableStack();
    const batch = await begin(opening.use(await connection.workspace(signal)));
    opening.move();
    return batch;
  }

  const judges: Pick<Engine, 'judge'> = {
    judge: (spool, limits) =>
      inWorkspace((workspace) => judge({ workspace, writer, lake, newId, log, spool, limits })),
  };
  return {
    ...judges,
    // Its processes are others than ours.
    tryOut: (spool, limits) => tryOutHere(judges, spool, limits),
    readRaw: (files) => inWorkspace((workspace) => readRaw({ workspace, writer, files })),
    identitiesOf: (files, since_s) => identitiesIn(connection, { files, since_s }),
    compareIdentities: (source, held) => embedded.compareIdentities(source, held),
    compareContents: (source, held) => embedded.compareContents(source, held),
    rowCounts: (files) => embedded.rowCounts(files),
    readRejected: (files, held) => embedded.readRejected(files, held),
    async rewrite(input) {
      if (!suitsSpark(input, options.rewriteLeast_bytes ?? REWRITE_LEAST_BYTES))
        return embedded.rewrite(input);
      return inWorkspace((workspace) => rewrite({ writer, workspace }, input), input.signal);
    },
    spread: (input) => embedded.spread(input),
    outputColumns: (query) => outputColumns(embedded, query),
    notPortable: (query) => embedded.notPortable(query),
    async transform(write) {
      const workspace = await connection.workspace(write.signal);
      return transform({ embedded, writer, workspace }, write);
    },
    defineViews: (views) => embedded.defineViews(views),
    dropViews: (views) => embedded.dropViews(views),
    scanFilters: (sql) => embedded.scanFilters(sql),
    query: (sql, asked) => embedded.query(sql, asked),
    async close() {
      await writer.close();
      await connection.close();
      await embedded.close();
    },
  };
}

async function* identitiesIn(
  connection: Connection,
  { files, since_s }: { files: readonly LakeFile[]; since_s: number | undefined },
): AsyncGenerator<Identities> {
  if (files.length === 0) return;
  await using workspace = await connection.workspace();
  const sql = await windowRows(workspace, { files, since_s });
  for await (const batch of workspace.batches('reading identities', sql)) yield identitiesOf(batch);
}
