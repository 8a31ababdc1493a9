/** The scripted endpoint with enhanced fan-out: HTTP/2 without TLS on the same port, told by its first bytes. */
import {
  createServer as createHttp2,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { encodeEvent, type ShardIteratorType } from '../../src/kinesis/kinesis.ts';
import type { FakeKinesis } from './fake-kinesis.ts';

export type SubscriptionFault =
  /** Instead of the subscription. */
  | { error: string }
  /** The connection ends, as at a restart of the service, before there is any answer. */
  | { gone: true }
  /** After so many events. */
  | { exception: string; after: number }
  | { cut: true; after: number }
  /** Nothing more comes, and the subscription stays open. */
  | { silent: true; after: number };

interface Subscription {
  ConsumerARN: string;
  ShardId: string;
  StartingPosition: { Type: ShardIteratorType; SequenceNumber?: string; Timestamp?: number };
}

const CONSUMER_ARN = 'arn:aws:kinesis:us-east-1:123456789012:stream/events/consumer/lake:1';

export class FakeFanOut {
  /** Events of one subscription before it ends as after five minutes. */
  eventsMax = 3;
  recordsMax = 4;
  readonly subscriptions: Subscription[] = [];
  readonly registered: string[] = [];
  readonly #fake: FakeKinesis;
  readonly #faults: SubscriptionFault[] = [];
  readonly #server: Server;
  readonly #http2: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  private constructor(fake: FakeKinesis) {
    this.#fake = fake;
    this.#http2 = createHttp2();
    this.#http2.on('session', (session) => {
      this.#sessions.add(session);
      session.on('error', () => {});
    });
    this.#http2.on('stream', (stream) => void this.#subscribe(stream).catch(() => stream.destroy()));
    this.#server = createServer((socket) => this.#sniff(socket));
    const consumer = () => ({ ConsumerARN: CONSUMER_ARN, ConsumerStatus: 'ACTIVE' });
    fake.also.set('DescribeStreamConsumer', () => ({ ConsumerDescription: consumer() }));
    fake.also.set('RegisterStreamConsumer', ({ ConsumerName }) => {
      this.registered.push(String(ConsumerName));
      return { Consumer: consumer() };
    });
  }

  static async start(fake: FakeKinesis): Promise<FakeFanOut> {
    const fanOut = new FakeFanOut(fake);
    await new Promise<void>((listening) => fanOut.#server.listen(0, '127.0.0.1', listening));
    return fanOut;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Of the next subscriptions, one each. */
  script(...faults: SubscriptionFault[]): void {
    this.#faults.push(...faults);
  }

  /** Subscriptions that are still open. */
  get open(): number {
    return [...this.#sessions].filter((session) => !session.destroyed).length;
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }

  #sniff(socket: Socket): void {
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      socket.unshift(first);
      if (first.toString('latin1', 0, 3) === 'PRI') this.#http2.emit('connection', socket);
      else this.#fake.accept(socket);
    });
  }

  async #subscribe(stream: ServerHttp2Stream): Promise<void> {
    stream.on('error', () => {});
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const input = JSON.parse(Buffer.concat(chunks).toString()) as Subscription;
    this.subscriptions.push(input);
    const fault = this.#faults.shift();
    if (fault !== undefined && 'error' in fault) {
      stream.respond({ ':status': 400, 'content-type': 'application/x-amz-json-1.1' });
      stream.end(JSON.stringify({ __type: fault.error, message: fault.error }));
      return;
    }
    if (fault !== undefined && 'gone' in fault) return stream.session?.destroy();
    stream.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream' });
    stream.write(message('initial-response', {}));
    let from = input.StartingPosition;
    for (let events = 0; events < this.eventsMax; events++) {
      if (fault !== undefined && events === fault.after) return end(stream, fault);
      const event = this.#fake.push(input.ShardId, from, this.recordsMax);
      stream.write(message('SubscribeToShardEvent', event));
      if (event.ContinuationSequenceNumber === null) break;
      from = { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: event.ContinuationSequenceNumber };
    }
    stream.end();
  }
}

function end(
  stream: ServerHttp2Stream,
  fault: Exclude<SubscriptionFault, { error: string } | { gone: true }>,
): void {
  if ('exception' in fault) {
    const headers = { ':message-type': 'exception', ':exception-type': fault.exception };
    stream.end(encodeEvent(headers, Buffer.from('{"message":"told within the stream"}')));
  } else if ('cut' in fault) {
    const whole = message('SubscribeToShardEvent', { Records: [] });
    stream.write(whole.subarray(0, whole.length >> 1), () => stream.session?.destroy());
  }
}

function message(event: string, payload: object): Buffer {
  const headers = { ':message-type': 'event', ':event-type': event, ':content-type': 'application/json' };
  return encodeEvent(headers, Buffer.from(JSON.stringify(payload)));
}
