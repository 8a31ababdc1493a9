/**
 * How `memory.limit` is shared out among what grows with the load. Everything else that a worker holds (Node itself, its
 * code, connections, uploads) has a size of its own and comes first.
 */
import type { Log } from '../base/base.ts';
import { resolveSettings, type Settings } from '../config/config.ts';

/**
 * Resident memory of an idle `lakeward run`, its engine open, measured at 192 MB; what ten minutes of pressure add beside
 * the shares and the engine's limit (heap, threads, what allocators hold back) is within the rest.
 */
const BASE_BYTES = 330e6;
/** Of an id in the window, with the tables that it has outgrown: docs/explanation/duplicates.md. */
const WINDOW_ID_BYTES = 86;
/** Of an id in the index, at the fullest. */
const INDEX_ID_BYTES = 60;
/** Identity, row, hash and time of an event, beside its document, which is the engine's. */
const ROW_BYTES = 40;
/** Two of raw and one of staging. */
const BATCHES_IN_HAND = 3;
/** What an index sorts in memory before it writes it down. */
const INDEX_IDS_MOST = 2_000_000;

const PARTS = { answers: 0.24, window: 0.27, filter: 0.21, index: 0.11, rows: 0.17 };

export interface MemoryShares {
  /** Of the stream, on their way into a spool. */
  answers_bytes: number;
  windowIds: number;
  filter_bytes: number;
  indexIds: number;
  commitRows: number;
  stagingRows: number;
}

/** What was asked for, or the share where that is less. */
export function memoryShares(settings: Settings): MemoryShares {
  const free = settings['memory.limit'] - BASE_BYTES;
  const rows = Math.floor((free * PARTS.rows) / BATCHES_IN_HAND / ROW_BYTES);
  return {
    answers_bytes: Math.floor(free * PARTS.answers),
    windowIds: Math.min(settings['dedupe.maxIds'], Math.floor((free * PARTS.window) / WINDOW_ID_BYTES)),
    filter_bytes: Math.min(settings['dedupe.filterMemory'], Math.floor(free * PARTS.filter)),
    indexIds: Math.min(INDEX_IDS_MOST, Math.floor((free * PARTS.index) / INDEX_ID_BYTES)),
    commitRows: Math.min(settings['commit.maxRows'], rows),
    stagingRows: Math.min(settings['staging.maxRows'], rows),
  };
}

/** Says which options ask for more than they get; of a default that is lowered nobody asked anything. */
export function tellLowered(settings: Settings, shares: MemoryShares, log: Log): void {
  const given = {
    'dedupe.maxIds': shares.windowIds,
    'dedupe.filterMemory': shares.filter_bytes,
    'commit.maxRows': shares.commitRows,
    'staging.maxRows': shares.stagingRows,
  } as const;
  const standard = resolveSettings({ command: 'run', env: {}, cwd: '/' }).settings;
  for (const option of Object.keys(given) as (keyof typeof given)[]) {
    const [asked, got] = [settings[option], given[option]];
    if (asked > got && asked !== standard[option])
      log.warn('memory.lowered', 'memory.limit has no room for what an option asks for', {
        option,
        asked,
        got,
      });
  }
}
