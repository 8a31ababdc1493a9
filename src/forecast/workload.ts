/** What is asked for, within what a stream can carry. */
import { Failure } from '../base/base.ts';

export interface Workload {
  events_per_hour: number;
  event_bytes: number;
  /** Events that producers put into one record, as the KPL does. */
  events_per_record: number;
  event_types: number;
  /** How long raw and staging are kept. */
  retention_ms: number;
  commitInterval_ms: number;
}

const MS_PER_DAY = 86_400_000;
/** Of Kinesis. */
const RECORD_BYTES_MAX = 2 ** 20;

export const DEFAULT_WORKLOAD: Workload = {
  events_per_hour: 1_000_000,
  event_bytes: 1_024,
  events_per_record: 1,
  event_types: 12,
  retention_ms: 365 * MS_PER_DAY,
  commitInterval_ms: 60_000,
};

export function checked(workload: Workload): Workload {
  const record_bytes = workload.event_bytes * workload.events_per_record;
  if (record_bytes > RECORD_BYTES_MAX)
    throw new Failure(`a record of ${record_bytes} bytes does not fit a stream`, {
      code: 'forecast.record_too_large',
      fault: 'user',
      why: `${workload.events_per_record} events of ${workload.event_bytes} bytes; Kinesis takes 1 MiB a record`,
      hint: 'name a smaller --event-size, or fewer --events-per-record',
      docs: 'lakeward forecast --help',
    });
  return workload;
}
