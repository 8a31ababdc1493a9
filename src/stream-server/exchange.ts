import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Clock, Log } from '../base/base.ts';
import { EMBEDDED_SERVER } from '../kinesis/kinesis.ts';
import type { Answer } from './answer.ts';
import type { AnswerBuffers } from './answer-buffers.ts';
import type { Capacity } from './capacity.ts';
import { encodingOf } from './encoding.ts';
import { EventStream } from './event-frames.ts';
import { answer, errorAnswer, operationOf, type Run } from './protocol.ts';
import { ServiceError } from './service-error.ts';

/** A header of every answer: which server it is from. */
export const SERVER_ID_HEADER = 'x-lakeward-server';
/** 10 MiB of records are 13.4 MiB of base64, and 500 keys of 256 characters. */
const PUT_BODY_BYTES_MAX = 16 * 1024 * 1024;
/** The longest member elsewhere is a NextToken of 1 MiB. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;
/** Of a body that is too long this much is read, so that the client comes to read the answer; then it is cut off. */
const DRAINED_BYTES_MAX = 64 * 1024 * 1024;

export type IncomingRequest = IncomingMessage | Http2ServerRequest;
export type OutgoingResponse = ServerResponse | Http2ServerResponse;

export interface ExchangeOptions {
  run: Run;
  /** Bodies of all requests and answers under way. */
  memory: Capacity;
  buffers: AnswerBuffers;
  serverId: string;
  clock: Clock;
  log: Log;
}

/** One request and its answer, over either version of HTTP. */
export async function exchange(
  request: IncomingRequest,
  response: OutgoingResponse,
  options: ExchangeOptions,
): Promise<void> {
  const held = new HeldMemory(options.memory);
  // `close` comes once for every answer, sent or not.
  response.on('close', () => held.release());
  response.on('error', () => {});
  const header = (name: string) => single(request.headers[name]);
  const body = await readBody(request, limitOf(header), held);
  if (body === 'aborted') return;
  const preflight = request.method === 'OPTIONS' && header('origin') !== undefined;
  if (preflight) return send(response, corsAnswer(), { ...options, header });
  const given =
    typeof body === 'string'
      ? errorAnswer(refusal(body), encodingOf(header('content-type')) ?? 'json')
      : await answer(
          { method: request.method ?? '', address: request.url ?? '', header, body },
          options.run,
          options.log,
        );
  const { body: content } = given;
  if (content instanceof EventStream) {
    begin(response, given, { ...options, header });
    return sendEvents(response, content, held);
  }
  held.count(content.length);
  // HTTP/2 may still read a frame when it says that it has sent it.
  if (Buffer.isBuffer(content) && request.httpVersionMajor === 1)
    response.once('finish', () => options.buffers.give(content));
  send(response, { ...given, body: content }, { ...options, header });
}

/**
 * One message in memory: the next is asked for when this one is on its way. A reader that has not taken it when the
 * subscription is over is cut off, or it would hold it for ever; with an error, lest it takes what came for all.
 */
async function sendEvents(response: OutgoingResponse, events: EventStream, held: HeldMemory): Promise<void> {
  response.on('close', events.cancel);
  if (response.destroyed) events.cancel();
  for await (const frame of events.frames) {
    if (response.destroyed) break;
    held.count(frame.length);
    const isTaken = (response as ServerResponse).write(frame);
    if (!isTaken && (await drained(response, events.over)) === 'over')
      return void response.destroy(new Error('not read'));
    held.give(frame.length);
  }
  response.end();
}

function drained(response: OutgoingResponse, over: AbortSignal): Promise<'drained' | 'over'> {
  if (over.aborted) return Promise.resolve('drained');
  return new Promise((resolve) => {
    const done = (how: 'drained' | 'over') => {
      response.off('drain', onDrain);
      response.off('close', onDrain);
      over.removeEventListener('abort', onOver);
      resolve(how);
    };
    const onDrain = () => done('drained');
    const onOver = () => done('over');
    response.on('drain', onDrain);
    response.on('close', onDrain);
    over.addEventListener('abort', onOver);
  });
}

/** What this exchange holds of the memory that all share. */
class HeldMemory {
  readonly #memory: Capacity;
  #held = 0;
  #isOver = false;

  constructor(memory: Capacity) {
    this.#memory = memory;
  }

  take(bytes: number): boolean {
    if (this.#isOver || !this.#memory.take(bytes)) return false;
    this.#held += bytes;
    return true;
  }

  count(bytes: number): void {
    if (this.#isOver) return;
    this.#memory.count(bytes);
    this.#held += bytes;
  }

  give(bytes: number): void {
    if (this.#isOver) return;
    this.#memory.give(bytes);
    this.#held -= bytes;
  }

  release(): void {
    this.#isOver = true;
    this.#memory.give(this.#held);
    this.#held = 0;
  }
}

type Unread = 'too large' | 'no memory' | 'aborted';

function readBody(request: IncomingRequest, limit: number, held: HeldMemory): Promise<Buffer | Unread> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let unread: Unread | undefined;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > DRAINED_BYTES_MAX) request.destroy();
      if (length > limit) unread ??= 'too large';
      else if (!unread && !held.take(chunk.length)) unread = 'no memory';
      if (unread) chunks.length = 0;
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(unread ?? (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))));
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}

function limitOf(header: (name: string) => string | undefined): number {
  const operation = operationOf({ header });
  return operation === 'PutRecords' || operation === 'PutRecord' ? PUT_BODY_BYTES_MAX : BODY_BYTES_MAX;
}

function refusal(unread: 'too large' | 'no memory'): ServiceError {
  return unread === 'too large'
    ? new ServiceError('RequestEntityTooLargeException', 'The request body is larger than the service takes.')
    : new ServiceError('ServiceUnavailable', 'Too many requests at once. Try again.');
}

interface SendOptions {
  serverId: string;
  clock: Clock;
  header: (name: string) => string | undefined;
}

function send(
  response: OutgoingResponse,
  answer: Answer & { body: string | Buffer },
  options: SendOptions,
): void {
  if (response.destroyed || response.writableEnded) return;
  begin(response, answer, options);
  response.setHeader('Content-Length', Buffer.byteLength(answer.body));
  (response as ServerResponse).end(answer.body);
}

function begin(
  response: OutgoingResponse,
  { status, contentType }: Answer,
  { serverId, clock, header }: SendOptions,
): void {
  response.statusCode = status;
  const set = (name: string, value: string | number) => response.setHeader(name, value);
  set('x-amzn-RequestId', randomUUID());
  set('x-amz-id-2', randomBytes(72).toString('base64'));
  set('Date', new Date(clock.now()).toUTCString());
  set('Server', EMBEDDED_SERVER);
  set(SERVER_ID_HEADER, serverId);
  if (contentType !== undefined) set('Content-Type', contentType);
  if (header('origin') !== undefined) setCors(set, header);
}

function setCors(set: (name: string, value: string) => unknown, header: SendOptions['header']): void {
  set('Access-Control-Allow-Origin', '*');
  set(
    'Access-Control-Expose-Headers',
    'x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date',
  );
  const asked = {
    Headers: header('access-control-request-headers'),
    Methods: header('access-control-request-method'),
  };
  for (const [what, value] of Object.entries(asked)) if (value) set(`Access-Control-Allow-${what}`, value);
}

function corsAnswer(): Answer & { body: string } {
  return { status: 200, body: '' };
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
