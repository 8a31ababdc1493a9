/**
 * GetRecords bodies in CBOR: raw bytes, so that nothing is decoded and no object is made for a record. What is kept of
 * each while the body is checked are numbers: where its data and its number stand, and when it arrived.
 */
import {
  CborError,
  type ChildShardShape,
  isMarkedAggregated,
  readAggregatedRecord,
} from '../kinesis/kinesis.ts';
import { CborScan } from './cbor-scan.ts';
import {
  appendParts,
  BadBody,
  childShard,
  type SplitBody,
  type SplitInput,
  type SplitRows,
} from './split.ts';
import type { Span, SpoolWriter } from './spool.ts';

const NAMES = {
  data: Buffer.from('Data'),
  number: Buffer.from('SequenceNumber'),
  arrival: Buffer.from('ApproximateArrivalTimestamp'),
};
/** Milliseconds before 1973: they are seconds then. */
const SECONDS_MAX = 1e11;

export function splitCbor(body: Buffer, open: () => SpoolWriter, input: SplitInput): SplitBody {
  try {
    const answer = new CborAnswer(body);
    const from = answer.firstAfter(input.after);
    const rows = from === answer.count ? undefined : answer.append(open(), from, input);
    const { nextIterator, behindLatest_ms, children } = answer;
    return { rows, nextIterator, behindLatest_ms, children: children.map(childShard) };
  } catch (error) {
    if (error instanceof CborError) throw new BadBody(`not CBOR: ${error.message}`);
    throw error;
  }
}

class CborAnswer {
  nextIterator: string | undefined;
  behindLatest_ms = 0;
  children: readonly ChildShardShape[] = [];
  readonly #scan: CborScan;
  readonly #dataStarts: number[] = [];
  readonly #dataEnds: number[] = [];
  readonly #numberStarts: number[] = [];
  readonly #numberEnds: number[] = [];
  readonly #arrivals_ms: number[] = [];
  /** Data that does not stand among the bytes in one piece, by record. */
  readonly #pieced = new Map<number, Buffer>();

  constructor(body: Buffer) {
    this.#scan = new CborScan(body);
    let listed = false;
    this.#scan.members((start, end) => {
      const name = body.toString('latin1', start, end);
      if (name === 'Records') {
        this.#scan.items(() => this.#record());
        listed = true;
      } else if (name === 'MillisBehindLatest') this.behindLatest_ms = this.#scan.number();
      else if (name === 'NextShardIterator') this.nextIterator = iteratorOf(this.#scan.value());
      else if (name === 'ChildShards') this.children = childrenOf(this.#scan.value());
      else this.#scan.skip();
    });
    if (Number.isNaN(this.behindLatest_ms)) throw new BadBody('a lag that is no number');
    if (this.#scan.at !== body.length) throw new BadBody('bytes behind the answer');
    if (!listed) throw new BadBody('no list of records');
  }

  get count(): number {
    return this.#numberStarts.length;
  }

  /** Records stand in order, so those taken before are the first ones. */
  firstAfter(after: string | undefined): number {
    if (after === undefined) return 0;
    const bytes = Buffer.from(after, 'latin1');
    const taken = { bytes, start: 0, end: bytes.length };
    let i = 0;
    while (i < this.count && compare(this.#number(i), taken) <= 0) i++;
    return i;
  }

  append(out: SpoolWriter, from: number, { shard, hashKeys }: SplitInput): SplitRows {
    let [earliest, latest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let [stray, damaged, further] = [0, 0, 0];
    for (let i = from; i < this.count; i++) {
      const arrived_ms = this.#arrivals_ms[i]!;
      const [data, seq] = [this.#data(i), this.#number(i)];
      const marked = isMarkedAggregated(data);
      const aggregate = marked ? aggregateIn(data) : undefined;
      if (aggregate === undefined) {
        out.append({ data, seq, arrived_ms, shard, sub: -1 });
        if (marked) damaged++;
      } else {
        appendParts(out, aggregate, { seq, arrived_ms, shard });
        stray += aggregate.strays(hashKeys);
        further += aggregate.count - 1;
      }
      if (arrived_ms < earliest) earliest = arrived_ms;
      if (arrived_ms > latest) latest = arrived_ms;
    }
    const [first, last] = [text(this.#number(from)), text(this.#number(this.count - 1))];
    const count = this.count - from + further;
    return { count, stray, damaged, first, last, firstArrival_ms: earliest, lastArrival_ms: latest };
  }

  #record(): void {
    const scan = this.#scan;
    const index = this.count;
    let arrived_ms = Number.NaN;
    scan.members((start, end) => {
      if (scan.is(NAMES.data, { start, end })) this.#readData(index);
      else if (scan.is(NAMES.number, { start, end })) this.#readNumber(index);
      else if (scan.is(NAMES.arrival, { start, end })) arrived_ms = milliseconds(scan.number());
      else scan.skip();
    });
    this.#arrivals_ms[index] = arrived_ms;
    this.#check(index);
  }

  #readData(index: number): void {
    const length = this.#scan.string('bytes');
    if (length !== undefined) {
      this.#dataStarts[index] = this.#scan.at;
      this.#scan.at += length;
      this.#dataEnds[index] = this.#scan.at;
      return;
    }
    // In chunks, or, as some endpoints write it, as base64 text.
    const value = this.#scan.value();
    if (typeof value === 'string') this.#pieced.set(index, Buffer.from(value, 'base64'));
    else if (value instanceof Uint8Array) this.#pieced.set(index, Buffer.from(value));
  }

  #readNumber(index: number): void {
    const length = this.#scan.string('text');
    if (length === undefined) throw new BadBody('a number that is no text');
    this.#numberStarts[index] = this.#scan.at;
    this.#scan.at += length;
    this.#numberEnds[index] = this.#scan.at;
  }

  #check(index: number): void {
    const dataEnd = this.#dataEnds[index];
    if (this.count !== index + 1 || (dataEnd === undefined && !this.#pieced.has(index))) {
      throw new BadBody('a record without data or number');
    }
    const length = this.#scan.bytes.length;
    if ((dataEnd ?? 0) > length || this.#numberEnds[index]! > length) {
      throw new BadBody('the bytes end too early');
    }
    const number = this.#number(index);
    if (!isDecimal(number)) throw new BadBody('a record without data or number');
    if (!Number.isFinite(this.#arrivals_ms[index])) {
      throw new BadBody(`record ${text(number)} without a time of arrival`);
    }
    if (index > 0 && compare(this.#number(index - 1), number) >= 0) {
      throw new BadBody(`record ${text(number)} stands behind ${text(this.#number(index - 1))}`);
    }
  }

  #data(index: number): Span {
    const bytes = this.#pieced.get(index);
    if (bytes !== undefined) return { bytes, start: 0, end: bytes.length };
    return { bytes: this.#scan.bytes, start: this.#dataStarts[index]!, end: this.#dataEnds[index]! };
  }

  #number(index: number): Span {
    return { bytes: this.#scan.bytes, start: this.#numberStarts[index]!, end: this.#numberEnds[index]! };
  }
}

function iteratorOf(value: unknown): string | undefined {
  if (value === null) return undefined;
  if (typeof value !== 'string') throw new BadBody('an iterator that is no text');
  return value;
}

function childrenOf(value: unknown): readonly ChildShardShape[] {
  const children = value ?? [];
  if (!Array.isArray(children) || !children.every((child) => typeof child?.ShardId === 'string')) {
    throw new BadBody('children that are no shards');
  }
  return children;
}

const text = ({ bytes, start, end }: Span) => bytes.toString('latin1', start, end);

function isDecimal({ bytes, start, end }: Span): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! < 0x30 || bytes[i]! > 0x39) return false;
  return end > start;
}

/** As integers: negative, zero or positive. Numbers are short: a loop takes a third of Buffer.compare's time. */
function compare(a: Span, b: Span): number {
  const length = a.end - a.start;
  if (length !== b.end - b.start) return length - (b.end - b.start);
  for (let i = 0; i < length; i++) {
    const difference = a.bytes[a.start + i]! - b.bytes[b.start + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function milliseconds(time: number): number {
  return Math.round(Math.abs(time) < SECONDS_MAX ? time * 1000 : time);
}

const aggregateIn = ({ bytes, start, end }: Span) => readAggregatedRecord(bytes.subarray(start, end));
