import type { AddressInfo, Server } from 'node:net';
import { Failure } from './failure.ts';
import type { Log } from './log.ts';

export interface ListeningOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  log: Log;
  /** What cannot be done where it cannot listen, as in `cannot serve the catalog`. */
  doing: string;
  /** Failures are `<area>.port_taken` and `<area>.cannot_listen`. */
  area: string;
  hint: string;
  /** Where to read on. */
  docs: string;
}

export interface Listening {
  port: number;
  /** `http://host:port`, where this machine reaches it: “every address” is none that a client can ask. */
  uri: string;
}

/**
 * Resolves once the server listens. What goes wrong with it from then on, as with a connection for which there is no
 * file handle left, is said, and it goes on: unheard, it would end the process.
 */
export async function listening(server: Server, options: ListeningOptions): Promise<Listening> {
  const { host, log } = options;
  const bound = Promise.withResolvers<void>();
  const cannot = (error: Error) => bound.reject(cannotListen(options, error));
  server.once('error', cannot);
  server.listen({ host, port: options.port }, bound.resolve);
  await bound.promise;
  const { port } = server.address() as AddressInfo;
  const uri = `http://${reachable(host)}:${port}`;
  server.on('error', ({ message: why }) =>
    log.warn('server.trouble', 'a server could not take a connection', { uri, why }),
  );
  server.off('error', cannot);
  return { port, uri };
}

function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function cannotListen(
  { host, port, doing, area, hint, docs }: ListeningOptions,
  error: NodeJS.ErrnoException,
): Failure {
  const taken = error.code === 'EADDRINUSE';
  return new Failure(`${doing} on ${host}:${port}`, {
    code: `${area}.${taken ? 'port_taken' : 'cannot_listen'}`,
    fault: 'user',
    why: taken ? 'another program listens there' : error.message,
    hint,
    docs,
    cause: error,
  });
}
