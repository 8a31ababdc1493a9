import { type Clock, Failure } from '../../../base/base.ts';
import type { ExchangeOptions, HttpRequest } from './exchange.ts';
import { authorizeByOAuth2, type OAuth2Client } from './oauth2.ts';
import { type SigV4Signer, signBySigV4 } from './sigv4.ts';

/** How a catalog is told who asks. A token as a function is asked for at every request, and is expected to cache. */
export type RestAuth =
  | { kind: 'none' }
  | { kind: 'bearer'; token: string | (() => Promise<string>) }
  | ({ kind: 'oauth2' } & OAuth2Client)
  | ({ kind: 'sigv4' } & SigV4Signer);

export type Headers = Readonly<Record<string, string>>;

export interface Authorization {
  /** The request's headers, with what proves who sends it. A Failure of it says that nothing was sent. */
  authorize(request: HttpRequest): Promise<Headers>;
  /** These headers were refused. True when there is something newer to show. */
  renew?(refused: Headers): Promise<boolean>;
}

export interface AuthorizationPorts extends ExchangeOptions {
  clock: Clock;
  random: () => number;
  /** Of the catalog, without `/v1`. */
  uri: string;
}

export function openAuthorization(auth: RestAuth, ports: AuthorizationPorts): Authorization {
  switch (auth.kind) {
    case 'none':
      return { authorize: async ({ headers }) => headers };
    case 'bearer':
      return authorizeByToken(auth.token);
    case 'oauth2':
      return authorizeByOAuth2(auth, ports);
    case 'sigv4':
      return signBySigV4(auth, ports.clock);
  }
}

function authorizeByToken(token: string | (() => Promise<string>)): Authorization {
  return {
    async authorize({ headers }) {
      const value = typeof token === 'string' ? token : await token().catch(noToken);
      return { ...headers, authorization: `Bearer ${value}` };
    },
  };
}

function noToken(cause: unknown): never {
  throw new Failure('no token for the catalog', {
    code: 'catalog.no_credentials',
    fault: 'user',
    why: cause instanceof Error ? cause.message : String(cause),
    cause,
  });
}
