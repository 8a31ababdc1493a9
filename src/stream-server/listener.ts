import { createServer as createHttp1, type Server as Http1Server } from 'node:http';
import { createServer as createHttp2, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { type Listening, type Log, listening } from '../base/base.ts';
import type { IncomingRequest, OutgoingResponse } from './exchange.ts';

/** A connection that says nothing for so long is closed; clients keep idle ones for at most a minute or so. */
const IDLE_MS_MAX = 120_000;
const CONNECTIONS_MAX = 4096;
const HEADER_BYTES_MAX = 64 * 1024;
const HTTP2_SETTINGS = { maxConcurrentStreams: 256, initialWindowSize: 1024 * 1024 };
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** No method of HTTP/1.1 begins with these. */
const PREFACE_SNIFFED_BYTES = 4;

export interface Listener extends Listening {
  /** Takes no new connections. */
  stop(): void;
  /** Closes the connections there are, as soon as what was written to them is out, or `patience` is over. */
  close(patience: Promise<void>): Promise<void>;
}

export type Handle = (request: IncomingRequest, response: OutgoingResponse) => void;

/**
 * HTTP/1.1 and cleartext HTTP/2 with prior knowledge on one port: the first bytes of a connection tell which. The AWS
 * SDK for JavaScript speaks HTTP/2 to `http://` addresses, most others HTTP/1.1.
 */
export async function listen(
  { host, port, log }: { host: string; port: number; log: Log },
  handle: Handle,
): Promise<Listener> {
  const connections = new Connections(handle);
  const server = createServer({ noDelay: true }, (socket) => connections.take(socket));
  server.maxConnections = CONNECTIONS_MAX;
  const at = await listening(server, {
    ...{ host, port, log, area: 'stream_server', doing: 'cannot serve the stream' },
    hint: 'choose another port with --stream-port; 0 takes any free one',
    docs: 'docs/reference/configuration.md#streamport',
  });
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    ...at,
    stop: () => server.close(),
    async close(patience) {
      connections.end();
      await Promise.race([closed, patience]);
      connections.destroy();
      await closed;
    },
  };
}

class Connections {
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<Socket, ServerHttp2Session>();

  constructor(handle: Handle) {
    this.#http1 = createHttp1({ keepAliveTimeout: IDLE_MS_MAX, maxHeaderSize: HEADER_BYTES_MAX }, handle);
    this.#http1.setTimeout(IDLE_MS_MAX);
    this.#http2 = createHttp2({ settings: HTTP2_SETTINGS }, handle);
    this.#http2.setTimeout(IDLE_MS_MAX);
    this.#http2.on('session', (session) => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    this.#http2.on('sessionError', () => {});
  }

  take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#sessions.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    const giveUp = () => socket.destroy();
    socket.setTimeout(IDLE_MS_MAX, giveUp);
    sniff(socket, (version) => {
      // From here on the protocol's own timer counts: the socket does not see what HTTP/2 takes from under it.
      socket.setTimeout(0, giveUp);
      if (version === 1) return this.#http1.emit('connection', socket);
      this.#http2.once('session', (session) => this.#sessions.set(socket, session));
      return this.#http2.emit('connection', socket);
    });
  }

  end(): void {
    for (const socket of this.#sockets) {
      const session = this.#sessions.get(socket);
      if (session) session.close();
      else socket.destroySoon();
    }
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function sniff(socket: Socket, decide: (version: 1 | 2) => unknown): void {
  let seen = Buffer.alloc(0);
  const look = () => {
    const more: Buffer | null = socket.read();
    if (more === null) return;
    seen = Buffer.concat([seen, more]);
    const known = Math.min(seen.length, PREFACE_SNIFFED_BYTES);
    const isPreface = seen.subarray(0, known).equals(PREFACE.subarray(0, known));
    if (isPreface && known < PREFACE_SNIFFED_BYTES) return;
    socket.off('readable', look);
    socket.unshift(seen);
    decide(isPreface ? 2 : 1);
  };
  socket.on('readable', look);
}
