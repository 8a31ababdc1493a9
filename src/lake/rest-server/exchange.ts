/** One request and its answer over HTTP. What is read of a body is bounded, of one and of all together. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure, type JsonValue, type Log, parseJson, stringifyJson } from '../../base/base.ts';
import type { Guard } from './guard.ts';
import { Members } from './read-json.ts';
import { badRequest, RestError, restErrorOf } from './rest-error.ts';
import { type Answer, findRoute, type Route } from './route.ts';
import type { Service } from './service.ts';

/** A commit carries a snapshot's summary and properties, not data: the largest of ours is below 1 MB. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;
const BODIES_BYTES_MAX = 128 * 1024 * 1024;

export interface ExchangeOptions {
  service: Service;
  routes: readonly Route[];
  guard: Guard;
  log: Log;
}

export class Exchanges {
  readonly #options: ExchangeOptions;
  readonly #underWay = new Set<Promise<void>>();
  #bodies_bytes = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const exchange = this.#exchange(request, response).catch((error: unknown) =>
      this.#options.log.debug('catalog_server.answer_unsent', 'a client left before its answer', {
        why: String(error),
      }),
    );
    this.#underWay.add(exchange);
    exchange.finally(() => this.#underWay.delete(exchange));
  }

  /** Those that are under way now. */
  async finish(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    let held_bytes = 0;
    const hold = (bytes: number): void => {
      this.#bodies_bytes += bytes;
      held_bytes += bytes;
      if (this.#bodies_bytes > BODIES_BYTES_MAX) throw tooBusy();
    };
    try {
      send(request, response, await this.#answer(request, hold));
    } finally {
      this.#bodies_bytes -= held_bytes;
    }
  }

  async #answer(request: IncomingMessage, hold: (bytes: number) => void): Promise<Answer> {
    const { service, routes, guard } = this.#options;
    const header = (name: string): string | undefined => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    };
    try {
      const refused = guard(header);
      if (refused !== undefined) throw refused;
      const { method = '', url = '' } = request;
      const [path = '', query = ''] = url.split('?', 2);
      const found = findRoute(routes, { method, path });
      if (found === undefined)
        throw new RestError(404, 'NotFoundException', `No such endpoint: ${method} ${path}`);
      const text = await bodyOf(request, hold);
      return await found.route.answer(service, {
        header,
        query: new URLSearchParams(query),
        path: (name) => found.path.get(name) ?? '',
        body: () => new Members(jsonOf(text), 'request'),
      });
    } catch (error) {
      return this.#refusal(request, error);
    }
  }

  #refusal({ method, url }: IncomingMessage, error: unknown): Answer {
    const known = error instanceof Failure ? restErrorOf(error) : error;
    const told = known instanceof RestError ? known : internalError(error);
    if (told.status >= 500) {
      const why = error instanceof Failure ? `${error.message}: ${error.why ?? ''}` : String(error);
      this.#options.log.error('catalog_server.failed', 'a request could not be answered', {
        request: `${method} ${url}`,
        why,
      });
    }
    return {
      status: told.status,
      body: { error: { message: told.message, type: told.type, code: told.status } },
      ...(told.status === 401 && { headers: { 'www-authenticate': 'Bearer' } }),
      ...(told.status === 503 && { headers: { 'retry-after': '1' } }),
    };
  }
}

/** Of our own troubles a client learns what it can act on. */
function internalError(error: unknown): RestError {
  const message = error instanceof Failure ? error.message : 'The server failed; its log says how';
  return new RestError(500, 'InternalServerError', message);
}

async function bodyOf(request: IncomingMessage, hold: (bytes: number) => void): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX)
      throw new RestError(413, 'BadRequestException', `A request has at most ${BODY_BYTES_MAX} bytes`);
    hold(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch {
    throw badRequest('The body is no JSON');
  }
}

const tooBusy = () => new RestError(503, 'ServiceUnavailableException', 'Too many large requests at once');

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.destroyed || response.writableEnded) return;
  // What was not read of the request would be taken for the next one.
  if (!request.complete) response.setHeader('connection', 'close');
  const bytes = body === undefined ? undefined : Buffer.from(stringifyJson(body));
  response.writeHead(status, {
    ...headers,
    ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
