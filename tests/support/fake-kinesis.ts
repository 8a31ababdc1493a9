/**
 * A Kinesis endpoint in memory whose misbehaviour a test scripts: it answers the JSON protocol over HTTP/1.1 and plays
 * each fault once, in the order in which they were given. Sequence numbers are 1, 2, 3 … a shard, so that comparing
 * them as text goes wrong at once.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import {
  CBOR_CONTENT_TYPE,
  decodeCbor,
  encodeCbor,
  evenHashKeyRanges,
  type HashKeyRange,
  hashKeyOf,
  JSON_CONTENT_TYPE,
  type Operations,
  type ShardIteratorType,
} from '../../src/kinesis/kinesis.ts';

/** `on`: only for reads of this shard. */
export type Fault = { on?: string } & FaultKind;

type FaultKind =
  /** This error instead of an answer. */
  | { error: string; message?: string; status?: number }
  /** Carried out, but the connection is closed before the answer. */
  | { lost: true }
  /** The answer's second half is missing. */
  | { cut: true }
  /** Bytes that are no answer. */
  | { garbage: string }
  /** GetRecords: this many records at most, from up to `overlap` before where the iterator stands. */
  | { limit: number; overlap?: number }
  /** GetRecords: no records, although there are some. */
  | { empty: true; behind_ms: number }
  /** GetRecords: the iterator ends without naming children, behind so many records. */
  | { childless: true; limit: number }
  /** PutRecords: refuses the records with these indexes. */
  | { refuse: readonly number[]; code?: string };

export interface FakeRecord {
  data: string | Uint8Array;
  arrived_ms?: number;
}

interface Stored {
  data: Buffer;
  arrived_ms: number;
  key: string;
}

interface FakeShard {
  id: string;
  parents: string[];
  children: string[];
  hashKeys: HashKeyRange;
  closed: boolean;
  listed: boolean;
  records: Stored[];
  /** The listing does not know yet that it is closed. */
  listedOpen: boolean;
  /** So many of them are past retention. */
  trimmed: number;
}

interface FakeStream {
  name: string;
  createdAt_ms: number;
  active: boolean;
  shards: FakeShard[];
}

type Name = Extract<
  keyof Operations,
  'CreateStream' | 'DescribeStreamSummary' | 'GetRecords' | 'GetShardIterator' | 'ListShards' | 'PutRecords'
>;
type Input = Record<string, unknown>;
type Five = [string, string, string, string, string];

class FakeError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message = code, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export class FakeKinesis {
  /** The server's clock: dates its answers and its records. */
  now_ms = Date.UTC(2026, 0, 1, 12);
  /** Refuses signatures that are further from its clock. */
  skewMax_ms = Number.POSITIVE_INFINITY;
  /** What it says of itself in the header `Server`; Amazon says nothing. */
  server: string | undefined;
  shardsPerPage = 1000;
  recordKiBMax = 1024;
  iteratorLife_ms = Number.POSITIVE_INFINITY;
  retentionHours = 24;
  readonly requests: { operation: Name; input: Input }[] = [];
  /** Operations that a test adds, by name. */
  readonly also = new Map<string, (input: Input) => object>();
  readonly #streams = new Map<string, FakeStream>();
  readonly #faults = new Map<Name, Fault[]>();
  readonly #server: Server;
  #created = 0;

  private constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  static async start(): Promise<FakeKinesis> {
    const fake = new FakeKinesis();
    await new Promise<void>((listening) => fake.#server.listen(0, '127.0.0.1', listening));
    return fake;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  /** Connections that clients keep open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  /** A connection that another listener took. */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /** Records from a starting position, and the one behind them, as a subscription gives them. */
  push(
    shard: string,
    from: { Type: ShardIteratorType; SequenceNumber?: string; Timestamp?: number },
    Limit: number,
  ) {
    const { Type: ShardIteratorType, SequenceNumber: StartingSequenceNumber, ...at } = from;
    const start = { ShardIteratorType, ...(StartingSequenceNumber && { StartingSequenceNumber }), ...at };
    const { ShardIterator } = this.#operations.GetShardIterator({
      StreamName: 'events',
      ShardId: shard,
      ...start,
    });
    const { NextShardIterator, ...event } = this.#operations.GetRecords({ ShardIterator, Limit });
    return { ...event, ContinuationSequenceNumber: NextShardIterator?.split(' ')[3] ?? null };
  }

  /** Faults for the next requests of an operation; `undefined` lets one pass. */
  script(operation: Name, ...faults: Fault[]): void {
    this.#faults.set(operation, [...(this.#faults.get(operation) ?? []), ...faults]);
  }

  count(operation: Name): number {
    return this.requests.filter((r) => r.operation === operation).length;
  }

  create(name: string, shards: number): void {
    const createdAt_ms = this.now_ms - 3_600_000 + this.#created++;
    const stream: FakeStream = { name, createdAt_ms, active: true, shards: [] };
    this.#streams.set(name, stream);
    for (const hashKeys of evenHashKeyRanges(shards)) this.#addShard(stream, [], hashKeys);
  }

  delete(name: string): void {
    this.#streams.delete(name);
  }

  put(name: string, shard: string, ...records: (string | FakeRecord)[]): void {
    for (const record of records) {
      const { data, arrived_ms = this.now_ms } = typeof record === 'string' ? { data: record } : record;
      this.#shard(name, shard).records.push({ data: Buffer.from(data as Uint8Array), arrived_ms, key: 'k' });
    }
  }

  /** Closes the parents and opens as many children: one parent is a split, two are a merge. */
  reshard(name: string, parents: readonly string[], children: number): string[] {
    const stream = this.#stream(name);
    const ranges = splitRange(
      parents.map((id) => this.#shard(name, id).hashKeys),
      children,
    );
    const made = ranges.map((hashKeys) => this.#addShard(stream, [...parents], hashKeys).id);
    for (const id of parents) Object.assign(this.#shard(name, id), { closed: true, children: made });
    return made;
  }

  /** The oldest records of a shard are past retention: iterators go on at the first that is left, without a word. */
  trim(name: string, shard: string, count: number): void {
    this.#shard(name, shard).trimmed = count;
  }

  /** A listing that was put together while the stream resharded: the shard looks open beside its children. */
  listOpen(name: string, shard: string): void {
    this.#shard(name, shard).listedOpen = true;
  }

  /** Past retention: its records are gone and nothing lists it. */
  expire(name: string, shard: string): void {
    this.#shard(name, shard).listed = false;
  }

  contents(name: string): Map<string, string[]> {
    const bodies = (shard: FakeShard) => shard.records.map((r) => r.data.toString('latin1'));
    return new Map(this.#stream(name).shards.map((shard) => [shard.id, bodies(shard)]));
  }

  /** Those that take records, in the order of the keys that they own. */
  openShards(name: string): string[] {
    const open = this.#stream(name).shards.filter(({ closed }) => !closed);
    return open.toSorted((a, b) => (a.hashKeys.start < b.hashKeys.start ? -1 : 1)).map(({ id }) => id);
  }

  /** Puts a record as producers do, into the open shard that owns the key; says where it is. */
  putByKey(name: string, key: string, data: string | Uint8Array): { shard: string; seq: string } {
    const hashKey = hashKeyOf(key);
    const owner = this.#stream(name).shards.find(
      ({ closed, hashKeys }) => !closed && hashKeys.start <= hashKey && hashKey <= hashKeys.end,
    )!;
    const seq = owner.records.push({ data: Buffer.from(data as Uint8Array), arrived_ms: this.now_ms, key });
    return { shard: owner.id, seq: String(seq) };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = String(request.headers['x-amz-target']).split('.')[1] as Name;
    const contentType =
      request.headers['content-type'] === CBOR_CONTENT_TYPE ? CBOR_CONTENT_TYPE : JSON_CONTENT_TYPE;
    const { encode, decode } = ENCODINGS[contentType];
    const input = decode(Buffer.concat(chunks)) as Input;
    this.requests.push({ operation, input });
    const fault = this.#nextFault(operation, input);
    response.setHeader('content-type', contentType);
    response.setHeader('date', new Date(this.now_ms).toUTCString());
    if (this.server !== undefined) response.setHeader('server', this.server);
    try {
      this.#checkDate(request);
      if (fault !== undefined && 'error' in fault)
        throw new FakeError(fault.error, fault.message, fault.status);
      const added = this.also.get(operation);
      if (added !== undefined) return this.#answer(response, encode(added(input)), fault);
      if (!(operation in this.#operations)) throw new FakeError('UnknownOperationException');
      const output = this.#operations[operation](input as never, fault);
      this.#answer(response, output === undefined ? Buffer.alloc(0) : encode(output), fault);
    } catch (error) {
      const { code = 'InternalFailure', status = 500, message } = error as FakeError;
      response.writeHead(status);
      response.end(encode({ __type: code, message }));
    }
  }

  #nextFault(operation: Name, { ShardIterator }: Input): Fault | undefined {
    const shard = String(ShardIterator).split(' ')[2];
    const faults = this.#faults.get(operation) ?? [];
    const index = faults.findIndex(({ on }) => on === undefined || on === shard);
    return index === -1 ? undefined : faults.splice(index, 1)[0];
  }

  #answer(response: ServerResponse, body: Buffer, fault: Fault | undefined): void {
    if (fault !== undefined && 'lost' in fault) return void response.socket?.destroy();
    const bytes = fault !== undefined && 'garbage' in fault ? Buffer.from(fault.garbage) : body;
    response.writeHead(200, { 'content-length': bytes.length });
    if (fault === undefined || !('cut' in fault)) return void response.end(bytes);
    response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy());
  }

  #checkDate(request: IncomingMessage): void {
    const text = String(request.headers['x-amz-date']).replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:');
    if (Math.abs(Date.parse(text) - this.now_ms) <= this.skewMax_ms) return;
    throw new FakeError('InvalidSignatureException', 'Signature expired: too early or too late');
  }

  readonly #operations: {
    [O in Name]: (input: Operations[O]['input'], fault?: Fault) => Operations[O]['output'];
  } = {
    CreateStream: ({ StreamName, ShardCount = 1 }) => {
      if (this.#streams.has(StreamName)) throw new FakeError('ResourceInUseException');
      this.create(StreamName, ShardCount);
      this.#stream(StreamName).active = false;
      return undefined;
    },
    DescribeStreamSummary: (ref) => {
      const stream = this.#stream(nameOf(ref));
      const StreamStatus = stream.active ? 'ACTIVE' : 'CREATING';
      stream.active = true;
      return {
        StreamDescriptionSummary: {
          StreamName: stream.name,
          StreamARN: `arn:aws:kinesis:us-east-1:123456789012:stream/${stream.name}`,
          StreamStatus,
          RetentionPeriodHours: this.retentionHours,
          StreamCreationTimestamp: stream.createdAt_ms / 1000,
          StreamModeDetails: { StreamMode: 'PROVISIONED' },
          EnhancedMonitoring: [],
          EncryptionType: 'NONE',
          ConsumerCount: 0,
          MaxRecordSizeInKiB: this.recordKiBMax,
          OpenShardCount: stream.shards.filter((s) => !s.closed).length,
        },
      };
    },
    ListShards: (input) => {
      const [name, from] = (input.NextToken ?? `${nameOf(input)} 0`).split(' ') as [string, string];
      const shards = this.#stream(name).shards.filter((s) => s.listed);
      const to = Number(from) + this.shardsPerPage;
      const more = to < shards.length ? { NextToken: `${name} ${to}` } : {};
      return { Shards: shards.slice(Number(from), to).map(shapeOf), ...more };
    },
    PutRecords: (input, fault) => {
      const refused = fault !== undefined && 'refuse' in fault ? fault : undefined;
      const Records = input.Records.map((entry, i) => {
        if (!refused?.refuse.includes(i)) return this.#putOne(nameOf(input), entry);
        const ErrorCode = refused.code ?? 'ProvisionedThroughputExceededException';
        return { ErrorCode, ErrorMessage: 'Rate exceeded' };
      });
      return { FailedRecordCount: refused?.refuse.length ?? 0, Records };
    },
    GetShardIterator: (input) => {
      const name = nameOf(input);
      const index = this.#startIndex(this.#shard(name, input.ShardId), input);
      return { ShardIterator: this.#iterator(name, { shard: input.ShardId, index }) };
    },
    GetRecords: ({ ShardIterator, Limit = 10_000 }, fault) => {
      const [name, created, id, at, issued_ms] = ShardIterator.split(' ') as Five;
      if (this.now_ms - Number(issued_ms) > this.iteratorLife_ms)
        throw new FakeError('ExpiredIteratorException');
      if (this.#stream(name).createdAt_ms !== Number(created))
        throw new FakeError('ResourceNotFoundException');
      const shard = this.#shard(name, id);
      const window = windowOf(Math.max(Number(at), shard.trimmed), {
        Limit,
        fault,
        length: shard.records.length,
      });
      const Records = shard.records.slice(window.from, window.to).map((record, i) => ({
        SequenceNumber: String(window.from + i + 1),
        ApproximateArrivalTimestamp: record.arrived_ms / 1000,
        Data: record.data.toString('base64'),
        PartitionKey: record.key,
      }));
      const left = shard.records.slice(window.to);
      const behind = fault !== undefined && 'empty' in fault ? fault.behind_ms : 0;
      const MillisBehindLatest = left.length > 0 ? Math.max(1, this.now_ms - left[0]!.arrived_ms) : behind;
      const ended = fault !== undefined && 'childless' in fault;
      if (!(ended || (shard.closed && left.length === 0))) {
        return {
          Records,
          MillisBehindLatest,
          NextShardIterator: this.#iterator(name, { shard: id, index: window.to }),
        };
      }
      const children = ended ? [] : shard.children;
      const ChildShards = children.map((child) => childOf(this.#shard(name, child)));
      return {
        Records,
        MillisBehindLatest,
        NextShardIterator: null,
        ...(children.length > 0 && { ChildShards }),
      };
    },
  };

  #putOne(name: string, { Data, PartitionKey }: { Data: string; PartitionKey: string }) {
    const open = this.#stream(name).shards.filter((s) => !s.closed);
    const shard = open[Number(hashKeyOf(PartitionKey) % BigInt(open.length))]!;
    shard.records.push({ data: Buffer.from(Data, 'base64'), arrived_ms: this.now_ms, key: PartitionKey });
    return { SequenceNumber: String(shard.records.length), ShardId: shard.id };
  }

  #startIndex(shard: FakeShard, input: Operations['GetShardIterator']['input']): number {
    const { ShardIteratorType, StartingSequenceNumber, Timestamp } = input;
    switch (ShardIteratorType) {
      case 'TRIM_HORIZON':
        return 0;
      case 'AFTER_SEQUENCE_NUMBER':
        return Number(StartingSequenceNumber);
      case 'AT_SEQUENCE_NUMBER':
        return Number(StartingSequenceNumber) - 1;
      case 'AT_TIMESTAMP': {
        if (Timestamp! * 1000 > this.now_ms) throw new FakeError('InvalidArgumentException', 'in the future');
        const index = shard.records.findIndex((r) => r.arrived_ms >= Timestamp! * 1000);
        return index === -1 ? shard.records.length : index;
      }
      case 'LATEST':
        return shard.records.length;
    }
  }

  #iterator(name: string, { shard, index }: { shard: string; index: number }): string {
    return `${name} ${this.#stream(name).createdAt_ms} ${shard} ${index} ${this.now_ms}`;
  }

  #addShard(stream: FakeStream, parents: string[], hashKeys: HashKeyRange): FakeShard {
    const id = `shardId-${String(stream.shards.length).padStart(12, '0')}`;
    const shard = {
      id,
      parents,
      children: [],
      hashKeys,
      closed: false,
      listed: true,
      records: [],
      listedOpen: false,
      trimmed: 0,
    };
    stream.shards.push(shard);
    return shard;
  }

  #stream(name: string): FakeStream {
    const stream = this.#streams.get(name);
    if (stream === undefined) throw new FakeError('ResourceNotFoundException', `Stream ${name} not found`);
    return stream;
  }

  #shard(name: string, id: string): FakeShard {
    const shard = this.#stream(name).shards.find((s) => s.id === id);
    if (!shard?.listed) throw new FakeError('ResourceNotFoundException', `Shard ${id} not found`);
    return shard;
  }
}

const ENCODINGS = {
  [JSON_CONTENT_TYPE]: {
    encode: (output: object) => Buffer.from(JSON.stringify(output)),
    decode: (body: Buffer) => JSON.parse(body.toString() || '{}') as unknown,
  },
  [CBOR_CONTENT_TYPE]: {
    encode: (output: object) => encodeCbor(withBytes(output)),
    decode: (body: Buffer) => ({ ...(decodeCbor(body) as object) }) as unknown,
  },
};

/** CBOR has the bytes themselves where JSON has base64. */
export function withBytes(output: object & { Records?: readonly { Data?: string }[] }): object {
  if (!Array.isArray(output.Records)) return output;
  const Records = output.Records.map((record) =>
    record.Data === undefined ? record : { ...record, Data: Buffer.from(record.Data, 'base64') },
  );
  return { ...output, Records };
}

function nameOf({ StreamName, StreamARN }: { StreamName?: string; StreamARN?: string }): string {
  return StreamName ?? StreamARN!.split('/')[1]!;
}

function windowOf(
  at: number,
  { Limit, fault, length }: { Limit: number; fault: Fault | undefined; length: number },
) {
  if (fault !== undefined && 'empty' in fault) return { from: at, to: at };
  if (fault === undefined || !('limit' in fault)) return { from: at, to: Math.min(length, at + Limit) };
  const overlap = 'overlap' in fault ? (fault.overlap ?? 0) : 0;
  const from = Math.max(0, at - overlap);
  return { from, to: Math.max(at, Math.min(length, from + fault.limit)) };
}

/** The keys of all of these, shared out among so many. */
function splitRange(ranges: readonly HashKeyRange[], parts: number): HashKeyRange[] {
  const sorted = ranges.toSorted((a, b) => (a.start < b.start ? -1 : 1));
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return evenHashKeyRanges(parts);
  const [start, end] = [first.start, last.end];
  const width = (end - start + 1n) / BigInt(parts);
  const from = (part: number) => start + width * BigInt(part);
  return Array.from({ length: parts }, (_, i) => ({
    start: from(i),
    end: i === parts - 1 ? end : from(i + 1) - 1n,
  }));
}

const rangeShape = ({ start, end }: HashKeyRange) => ({
  HashKeyRange: { StartingHashKey: String(start), EndingHashKey: String(end) },
});

function shapeOf({ id, parents, hashKeys, closed, listedOpen, records }: FakeShard) {
  return {
    ShardId: id,
    ...(parents[0] !== undefined && { ParentShardId: parents[0] }),
    ...(parents[1] !== undefined && { AdjacentParentShardId: parents[1] }),
    ...rangeShape(hashKeys),
    SequenceNumberRange: {
      StartingSequenceNumber: '0',
      ...(closed && !listedOpen && { EndingSequenceNumber: String(records.length + 1) }),
    },
  };
}

function childOf({ id, parents, hashKeys }: FakeShard) {
  return { ShardId: id, ParentShards: parents, ...rangeShape(hashKeys) };
}
