/**
 * Files, requests and storage of the lake, the heartbeats of processors included. Each raw commit writes a file for every
 * event type that it has (one day is taken), and staging follows with as many; without compaction all of them stay.
 */
import { FIGURES } from './measured.ts';
import { type Charge, charge, GIB, HOURS_PER_MONTH } from './prices.ts';
import type { Rate } from './rate.ts';
import type { Workload } from './workload.ts';

export interface LakeLoad {
  /** Of raw, and so of staging. */
  commits_per_s: number;
  rows_per_commit: number;
  /** Of both tables. */
  files_per_day: number;
  /** Mean of raw's. */
  file_bytes: number;
  puts_per_month: number;
  gets_per_month: number;
  /** By which processors share the stream; each is a PUT and a LIST, whatever comes. */
  heartbeats_per_month: number;
  /** Of both tables, once the retention is full. */
  stored_gib: number;
  charges: Charge[];
}

const TABLES = 2;
/** Of one heartbeat: the object, and a look at the others. */
const HEARTBEAT_REQUESTS = 2;
/** The defaults of commit.maxRows and commit.maxBytes: a batch is committed at the first of them and its age. */
const COMMIT_ROWS_MAX = 250_000;
const COMMIT_BYTES_MAX = 256_000_000;
const MONTH_S = HOURS_PER_MONTH * 3600;
const DAY_S = 86_400;

export function lake(workload: Workload, rate: Rate, writers: number): LakeLoad {
  const rows_per_commit = Math.min(
    (rate.events_per_s / writers) * (workload.commitInterval_ms / 1000),
    COMMIT_ROWS_MAX,
    COMMIT_BYTES_MAX / workload.event_bytes,
  );
  // A batch begins with its first record: without one there is nothing to commit.
  const rows = Math.max(1, rows_per_commit);
  const commits_per_s = rate.events_per_s / rows;
  const files_per_commit = Math.min(workload.event_types, rows);
  const raw = perEvent(workload, files_per_commit / rows, FIGURES.rawRatio.value);
  const staging = perEvent(workload, files_per_commit / rows, FIGURES.stagingRatio.value);
  const files_per_s = commits_per_s * files_per_commit;
  const metadata_per_s = commits_per_s * FIGURES.metadataFilesPerCommit.value;
  const puts_per_month = TABLES * (files_per_s + metadata_per_s) * MONTH_S;
  const gets_per_month = (files_per_s * FIGURES.getsPerFile.value + TABLES * metadata_per_s) * MONTH_S;
  const heartbeats_per_month = writers * FIGURES.heartbeatsPerSecond.value * MONTH_S;
  const stored_gib = ((raw + staging) * rate.events_per_s * (workload.retention_ms / 1000)) / GIB;
  return {
    commits_per_s,
    rows_per_commit: rows,
    files_per_day: TABLES * files_per_s * DAY_S,
    file_bytes: (raw * rows) / files_per_commit,
    puts_per_month,
    gets_per_month,
    heartbeats_per_month,
    stored_gib,
    charges: [
      charge('lake, PUT', puts_per_month / 1000, 's3Put'),
      charge('lake, GET', gets_per_month / 1000, 's3Get'),
      charge('lake, heartbeats', (heartbeats_per_month * HEARTBEAT_REQUESTS) / 1000, 's3Put'),
      charge('lake, storage', stored_gib, 's3StorageGiB'),
    ],
  };
}

/** Bytes that an event takes in one table. */
function perEvent({ event_bytes }: Workload, files_per_row: number, ratio: number): number {
  return event_bytes * ratio + files_per_row * FIGURES.fileFloorBytes.value;
}
