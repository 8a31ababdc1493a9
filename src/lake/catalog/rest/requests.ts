/**
 * Requests to the catalog, of two kinds. What may be done twice is repeated while the service is not well. What
 * commits is sent once, by us and by the transport, even when only its token had expired: the caller looks at the
 * table again before it sends another.
 */
import { type Clock, type JsonValue, parseJson, retrying, stringifyJson } from '../../../base/base.ts';
import type { Authorization, Headers } from './authorization.ts';
import { type ExchangeOptions, exchange, type HttpAnswer, type HttpRequest } from './exchange.ts';
import {
  badAnswer,
  isDefinite,
  neverSent,
  outdated,
  refusal,
  unknownOutcome,
  unreachable,
} from './failures.ts';

export interface RestRequest {
  /** What a failure says could not be done: `load the table raw.events`. */
  attempt: string;
  method: HttpRequest['method'];
  url: string;
  headers?: Headers;
  body?: unknown;
  /** Statuses beside success that are an answer, not a failure. */
  expected?: readonly number[];
}

export interface RestAnswer {
  status: number;
  etag: string | undefined;
  /** The fields of the object that came; none when nothing did. */
  fields: Fields;
}

export type Fields = Readonly<{ [key: string]: JsonValue | undefined }>;

export interface RestRequests {
  repeat(request: RestRequest): Promise<RestAnswer>;
  /** Throws Failure `catalog.unknown` when it may have been done; any other Failure says that it was not. */
  once(request: RestRequest): Promise<RestAnswer>;
}

export interface RequestPorts extends ExchangeOptions {
  authorization: Authorization;
  headers: Headers;
  clock: Clock;
  random: () => number;
  readAttempts: number;
}

const PAUSES = { first_ms: 100, most_ms: 5_000 };
const TOKEN_REFUSED = [401, 419];

export function openRequests(ports: RequestPorts): RestRequests {
  const { authorization, clock, random, readAttempts } = ports;

  return {
    repeat: (request) =>
      retrying({ attempts: readAttempts, ...PAUSES, clock, random }, async () => {
        for (let renewed = false; ; renewed = true) {
          const { http, headers } = await authorized(ports, request);
          const answer = await exchange(ports, { ...http, headers }).catch((error: unknown) => {
            throw unreachable(request.attempt, error);
          });
          if (isAnswer(request, answer)) return parsed(request, answer);
          if (renewed || !(await renews(authorization, { answer, headers })))
            throw refusal(request.attempt, told(answer));
        }
      }),

    async once(request) {
      const { attempt } = request;
      const { http, headers } = await authorized(ports, request);
      const answer = await exchange(ports, { ...http, headers }).catch((error: unknown) => {
        throw neverSent(error) ? unreachable(attempt, error) : unknownOutcome(attempt, error);
      });
      if (isAnswer(request, answer)) return surely(attempt, () => parsed(request, answer));
      const failure = refusal(attempt, told(answer));
      if (!isDefinite(answer.status)) throw unknownOutcome(attempt, failure);
      throw (await renews(authorization, { answer, headers })) ? outdated(attempt) : failure;
    },
  };
}

/** What follows a success: an answer that cannot be used leaves no doubt that something was done. */
export function surely<T>(attempt: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw unknownOutcome(attempt, error);
  }
}

async function authorized(ports: RequestPorts, request: RestRequest) {
  const { method, url, body } = request;
  const http: HttpRequest = {
    method,
    url,
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...ports.headers,
      ...request.headers,
    },
    body: body === undefined ? undefined : stringifyJson(body),
  };
  return { http, headers: await ports.authorization.authorize(http) };
}

async function renews(
  authorization: Authorization,
  { answer, headers }: { answer: HttpAnswer; headers: Headers },
): Promise<boolean> {
  return TOKEN_REFUSED.includes(answer.status) && (await authorization.renew?.(headers)) === true;
}

function isAnswer({ expected = [] }: RestRequest, { status }: HttpAnswer): boolean {
  return (status >= 200 && status < 300) || expected.includes(status);
}

/** The body of an expected refusal is not needed, and may be a proxy's page. */
function parsed({ attempt }: RestRequest, { status, etag, body }: HttpAnswer): RestAnswer {
  if (status >= 300 || body === '') return { status, etag, fields: {} };
  let json: JsonValue;
  try {
    json = parseJson(body);
  } catch (cause) {
    throw badAnswer(attempt, { why: `it is no JSON: ${body.slice(0, 100)}`, cause });
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    throw badAnswer(attempt, { why: 'it is no object' });
  return { status, etag, fields: json };
}

/** The reason that a refusal gives: in Iceberg's shape, or in the one of AWS’s gateways. */
function told({ status, body }: HttpAnswer): { status: number; message: string } {
  try {
    const { error, message, Message } = parseJson(body) as Record<string, unknown>;
    const iceberg = error as { type?: string; message?: string } | undefined;
    const parts = typeof error === 'object' ? [iceberg?.type, iceberg?.message] : [error];
    const said = [...parts, message, Message].filter((part) => typeof part === 'string' && part !== '');
    return { status, message: said.join(' ').slice(0, 500) };
  } catch {
    return { status, message: body.slice(0, 200) };
  }
}
