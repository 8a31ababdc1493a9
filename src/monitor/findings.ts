/** What is wrong with a lake, and what to do about it: judged from its status, the same for people and for health. */
import { type Tally, tallyBalances } from '../event/event.ts';
import type { LakeStatus } from './lake-status.ts';
import type { StreamStatus } from './stream-status.ts';

export interface Finding {
  code: string;
  /** `note`: worth knowing, and no reason to call the lake unhealthy. */
  severity: 'degraded' | 'note';
  what: string;
  why: string;
  fix: string;
}

export interface Limits {
  /** Reading further behind the stream than this is lagging. */
  lag_ms: number;
  /** Rows of raw that wait longer than this for staging, and rejected records for quarantine, are stuck. */
  behind_ms: number;
}

/** A quarter of a day of retention, or what is left of a quarter of a shorter one, is the time to act in. */
const RETENTION_LEFT_MS = 6 * 3_600_000;
const RETENTION_SHARE = 0.25;

export function findingsOf(
  { lake, stream }: { lake?: LakeStatus; stream?: StreamStatus },
  limits: Limits,
): Finding[] {
  return [
    ...(lake === undefined ? [] : lakeFindings(lake, limits)),
    ...(stream === undefined ? [] : streamFindings(stream, limits)),
  ];
}

function lakeFindings(lake: LakeStatus, limits: Limits): Finding[] {
  return [
    ...(lake.tables.length === 0 ? [EMPTY] : []),
    ...(lake.undecidable === null ? [] : [undecidable(lake.undecidable)]),
    ...ledgerFindings(lake.ledger),
    ...stagingFindings(lake, limits),
  ];
}

const EMPTY: Finding = {
  code: 'status.no_tables',
  severity: 'note',
  what: 'this lake has no tables yet',
  why: 'nothing has run on this folder',
  fix: 'lakeward dev starts one here; --dir names another folder',
};

function undecidable(why: string): Finding {
  return {
    code: 'tables.state_undecidable',
    severity: 'degraded',
    what: 'cannot tell how far a table has been read',
    why,
    fix: 'roll the table forward to its newest snapshot, or restore one whose history is complete',
  };
}

function ledgerFindings(ledger: Tally | null): Finding[] {
  if (ledger === null || tallyBalances(ledger)) return [];
  return [
    {
      code: 'status.ledger_imbalance',
      severity: 'degraded',
      what: 'the ledger does not balance',
      why: 'received is not written + duplicate + quarantined: a bug of ours',
      fix: 'lakeward verify counts again from the data; please report what it finds',
    },
  ];
}

function stagingFindings({ staging, quarantine }: LakeStatus, { behind_ms }: Limits): Finding[] {
  const findings: Finding[] = [];
  if (staging.waitingRows > 0 && (staging.behind_ms ?? 0) > behind_ms) {
    findings.push({
      code: 'status.staging_behind',
      severity: 'degraded',
      what: `${staging.waitingRows} rows of raw wait for staging`,
      why: 'no role staging runs, or it is slower than what comes in',
      fix: 'lakeward run staging',
    });
  }
  if (quarantine.waitingRows > 0 && (quarantine.behind_ms ?? 0) > behind_ms) {
    findings.push({
      code: 'status.quarantine_behind',
      severity: 'degraded',
      what: `${quarantine.waitingRows} rejected records wait to be adopted by quarantine.events`,
      why: 'no role quarantine runs',
      fix: 'lakeward run quarantine',
    });
  }
  return findings;
}

function streamFindings(stream: StreamStatus, { lag_ms }: Limits): Finding[] {
  if (stream.state === 'not running') {
    return [
      {
        code: 'status.not_running',
        severity: 'note',
        what: 'the embedded stream of this folder is not running',
        why: stream.why ?? 'nothing runs on this folder',
        fix: 'lakeward dev, or lakeward run --once to take what it holds',
      },
    ];
  }
  if (stream.state === 'no answer') {
    return [
      {
        code: 'status.no_stream',
        severity: 'degraded',
        what: 'the stream does not answer',
        why: stream.why ?? 'no more is known',
        fix: 'check --stream, --endpoint, the region and the credentials',
      },
    ];
  }
  return [...retentionFindings(stream), ...lagFindings(stream, lag_ms)];
}

function retentionFindings({ retentionLeft_ms, retention_ms }: StreamStatus): Finding[] {
  if (retentionLeft_ms === null || retention_ms === null) return [];
  if (retentionLeft_ms > Math.min(RETENTION_LEFT_MS, retention_ms * RETENTION_SHARE)) return [];
  return [
    {
      code: 'status.retention_low',
      severity: 'degraded',
      what: 'unread records will soon be trimmed by the stream',
      why: `the oldest goes in ${Math.max(0, Math.round(retentionLeft_ms / 60_000))} minutes`,
      fix: 'lengthen the stream’s retention now (aws kinesis increase-stream-retention-period), then find out why reading is behind',
    },
  ];
}

function lagFindings({ lag_ms: lag, shards }: StreamStatus, most_ms: number): Finding[] {
  if (lag === null || lag <= most_ms) return [];
  const furthest = shards.find((shard) => shard.lag_ms === lag);
  return [
    {
      code: 'status.lagging',
      severity: 'degraded',
      what: `reading is ${Math.round(lag / 1000)} s behind the stream`,
      why: `${furthest?.shard ?? 'a shard'} is furthest behind: no processor reads it, or more comes in than is worked off`,
      fix: 'lakeward run processor; more shards and workers when it runs already',
    },
  ];
}
