/** The way to a REST catalog, on which commits and their answers get lost. */
import { errorOf, networkError } from './fake-rest.ts';
import type { SwapFault } from './faulty-catalog.ts';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Faults of the next commits, first to last; everything else goes through. */
export function faultyFetch(fetch: Fetch, faults: SwapFault[]): Fetch {
  let late: (() => Promise<Response>) | undefined;
  return async (url, init) => {
    const send = () => fetch(url, init);
    if (init.method !== 'POST' || !/\/tables\/[^/]+$/.test(url)) return send();
    await late?.();
    late = undefined;
    switch (faults.shift() ?? 'ok') {
      case 'ok':
        return send();
      case 'answer-lost':
        await send();
        throw networkError('ECONNRESET');
      case 'request-lost':
        return errorOf(503, 'SlowDownException');
      case 'late': {
        // The one who gave up waiting has aborted nothing that a server would notice.
        const { signal: _, ...unbound } = init;
        late = () => fetch(url, unbound);
        return errorOf(504, 'GatewayTimeout');
      }
      case 'sent-twice':
        await send();
        return send();
      case 'turned-away':
        return errorOf(429, 'TooManyRequestsException');
    }
  };
}
