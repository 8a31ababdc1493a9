import {
  compareSequenceNumbers,
  isMarkedAggregated,
  mayBeAggregated,
  type Operations,
  type RecordShape,
  readAggregatedRecord,
} from '../kinesis/kinesis.ts';
import {
  appendParts,
  BadBody,
  childShard,
  type SplitBody,
  type SplitInput,
  type SplitRows,
} from './split.ts';
import type { SpoolWriter } from './spool.ts';

/**
 * JSON.parse makes an object of each envelope, not of an event. A hand-written scan for the markers with the same
 * guarantees was no faster. Latin 1, because only ASCII members are used: decoding UTF-8 costs more.
 */
export function splitJson(body: Buffer, open: () => SpoolWriter, input: SplitInput): SplitBody {
  const parsed = parse(body);
  const from = firstAfter(parsed.Records, input.after);
  const rows =
    from === parsed.Records.length ? undefined : append(parsed.Records, from, { ...input, out: open() });
  return {
    rows,
    nextIterator: parsed.NextShardIterator ?? parsed.ContinuationSequenceNumber ?? undefined,
    behindLatest_ms: parsed.MillisBehindLatest ?? 0,
    children: (parsed.ChildShards ?? []).map(childShard),
  };
}

function append(
  records: readonly RecordShape[],
  from: number,
  { out, shard, hashKeys }: SplitInput & { out: SpoolWriter },
): SplitRows {
  let [earliest, latest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [stray, damaged, further] = [0, 0, 0];
  for (let i = from; i < records.length; i++) {
    const { Data, SequenceNumber, ApproximateArrivalTimestamp } = records[i]!;
    const arrived_ms = Math.round(ApproximateArrivalTimestamp * 1000);
    const bytes = mayBeAggregated(Data) ? Buffer.from(Data, 'base64') : undefined;
    const aggregate = bytes && readAggregatedRecord(bytes);
    if (aggregate === undefined) {
      out.append({ data: Data, seq: SequenceNumber, arrived_ms, shard, sub: -1 });
      if (bytes && isMarkedAggregated({ bytes, start: 0, end: bytes.length })) damaged++;
    } else {
      appendParts(out, aggregate, { seq: SequenceNumber, arrived_ms, shard });
      stray += aggregate.strays(hashKeys);
      further += aggregate.count - 1;
    }
    if (arrived_ms < earliest) earliest = arrived_ms;
    if (arrived_ms > latest) latest = arrived_ms;
  }
  const [first, last] = [records[from]!.SequenceNumber, records.at(-1)!.SequenceNumber];
  const count = records.length - from + further;
  return { count, stray, damaged, first, last, firstArrival_ms: earliest, lastArrival_ms: latest };
}

/** An event of a subscription is the same, with a number to go on from in place of the iterator. */
type Answer = Operations['GetRecords']['output'] & { ContinuationSequenceNumber?: string | null };

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
