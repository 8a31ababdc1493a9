import { createServer } from 'node:http';
import { listening } from '../../base/base.ts';
import { Exchanges } from './exchange.ts';
import { guardOf } from './guard.ts';
import type { CatalogServer, CatalogServerOptions } from './rest-server.ts';
import { ROUTES } from './routes.ts';
import { Service } from './service.ts';

/** A request that takes longer to arrive is cut off. */
const REQUEST_MS_MAX = 60_000;
const HEADERS_MS_MAX = 10_000;
/** Clients keep idle connections for about a minute. */
const IDLE_MS_MAX = 75_000;
const CONNECTIONS_MAX = 1_024;
const HEADER_BYTES_MAX = 64 * 1024;
/** How long a client may take to read an answer that was written before the close. */
const CLOSE_MS_MAX = 1_000;

export async function startServer(options: CatalogServerOptions): Promise<CatalogServer> {
  const { host = '127.0.0.1', token, log, clock } = options;
  const guard = guardOf({ host, token });
  const exchanges = new Exchanges({ service: new Service(options), routes: ROUTES, guard, log });
  const server = createServer(
    {
      keepAliveTimeout: IDLE_MS_MAX,
      headersTimeout: HEADERS_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: HEADERS_MS_MAX / 2,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    (request, response) => exchanges.take(request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  const at = await listening(server, {
    ...{ host, port: options.port, log, area: 'catalog_server', doing: 'cannot serve the catalog' },
    hint: 'choose another port with --serve-port; 0 takes any free one',
    docs: 'docs/reference/configuration.md#serveport',
  });
  return {
    ...at,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await exchanges.finish();
      // Answers are written; a connection is idle once its client has read them.
      const patience = new AbortController();
      const written = new Promise<void>((resolve) => setImmediate(resolve));
      await written;
      server.closeIdleConnections();
      await Promise.race([closed, clock.sleep(CLOSE_MS_MAX, patience.signal)]);
      patience.abort();
      server.closeAllConnections();
      await closed;
    },
  };
}
