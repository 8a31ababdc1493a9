/**
 * Health and metrics over HTTP. Reads only, holds no secret, and takes a request's path, Host and Accept for all it
 * needs: on loopback a web page whose name was made to mean 127.0.0.1 is turned away by its Host header.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { hostName, isLoopback, type Log, listening } from '../base/base.ts';
import { CONTENT_TYPES, formatFor } from './exposition.ts';
import type { Health, Progressed } from './health.ts';
import type { Monitor } from './monitor.ts';

export interface ListenOptions {
  monitor: Pick<Monitor, 'health' | 'metrics'>;
  host: string;
  /** 0 takes any free one. */
  port: number;
  log: Log;
}

export interface Listener {
  /** `http://host:port`, as this machine reaches it. */
  uri: string;
  port: number;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 64;
const REQUEST_MS_MAX = 10_000;
const HEADER_BYTES_MAX = 16 * 1024;

export async function listen({ monitor, host, port, log }: ListenOptions): Promise<Listener> {
  const server = createServer(
    {
      requestTimeout: REQUEST_MS_MAX,
      headersTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: REQUEST_MS_MAX,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    (request, response) => void respond(request, response, { monitor, host }),
  );
  server.maxConnections = CONNECTIONS_MAX;
  const at = await listening(server, {
    ...{ host, port, log, area: 'monitor', doing: 'cannot serve health and metrics' },
    hint: 'choose another port with --monitor-port; 0 turns it off',
    docs: 'docs/reference/configuration.md#monitorport',
  });
  return {
    ...at,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  at: Pick<ListenOptions, 'monitor' | 'host'>,
): Promise<void> {
  // A body is of no interest, and must not keep the connection.
  request.resume();
  const { status, type, body } = await answer(request, at).catch((error: unknown) =>
    text(500, `${error instanceof Error ? error.message : error}\n`),
  );
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answer(
  request: IncomingMessage,
  { monitor, host }: Pick<ListenOptions, 'monitor' | 'host'>,
): Promise<Answer> {
  const name = hostName(request.headers.host ?? '');
  if (isLoopback(host) && !isLoopback(name) && name !== host.toLowerCase())
    return text(403, 'the Host header names another server\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET and HEAD\n');
  switch (request.url?.split('?')[0]) {
    case '/health/live': {
      const health = monitor.health();
      return json(health.live ? 200 : 503, health);
    }
    case '/health/ready': {
      const health = monitor.health();
      return json(health.status === 'ok' ? 200 : 503, health);
    }
    case '/metrics': {
      const format = formatFor(request.headers.accept);
      return { status: 200, type: CONTENT_TYPES[format], body: await monitor.metrics(format) };
    }
    default:
      return text(404, 'there are /health/live, /health/ready and /metrics\n');
  }
}

const text = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body,
});

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
const isoOfEach = (times: Readonly<Record<string, number | null>>) =>
  Object.fromEntries(Object.entries(times).map(([what, ms]) => [what, iso(ms)]));

/** Times as people and machines read them. */
function json(
  status: number,
  { reasons, reached, lag_ms, lastCommits_ms, ...health }: Health & Progressed,
): Answer {
  const body = {
    ...health,
    reasons: reasons.map(({ code, what, why, fix, since_ms, failures }) => ({
      ...{ code, what, why, fix, since: iso(since_ms), failures },
    })),
    reached: isoOfEach(reached),
    lag_ms: lag_ms === null ? null : Math.round(lag_ms),
    lastCommits: isoOfEach(lastCommits_ms),
  };
  return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}
