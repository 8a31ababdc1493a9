/** One connection to a Spark Connect server: calls by name, with the headers that every one carries. */
import { create } from '@bufbuild/protobuf';
import {
  createGrpcTransport,
  type GrpcTransportOptions,
  Http2SessionManager,
} from '@connectrpc/connect-node';
import { methodOf } from './descriptors.ts';
import type { Method, Request, Response } from './messages.ts';
import type { SparkAddress } from './url.ts';

/** A call that changes or asks one small thing. */
const CALL_MS = 60_000;
/** The server ends a stream of results by itself after two minutes, and is then asked to go on. */
const STREAM_MS = 300_000;
/** A peer that is gone without a word is noticed by its silence. */
const PING_MS = 20_000;
/** What the server takes at most by default, and what we take: results are small here. */
const MESSAGE_BYTES = 128 << 20;

export interface Wire {
  call<M extends Method>(method: M, request: Request<M>, signal?: AbortSignal): Promise<Response<M>>;
  stream<M extends Method>(method: M, request: Request<M>, signal?: AbortSignal): AsyncIterable<Response<M>>;
  close(): void;
}

export function openWire({ origin, token, headers }: SparkAddress, { ping_ms = PING_MS } = {}): Wire {
  const sessionManager = new Http2SessionManager(origin, { pingIntervalMs: ping_ms, pingTimeoutMs: ping_ms });
  const transport = createGrpcTransport({
    baseUrl: origin,
    sessionManager: survived(sessionManager),
    readMaxBytes: MESSAGE_BYTES,
    writeMaxBytes: MESSAGE_BYTES,
  });
  const sent = new Headers({
    ...headers,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });

  return {
    async call(method, request, signal) {
      const { input, ...rest } = methodOf(method);
      const desc = { input, ...rest, methodKind: 'unary' as const };
      const message = create(input, request as never);
      return (await transport.unary(desc, signal, CALL_MS, sent, message)).message as never;
    },
    async *stream(method, request, signal) {
      const desc = { ...methodOf(method), methodKind: 'server_streaming' as const };
      const message = create(desc.input, request as never);
      const answer = await transport.stream(desc, signal, STREAM_MS, sent, once(message));
      yield* answer.message as AsyncIterable<never>;
    },
    close: () => sessionManager.abort(),
  };
}

/**
 * The library listens no more to a connection that it has given up for its silence, once another is asked for; Node then
 * takes that connection's error for one that nobody handles, and ends the process. Its streams tell of it all the same.
 */
function survived(inner: Http2SessionManager): NonNullable<GrpcTransportOptions['sessionManager']> {
  const heard = new WeakSet<object>();
  return {
    authority: inner.authority,
    notifyResponseByteRead: (stream) => inner.notifyResponseByteRead(stream),
    async request(...asked) {
      const stream = await inner.request(...asked);
      const { session } = stream;
      if (session !== undefined && !heard.has(session)) {
        heard.add(session);
        session.on('error', () => {});
      }
      return stream;
    },
  };
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
