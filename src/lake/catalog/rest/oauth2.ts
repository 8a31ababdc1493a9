/**
 * OAuth2 client credentials. One token serves all requests; it is fetched anew a little before it expires, or when
 * it is refused, and whoever needs it meanwhile waits for the same fetch.
 */
import { type Failure, type JsonValue, parseJson, retrying } from '../../../base/base.ts';
import type { Authorization, AuthorizationPorts } from './authorization.ts';
import { exchange, type HttpAnswer } from './exchange.ts';
import { badAnswer, refusal, unreachable } from './failures.ts';

export interface OAuth2Client {
  clientId: string;
  clientSecret: string;
  /** Default: `catalog`, as Iceberg's own client has it. */
  scope?: string;
  /** Where tokens are fetched; default: `/v1/oauth/tokens` of the catalog. */
  serverUri?: string;
  /** Further fields of the request, such as `audience` or `resource`. */
  parameters?: Readonly<Record<string, string>>;
}

interface Token {
  value: string;
  /** When it is no longer used; it is valid a little longer. */
  until_ms: number;
}

/** Of a token's life, the end that is not used: a minute, less for one that is short-lived. */
const RESERVE_MS = 60_000;
const ATTEMPTS = 4;
const PAUSES = { first_ms: 200, most_ms: 5_000 };
const ATTEMPT = 'get a token for the catalog';

export function authorizeByOAuth2(client: OAuth2Client, ports: AuthorizationPorts): Authorization {
  let token: Token | undefined;
  let fetching: Promise<Token> | undefined;

  const fetchToken = (): Promise<Token> => {
    fetching ??= retrying({ attempts: ATTEMPTS, ...PAUSES, ...ports }, () => requestToken(client, ports))
      .then((fetched) => {
        token = fetched;
        return fetched;
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };

  return {
    async authorize({ headers }) {
      const { value } =
        token !== undefined && ports.clock.now() < token.until_ms ? token : await fetchToken();
      return { ...headers, authorization: `Bearer ${value}` };
    },
    async renew({ authorization }) {
      // Another request may have had it renewed since this one was sent.
      if (token !== undefined && authorization === `Bearer ${token.value}`) {
        token = undefined;
        await fetchToken();
      }
      return true;
    },
  };
}

async function requestToken(client: OAuth2Client, ports: AuthorizationPorts): Promise<Token> {
  const { clientId, clientSecret, scope = 'catalog', parameters = {} } = client;
  const asked_ms = ports.clock.now();
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope,
    ...parameters,
  });
  const answer = await exchange(ports, {
    method: 'POST',
    url: client.serverUri ?? `${ports.uri}/v1/oauth/tokens`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: form.toString(),
  }).catch((error: unknown) => {
    throw unreachable(ATTEMPT, error);
  });
  const { access_token: value, expires_in: life_s } = fieldsOf(answer);
  if (answer.status >= 300) throw refused(answer);
  if (typeof value !== 'string' || value === '') throw badAnswer(ATTEMPT, { why: 'it has no access_token' });
  // Without a lifetime it is used until it is refused.
  const life_ms = typeof life_s === 'number' ? life_s * 1_000 : Number.POSITIVE_INFINITY;
  return { value, until_ms: asked_ms + Math.max(life_ms - RESERVE_MS, life_ms / 2) };
}

/** OAuth servers say 400 for a wrong id or secret, which is the user's to mend. */
function refused(answer: HttpAnswer): Failure {
  const { error, error_description: description } = fieldsOf(answer);
  const message = [error, description].filter((part) => typeof part === 'string').join(': ');
  const { status } = answer;
  return refusal(ATTEMPT, { status, message, meaning: status === 400 ? 401 : status });
}

/** No other part of an answer may show up in a message: it holds a secret. */
function fieldsOf({ body }: HttpAnswer): { [key: string]: JsonValue | undefined } {
  try {
    const json = parseJson(body);
    return json !== null && typeof json === 'object' && !Array.isArray(json) ? json : {};
  } catch {
    return {};
  }
}
