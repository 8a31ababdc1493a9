/**
 * One raw GetRecords body → rows of a spool. All or nothing: every record is checked before the first is written, and
 * a body that is not whole or not in order is refused, because a record left out here would be lost for good.
 */
import { compareSequenceNumbers, type Operations, type RecordShape } from '../kinesis/kinesis.ts';
import type { SpoolWriter } from './spool.ts';

export interface SplitInput {
  /** Index of the shard in this spool. */
  shard: number;
  /** Records up to this number were taken already: a body read again may overlap the one before. */
  after: string | undefined;
}

/** What was written of a body that had something new. */
export interface SplitRows {
  count: number;
  /** Number of the last record. */
  last: string;
  firstArrival_ms: number;
  lastArrival_ms: number;
}

/** What reading on needs to know of a body. */
export interface SplitBody {
  rows: SplitRows | undefined;
  /** Undefined at the end of a closed shard. */
  nextIterator: string | undefined;
  behindLatest_ms: number;
  /** Children that the body names for the shard that it ends. */
  children: readonly ChildShard[];
}

export interface ChildShard {
  id: string;
  parents: readonly string[];
}

/** Why a body cannot be taken, in words. */
export class BadBody extends Error {}

/**
 * JSON.parse makes an object of each envelope, not of an event. A hand-written scan for the markers with the same
 * guarantees was no faster. Latin 1, because only ASCII members are used: decoding UTF-8 costs more.
 */
export function splitJson(body: Buffer, open: () => SpoolWriter, { shard, after }: SplitInput): SplitBody {
  const parsed = parse(body);
  const from = firstAfter(parsed.Records, after);
  const rows =
    from === parsed.Records.length ? undefined : append(parsed.Records, from, { out: open(), shard });
  return {
    rows,
    nextIterator: parsed.NextShardIterator ?? undefined,
    behindLatest_ms: parsed.MillisBehindLatest ?? 0,
    children: (parsed.ChildShards ?? []).map((c) => ({ id: c.ShardId, parents: c.ParentShards ?? [] })),
  };
}

function append(
  records: readonly RecordShape[],
  from: number,
  { out, shard }: { out: SpoolWriter; shard: number },
): SplitRows {
  let [earliest, latest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = from; i < records.length; i++) {
    const { Data, SequenceNumber, ApproximateArrivalTimestamp } = records[i]!;
    const arrived_ms = Math.round(ApproximateArrivalTimestamp * 1000);
    out.append({ data: Data, seq: SequenceNumber, arrived_ms, shard, sub: -1 });
    if (arrived_ms < earliest) earliest = arrived_ms;
    if (arrived_ms > latest) latest = arrived_ms;
  }
  const last = records.at(-1)!.SequenceNumber;
  return { count: records.length - from, last, firstArrival_ms: earliest, lastArrival_ms: latest };
}

type Answer = Operations['GetRecords']['output'];

function parse(body: Buffer): Answer {
  let parsed: Answer | undefined;
  try {
    parsed = JSON.parse(body.toString('latin1')) as Answer;
  } catch (error) {
    throw new BadBody(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(parsed?.Records)) throw new BadBody('no list of records');
  let before: RecordShape | undefined;
  for (const record of parsed.Records) {
    check(record, before);
    before = record;
  }
  return parsed;
}

function check(record: RecordShape, before: RecordShape | undefined): void {
  const { Data, SequenceNumber, ApproximateArrivalTimestamp } = record;
  if (typeof Data !== 'string' || typeof SequenceNumber !== 'string' || !/^\d+$/.test(SequenceNumber)) {
    throw new BadBody('a record without data or number');
  }
  if (!Number.isFinite(ApproximateArrivalTimestamp)) {
    throw new BadBody(`record ${SequenceNumber} without a time of arrival`);
  }
  if (before !== undefined && compareSequenceNumbers(before.SequenceNumber, SequenceNumber) >= 0) {
    throw new BadBody(`record ${SequenceNumber} stands behind ${before.SequenceNumber}`);
  }
}

/** Records stand in order, so those taken before are the first ones. */
function firstAfter(records: readonly RecordShape[], after: string | undefined): number {
  if (after === undefined) return 0;
  let i = 0;
  while (i < records.length && compareSequenceNumbers(records[i]!.SequenceNumber, after) <= 0) i++;
  return i;
}
