/**
 * A light signed client of the Kinesis protocol: one attempt a call (retrying is the caller's, who knows what may
 * be repeated), except a signature that was refused for its date, which is made again once by the server's clock.
 */
import { type Clock, Failure } from '../base/base.ts';
import {
  CBOR_CONTENT_TYPE,
  decodeCbor,
  EMBEDDED_SERVER,
  encodeCbor,
  JSON_CONTENT_TYPE,
  type Operations,
  TARGET_PREFIX,
} from '../kinesis/kinesis.ts';
import { type Answer, type HttpExchange, openExchange } from './http-exchange.ts';
import { connectionFailure, EXPIRED_TOKEN, type ServiceError, serviceFailure } from './service-failures.ts';
import { openSigning, type Signing } from './signing.ts';
import type { BodyEncoding } from './split.ts';
import type { RawBody } from './splitter.ts';
import { exchangeEvents, Refused } from './subscription-exchange.ts';

export interface StaticCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * A provider is asked at every request and is expected to cache, as those of the AWS SDK do; it is told when what it gave
 * is no longer taken.
 */
export type Credentials =
  | StaticCredentials
  | ((how?: { forceRefresh: boolean }) => Promise<StaticCredentials>);

export interface ClientOptions {
  endpoint: URL;
  region: string;
  credentials: Credentials;
  clock: Clock;
  /** How GetRecords is asked; everything else is JSON. By default CBOR once the endpoint has said that it is ours. */
  recordsEncoding?: BodyEncoding;
  connect_ms?: number;
  read_ms?: number;
  /** Without an event for so long a subscription is given up. */
  silence_ms?: number;
}

type Operation = keyof Operations;

/** The service sends an event every five seconds; Amazon's own client waits 35. */
const SILENCE_MS = 35_000;

interface Request {
  body: Buffer;
  contentType: string;
}

export interface Reply<O extends Operation> {
  output: Operations[O]['output'];
  /** The server's clock in whole seconds, rounded down; undefined when the answer has no date. */
  date_ms: number | undefined;
}

export class KinesisClient {
  readonly #endpoint: URL;
  readonly #clock: Clock;
  readonly #exchange: HttpExchange;
  readonly #signing: Signing;
  readonly #recordsEncoding: BodyEncoding | undefined;
  readonly #silence_ms: number;
  /** The server's clock minus ours, as far as signatures need it. */
  #offset_ms = 0;
  #isEmbedded = false;
  /** Credentials of ours were taken before. */
  #served = false;

  constructor({
    endpoint,
    clock,
    recordsEncoding,
    connect_ms = 5_000,
    read_ms = 30_000,
    silence_ms = SILENCE_MS,
    ...identity
  }: ClientOptions) {
    this.#recordsEncoding = recordsEncoding;
    this.#silence_ms = silence_ms;
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#exchange = openExchange({ endpoint, connect_ms, read_ms });
    this.#signing = openSigning({ endpoint, ...identity });
  }

  async call<O extends Operation>(
    operation: O,
    input: Operations[O]['input'],
    signal?: AbortSignal,
  ): Promise<Operations[O]['output']> {
    return (await this.reply(operation, input, signal)).output;
  }

  async reply<O extends Operation>(
    operation: O,
    input: Operations[O]['input'],
    signal?: AbortSignal,
  ): Promise<Reply<O>> {
    const body = Buffer.from(JSON.stringify(input));
    const answer = await this.#post(operation, { body, contentType: JSON_CONTENT_TYPE }, signal);
    const output = answer.body.length === 0 ? undefined : this.#parse(operation, answer.body);
    return { output: output as Operations[O]['output'], date_ms: dateOf(answer) };
  }

  /** The body of a GetRecords answer, whole and unread; the endpoint has the last word on how it is written. */
  async getRecords(input: Operations['GetRecords']['input'], signal?: AbortSignal): Promise<RawBody> {
    const cbor = (this.#recordsEncoding ?? (this.#isEmbedded ? 'cbor' : 'json')) === 'cbor';
    const request = cbor ? encodeCbor(input) : Buffer.from(JSON.stringify(input));
    const contentType = cbor ? CBOR_CONTENT_TYPE : JSON_CONTENT_TYPE;
    const { body, headers } = await this.#post('GetRecords', { body: request, contentType }, signal);
    const reuse = (bytes: ArrayBuffer) => this.#exchange.reuse(bytes);
    return { bytes: body, encoding: isCbor(headers) ? 'cbor' : 'json', reuse };
  }

  /** Bodies as GetRecords gives them, pushed; ends when the service ends the subscription, after minutes. */
  async *subscribe(
    input: Operations['SubscribeToShard']['input'],
    signal?: AbortSignal,
  ): AsyncGenerator<RawBody> {
    const body = Buffer.from(JSON.stringify(input));
    const headers = await this.#headersOf('SubscribeToShard', { body, contentType: JSON_CONTENT_TYPE });
    const request = { endpoint: this.#endpoint, headers, body, silence_ms: this.#silence_ms, signal };
    try {
      for await (const message of exchangeEvents(request)) {
        const { ':message-type': type, ':event-type': event, ':exception-type': exception } = message.headers;
        if (type === 'exception') throw new Refused(exceptionAnswer(exception, message.payload));
        if (event === 'SubscribeToShardEvent') yield { bytes: message.payload, encoding: 'json' };
      }
    } catch (error) {
      if (error instanceof Refused) throw this.#subscriptionRefused(error.answer);
      throw connectionFailure('SubscribeToShard', { endpoint: this.#endpoint, error });
    }
  }

  close(): void {
    this.#exchange.close();
  }

  /** It is not asked again here; what signs better will do so when the caller asks. */
  #subscriptionRefused(answer: Answer): Failure {
    const error = errorOf('SubscribeToShard', answer);
    this.#signatureMayHelp(error, answer);
    return serviceFailure(error, { served: this.#served });
  }

  async #post(operation: Operation, request: Request, signal: AbortSignal | undefined): Promise<Answer> {
    for (let signedAgain = false; ; signedAgain = true) {
      const answer = await this.#attempt(operation, request, signal);
      this.#isEmbedded = answer.headers.server === EMBEDDED_SERVER;
      if (answer.status < 300) {
        this.#served = true;
        return answer;
      }
      const error = errorOf(operation, answer);
      if (signedAgain || !this.#signatureMayHelp(error, answer)) {
        throw serviceFailure(error, { served: this.#served });
      }
    }
  }

  async #attempt(
    operation: Operation,
    { body, contentType }: Request,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const headers = await this.#headersOf(operation, { body, contentType });
    try {
      return await this.#exchange.post(headers, body, signal);
    } catch (error) {
      throw connectionFailure(operation, { endpoint: this.#endpoint, error });
    }
  }

  async #headersOf(operation: string, { body, contentType }: Request): Promise<Record<string, string>> {
    const named = { 'content-type': contentType, 'x-amz-target': TARGET_PREFIX + operation };
    const headers = await this.#signing.sign(named, body, new Date(this.#clock.now() + this.#offset_ms));
    headers['content-length'] = String(body.length);
    return headers;
  }

  /** Our clock is off, or a session token ran out that its provider can renew. */
  #signatureMayHelp(error: ServiceError, answer: Answer): boolean {
    if (error.name === EXPIRED_TOKEN) {
      this.#signing.renew();
      return true;
    }
    if (error.name !== 'InvalidSignatureException' || !/expired|not yet current/i.test(error.message))
      return false;
    const date_ms = dateOf(answer);
    if (date_ms === undefined) return false;
    this.#offset_ms = date_ms - this.#clock.now();
    return true;
  }

  #parse(operation: Operation, body: Buffer): unknown {
    try {
      return JSON.parse(body.toString('utf8'));
    } catch (cause) {
      throw new Failure(`${operation}: the answer of ${this.#endpoint.origin} is not JSON`, {
        code: 'stream.bad_answer',
        fault: 'service',
        retry: 'backoff',
        why: body.subarray(0, 100).toString('latin1'),
        hint: 'is this the address of a Kinesis endpoint?',
        cause,
      });
    }
  }
}

/** An exception within a subscription, as an answer of its own would have told it. */
function exceptionAnswer(name: string | undefined, body: Buffer<ArrayBuffer>): Answer {
  return { status: 400, headers: { 'x-amzn-errortype': name }, body };
}

function isCbor(headers: Answer['headers']): boolean {
  return headers['content-type']?.startsWith(CBOR_CONTENT_TYPE) === true;
}

function dateOf(answer: Answer): number | undefined {
  const date_ms = Date.parse(answer.headers.date ?? '');
  return Number.isNaN(date_ms) ? undefined : date_ms;
}

/** Names come as `Name`, `prefix#Name` or `Name:uri`, in the body or in a header; proxies answer with neither. */
function errorOf(operation: string, { status, headers, body }: Answer): ServiceError {
  let parsed: Record<string, unknown> = {};
  try {
    parsed = (isCbor(headers) ? decodeCbor(body) : JSON.parse(body.toString('utf8'))) ?? {};
  } catch {}
  const named = headers['x-amzn-errortype'] ?? parsed['__type'] ?? parsed['code'];
  const name = typeof named === 'string' ? named.split(':')[0]!.split('#').at(-1)! : `HTTP${status}`;
  const message = parsed['message'] ?? parsed['Message'] ?? body.subarray(0, 200).toString('latin1');
  return { operation, status, name, message: String(message) };
}
