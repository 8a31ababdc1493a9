/**
 * A Kinesis endpoint in memory whose misbehaviour a test scripts: it answers the JSON protocol over HTTP/1.1 and plays
 * each fault once, in the order in which they were given. Sequence numbers are 1, 2, 3 … a shard, so that comparing
 * them as text goes wrong at once.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hashKeyOf, type Operations } from '../../src/kinesis/kinesis.ts';

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
  closed: boolean;
  listed: boolean;
  records: Stored[];
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
  shardsPerPage = 1000;
  recordKiBMax = 1024;
  readonly requests: { operation: Name; input: Input }[] = [];
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
    for (let i = 0; i < shards; i++) this.#addShard(stream, []);
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
    const made = Array.from({ length: children }, () => this.#addShard(stream, [...parents]).id);
    for (const id of parents) Object.assign(this.#shard(name, id), { closed: true, children: made });
    return made;
  }

  /** Past retention: its records are gone and nothing lists it. */
  expire(name: string, shard: string): void {
    this.#shard(name, shard).listed = false;
  }

  contents(name: string): Map<string, string[]> {
    const bodies = (shard: FakeShard) => shard.records.map((r) => r.data.toString('latin1'));
    return new Map(this.#stream(name).shards.map((shard) => [shard.id, bodies(shard)]));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = String(request.headers['x-amz-target']).split('.')[1] as Name;
    const input = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Input;
    this.requests.push({ operation, input });
    const fault = this.#nextFault(operation, input);
    response.setHeader('date', new Date(this.now_ms).toUTCString());
    try {
      this.#checkDate(request);
      if (fault !== undefined && 'error' in fault)
        throw new FakeError(fault.error, fault.message, fault.status);
      if (!(operation in this.#operations)) throw new FakeError('UnknownOperationException');
      const body = JSON.stringify(this.#operations[operation](input as never, fault) ?? '');
      this.#answer(response, body === '""' ? '' : body, fault);
    } catch (error) {
      const { code = 'InternalFailure', status = 500, message } = error as FakeError;
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify({ __type: code, message }));
    }
  }

  #nextFault(operation: Name, { ShardIterator }: Input): Fault | undefined {
    const shard = String(ShardIterator).split(' ')[2];
    const faults = this.#faults.get(operation) ?? [];
    const index = faults.findIndex(({ on }) => on === undefined || on === shard);
    return index === -1 ? undefined : faults.splice(index, 1)[0];
  }

  #answer(response: ServerResponse, body: string, fault: Fault | undefined): void {
    if (fault !== undefined && 'lost' in fault) return void response.socket?.destroy();
    const text = fault !== undefined && 'garbage' in fault ? fault.garbage : body;
    const bytes = Buffer.from(text);
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'content-length': bytes.length });
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
          RetentionPeriodHours: 24,
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
      const [name, created, id, at] = ShardIterator.split(' ') as [string, string, string, string];
      if (this.#stream(name).createdAt_ms !== Number(created))
        throw new FakeError('ResourceNotFoundException');
      const shard = this.#shard(name, id);
      const window = windowOf(Number(at), { Limit, fault, length: shard.records.length });
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
    return `${name} ${this.#stream(name).createdAt_ms} ${shard} ${index}`;
  }

  #addShard(stream: FakeStream, parents: string[]): FakeShard {
    const id = `shardId-${String(stream.shards.length).padStart(12, '0')}`;
    const shard = { id, parents, children: [], closed: false, listed: true, records: [] };
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

const HASHES = { HashKeyRange: { StartingHashKey: '0', EndingHashKey: '0' } };

function shapeOf({ id, parents, closed, records }: FakeShard) {
  return {
    ShardId: id,
    ...(parents[0] !== undefined && { ParentShardId: parents[0] }),
    ...(parents[1] !== undefined && { AdjacentParentShardId: parents[1] }),
    ...HASHES,
    SequenceNumberRange: {
      StartingSequenceNumber: '0',
      ...(closed && { EndingSequenceNumber: String(records.length + 1) }),
    },
  };
}

function childOf({ id, parents }: FakeShard) {
  return { ShardId: id, ParentShards: parents, ...HASHES };
}
