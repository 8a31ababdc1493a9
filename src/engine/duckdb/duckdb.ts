/** The embedded engine: one DuckDB instance, one connection a batch (temporary tables belong to a connection). */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { Failure, makeFolder, Turns } from '../../base/base.ts';
import type { Engine, EngineOptions } from '../engine.ts';
import { inPlace } from '../local-files.ts';
import { tryOutApart } from './apart.ts';
import { batchFolders } from './batch-folders.ts';
import { withFieldIds } from './field-ids.ts';
import { compareContents, compareIdentities, eventIdentities } from './identities.ts';
import { judge } from './judge.ts';
import { planner, query } from './query.ts';
import { readRaw } from './raw-batch.ts';
import { readRejected } from './rejected-rows.ts';
import { reopened } from './reopened.ts';
import { rewrite, spread } from './rewrite.ts';
import { rowCounts } from './row-counts.ts';
import { notPortable, outputColumns, transform } from './transform.ts';
import { openViews } from './views.ts';

/**
 * What it takes without counting it, when a batch of a backlog fills it: buffers of the files that it reads and writes,
 * and what its allocator keeps in pieces. The same for any engine, but for the smallest, which need what they have.
 */
const uncounted = (memory_bytes: number) => Math.min(128e6, memory_bytes / 4);

/**
 * Freed memory that the allocator keeps is nobody's by DuckDB's count. Its own thresholds, 128 and 512 MiB, suit an engine
 * of a gigabyte and more, to which lower ones cost a twentieth of its speed; one of 256 MB took 200 MB beyond its limit.
 */
function allocatorThresholds(memory_bytes: number): Record<string, string> {
  if (memory_bytes >= 1e9) return {};
  const kept = Math.ceil(memory_bytes / 16e6);
  return { allocator_flush_threshold: `${kept}MB`, allocator_bulk_deallocation_flush_threshold: `${kept}MB` };
}

export async function openDuckDb(options: EngineOptions): Promise<Engine> {
  await makeFolder(options.workFolder);
  for (const left of await readdir(options.workFolder)) {
    await rm(join(options.workFolder, left), { recursive: true, force: true });
  }
  const open = () =>
    DuckDBInstance.create(':memory:', {
      threads: String(options.threads),
      memory_limit: `${Math.floor((options.memory_bytes - uncounted(options.memory_bytes)) / 1e6)}MB`,
      temp_directory: join(options.workFolder, 'spill'),
      ...allocatorThresholds(options.memory_bytes),
      // What a thread freed last is given back only when that thread allocates again, and ours wait in Node's pool for
      // their next query: under pressure a worker held up to 400 MB of it.
      allocator_background_threads: 'true',
      // Spools and raw files are read once; kept, they fill the memory limit and every further block must evict one.
      enable_external_file_cache: 'false',
    });
  const instance = await reopened(open, connection);
  const { connect } = instance;
  const batches = batchFolders(options.workFolder);
  /** A batch's own connection and folder; where there is no connection, the folder is free again. */
  const begin = async () => {
    const folder = await batches.take().catch((error: unknown) => {
      throw engineFailure(error, 'a folder for a batch');
    });
    const c = await connect().catch(async (error: unknown) => {
      await folder.release();
      throw error;
    });
    return { c, folder };
  };
  const files = withFieldIds(options.files ?? inPlace(), connect);
  const views = await openViews(await connect(), files);
  const planning = planner();
  // One at a time, in half of the memory: what one of the two batches in flight has.
  const triedOut = new Turns();
  const { threads, memory_bytes } = options;
  const apart = { workFolder: join(options.workFolder, 'apart'), threads, memory_bytes: memory_bytes / 2 };

  return {
    judge: async (spool, limits) => {
      const own = await begin();
      return judge(own.c, { spool, limits, files, folder: own.folder });
    },
    tryOut: (spool, limits) => triedOut.take(() => tryOutApart({ engine: apart, spool, limits })),
    readRaw: async (raw) => {
      const held = await files.hold(raw);
      const own = await begin().catch((error: unknown) => {
        held.release();
        throw error;
      });
      const lanes = { connection: own.c, connect, most: options.lanes ?? 1 };
      return readRaw({ raw, held, files, lanes, folder: own.folder });
    },
    compareIdentities: (source, held) => compareIdentities({ connect, files }, { source, held }),
    compareContents: (source, held) => compareContents({ connect, files }, { source, held }),
    rowCounts: (counted) => rowCounts({ connect, files }, counted),
    readRejected: async (rejected, held) => {
      const own = await begin();
      return readRejected(own.c, { rejected, held, files, folder: own.folder });
    },
    rewrite: async (input) => {
      const own = await begin();
      return rewrite(own.c, { ...input, access: files, folder: own.folder });
    },
    spread: async (input) => spread(await connect(), { ...input, access: files }),
    identitiesOf: (events, since_s) => eventIdentities({ connect, files }, { events, since_s }),
    defineViews: async (definitions) => {
      const read = await views.define(definitions);
      await planning.define(definitions);
      return read;
    },
    dropViews: async (dropped) => {
      await views.drop(dropped);
      await planning.drop(dropped);
    },
    scanFilters: (sql) => planning.scanFilters(sql),
    query: (sql, options) => query({ connect, hold: () => views.hold() }, sql, options),
    outputColumns: async (asked) => outputColumns(await connect(), asked),
    notPortable: async (asked) => notPortable(await connect(), asked),
    transform: async (write) => {
      const own = await begin();
      return transform(own.c, { write, files, folder: own.folder });
    },
    close: async () => {
      planning.close();
      views.close();
      instance.close();
      await rm(options.workFolder, { recursive: true, force: true });
    },
  };
}

export async function connection(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const c = await instance.connect();
  await c.run("set timezone = 'UTC'");
  // Rows have their own numbers; keeping insertion order would hold whole results in memory.
  await c.run('set preserve_insertion_order = false');
  // 250 partitions of 1M rows gave 346 files with the defaults (100 open files, flush at 524,288 rows), 250 with these.
  await c.run('set partitioned_write_max_open_files = 400');
  await c.run('set partitioned_write_flush_threshold = 10000000');
  return c;
}

/** A file of the lake that is gone, cut off or overwritten. */
const UNREADABLE =
  /No files found|Cannot open file|Failed to read|magic bytes|Invalid Input Error.*parquet|Invalid Input Error: (File|Failed)|TProtocolException|ZSTD|decompress|corrupt|too small to be a Parquet|don't know what type/i;

/**
 * An engine error that is nobody's input: ours, with the statement's head for the report. What the store or the catalog
 * could not do meanwhile stays what it is: it may be tried again, and says nothing about a record.
 */
export function engineFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error;
  const text = error instanceof Error ? error.message : String(error);
  const crash = /^(INTERNAL|FATAL) Error|database has been invalidated/i.test(text);
  const full = /No space left|could not write|max_temp_directory_size/i.test(text);
  const memory = /out of memory/i.test(text);
  const unreadable = UNREADABLE.test(text);
  return new Failure(`${doing} failed in the engine`, {
    code: memory
      ? 'engine.memory'
      : full
        ? 'engine.disk'
        : unreadable
          ? 'engine.unreadable'
          : crash
            ? 'engine.crashed'
            : 'engine.failed',
    fault: memory || full || unreadable ? 'user' : 'ourselves',
    // Room may come back; memory and damage do not mend themselves.
    retry: full ? 'backoff' : 'never',
    why: text.split('\n')[0] ?? text,
    ...(memory ? { hint: 'raise engine.memory, or lower commit.maxRows' } : {}),
    ...(full ? { hint: 'make room on the disk that holds the lake folder' } : {}),
    ...(unreadable ? { hint: 'lakeward verify names the files; restore them from a backup' } : {}),
    docs: 'docs/reference/configuration.md',
    cause: error,
  });
}
