/** One document about a lake and its stream: what `lakeward status` shows and `lakeward health` judges by. */
import type { Lake } from '../lake/lake.ts';
import { type Finding, findingsOf, type Limits } from './findings.ts';
import { type LakeReading, type LakeStatus, lakeReader } from './lake-status.ts';
import { type StreamSource, type StreamStatus, streamStatus } from './stream-status.ts';
import { type WorkerStatus, workersStatus } from './workers-status.ts';

/** docs/reference/status.md describes it; members are added, never changed or removed. */
export interface Status {
  /** ISO 8601. */
  at: string;
  status: 'ok' | 'degraded';
  stream: StreamStatus;
  lake: LakeStatus;
  workers: readonly WorkerStatus[];
  findings: readonly Finding[];
}

interface StatusSources {
  lake: Lake;
  /** Asked anew every time: what runs on a folder comes and goes. */
  stream: () => Promise<StreamSource>;
  limits: Limits;
}

/** Reads anew with every call; what it read once of a snapshot it does not read again. */
export function readStatus({ lake, stream, limits }: StatusSources): (now_ms: number) => Promise<Status> {
  const read = lakeReader(lake);
  return async (now_ms) => {
    const reading: LakeReading = await read(now_ms);
    const told = await streamStatus(await stream(), reading.positions);
    const positions = told.id === null ? {} : (reading.positions[told.id] ?? {});
    const workers = await workersStatus(lake.store, { stream: told.id, positions, now_ms });
    const findings = findingsOf({ lake: reading.status, stream: told }, limits);
    const degraded = findings.some(({ severity }) => severity === 'degraded');
    return {
      at: new Date(now_ms).toISOString(),
      status: degraded ? 'degraded' : 'ok',
      stream: told,
      lake: reading.status,
      workers,
      findings,
    };
  };
}
