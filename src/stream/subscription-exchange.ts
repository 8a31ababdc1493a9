/**
 * One subscription: a request over HTTP/2 whose answer goes on for minutes. Each has a connection of its own, because
 * one that is read slowly holds up all the others of its connection; what is not read stays with the sender.
 */
import { once } from 'node:events';
import { type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { type EventMessage, readEvents } from '../kinesis/kinesis.ts';
import type { Answer } from './http-exchange.ts';

export interface SubscriptionRequest {
  endpoint: URL;
  headers: Record<string, string>;
  body: Buffer;
  /** Without a message for so long it is given up: the service sends one every few seconds. */
  silence_ms: number;
  signal: AbortSignal | undefined;
}

/** The service answered, but not with a subscription. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`status ${answer.status}`);
    this.answer = answer;
  }
}

export async function* exchangeEvents({
  endpoint,
  headers,
  body,
  silence_ms,
  signal,
}: SubscriptionRequest): AsyncGenerator<EventMessage> {
  const session = connect(endpoint);
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  session.on('error', (error) => ended.reject(error));
  const request = session.request({ ':method': 'POST', ':path': '/', ...headers });
  const giveUp = () => {
    request.close(constants.NGHTTP2_CANCEL);
    session.destroy();
    ended.reject(new Error('the subscription was given up'));
  };
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    request.on('error', (error) => ended.reject(error));
    // A connection that the other side ends brings no error, and silence is no longer measured then.
    request.on('close', () => ended.reject(new Error('the connection ended before the answer')));
    request.setTimeout(silence_ms, () => request.destroy(new Error(`no message for ${silence_ms} ms`)));
    request.end(body);
    const [answered] = (await Promise.race([once(request, 'response'), ended.promise])) as [
      IncomingHttpHeaders,
    ];
    const status = Number(answered[':status']);
    if (status !== 200) throw new Refused(await answerOf(request, { status, headers: answered }));
    yield* readEvents(request as AsyncIterable<Buffer>);
  } finally {
    signal?.removeEventListener('abort', giveUp);
    giveUp();
  }
}

async function answerOf(
  request: ClientHttp2Stream,
  { status, headers }: { status: number; headers: IncomingHttpHeaders },
): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status, headers, body: Buffer.from(new Uint8Array(Buffer.concat(chunks))) };
}
