/**
 * HTTP on its way to S3 and back, where everything can go wrong. The proxy sees a request whole before it sends it on,
 * and the answer whole before it gives it, so that each fault happens at a point that is known.
 */
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export const FAULTS = [
  /** The connection breaks before the store has heard of it. */
  'lost request',
  /** The store has done it; the connection breaks without an answer. */
  'lost answer',
  /** The connection breaks without an answer; the store does it when the test calls `landLate`. */
  'late request',
  /** Half of the body of the answer, then the connection breaks. Of an answer without a body: a lost answer. */
  'half answer',
  /** No answer for as long as the client waits. */
  'no answer',
  'slow down',
  'internal error',
  'bad gateway',
  'gateway timeout',
  /** The store has done it, but something on the way says 504. */
  'gateway timeout after it was done',
  'too many requests',
  'conflict',
] as const;
/** The last is none that waiting alone mends. */
export type Fault = (typeof FAULTS)[number] | 'expired token';

export interface Passing {
  method: string;
  /** As the client wrote it: escaped, with its query. */
  url: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface FaultyProxy {
  readonly endpoint: string;
  /** Asked for every request; undefined lets it pass. While it thinks, the request waits. */
  choose: (request: Passing) => Fault | undefined | Promise<Fault | undefined>;
  /** Waited for before the next piece of a request's body is taken from its connection. */
  pace: (bytes: number) => Promise<void>;
  /** Every request that came, with what was done to it. */
  readonly seen: (Passing & { fault: Fault | undefined })[];
  /** The most that were under way at once. */
  readonly atOnce_max: number;
  /** Sends what was late to the store; resolves with the statuses of its answers. */
  landLate(): Promise<number[]>;
  /** Resolves as soon as the next request is left without an answer. */
  whenUnanswered(): Promise<void>;
  close(): Promise<void>;
}

const error = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>by the test</Message></Error>`;

/** Answered in place of the store, which hears nothing of it. */
const ANSWERED: Partial<Record<Fault, { status: number; body: string }>> = {
  'slow down': { status: 503, body: error('SlowDown') },
  'internal error': { status: 500, body: error('InternalError') },
  'bad gateway': { status: 502, body: '<html>bad gateway</html>' },
  'gateway timeout': { status: 504, body: '' },
  'too many requests': { status: 429, body: '' },
  'expired token': { status: 400, body: error('ExpiredToken') },
  conflict: { status: 409, body: error('ConditionalRequestConflict') },
};

interface Answered {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export async function startFaultyProxy(upstream: string): Promise<FaultyProxy> {
  const late: Passing[] = [];
  let underWay = 0;
  let unanswered: () => void = () => {};
  const server = createServer((request, response) => {
    proxy.atOnce_max = Math.max(proxy.atOnce_max, ++underWay);
    response.once('close', () => underWay--);
    void pass(request, response).catch(() => response.destroy());
  });

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const passing = { method, url, headers, body: await whole(request, proxy.pace) };
    const fault = await proxy.choose(passing);
    proxy.seen.push({ ...passing, fault });
    const instead = fault && ANSWERED[fault];
    if (instead) return void response.writeHead(instead.status).end(instead.body);
    if (fault === 'no answer') return unanswered();
    if (fault === 'late request') late.push(passing);
    if (fault === 'lost request' || fault === 'late request') return void response.destroy();
    const answer = await forward(upstream, passing);
    if (fault === 'lost answer') return void response.destroy();
    if (fault === 'gateway timeout after it was done') return void response.writeHead(504).end();
    if (fault === 'half answer') return half(response, answer);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  const proxy: { -readonly [Name in keyof FaultyProxy]: FaultyProxy[Name] } = {
    endpoint: '',
    choose: () => undefined,
    pace: async () => {},
    seen: [],
    atOnce_max: 0,
    async landLate() {
      const answers = await Promise.all(late.splice(0).map((passing) => forward(upstream, passing)));
      return answers.map(({ status }) => status);
    },
    whenUnanswered: () =>
      new Promise<void>((seen) => {
        unanswered = seen;
      }),
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  proxy.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}

/** The headers promise the whole. */
function half(response: ServerResponse, { status, headers, body }: Answered): void {
  if (body.length === 0) return void response.destroy();
  response.writeHead(status, headers);
  response.write(body.subarray(0, body.length / 2), () => response.destroy());
}

function forward(upstream: string, { method, url, headers, body }: Passing): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const request = send(new URL(url, upstream), { method, headers, agent: false }, (answer) => {
    whole(answer).then(
      (bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes }),
      reject,
    );
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

async function whole(stream: IncomingMessage, pace?: FaultyProxy['pace']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    await pace?.(chunk.length);
  }
  return Buffer.concat(chunks);
}
