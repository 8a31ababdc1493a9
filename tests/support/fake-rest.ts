/**
 * An Iceberg REST catalog in this process, behind a `fetch` of its own: what a client's requests were is kept, and
 * what happens to them can be told beforehand.
 */
import { parseJson, stringifyJson } from '../../src/base/base.ts';
import {
  type CommitBody,
  commitTo,
  type FakeTable,
  type MakingBody,
  makeTable,
  Refused,
} from './fake-rest-tables.ts';

export interface SeenRequest {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: string;
}

export type Intercept = (request: SeenRequest) => Response | number | Error | undefined;

export interface FakeRestOptions {
  uri?: string;
  config?: object;
  prefix?: string;
  firstId?: number;
  etags?: boolean;
  pageSize?: number;
  /** Namespaces have one level, and a parent is a bad request. */
  flat?: boolean;
  /** Beside the metadata in what a load gives. */
  storage?: object;
  /** A status when the request is not let in. */
  guard?: (request: SeenRequest) => number | undefined;
  /** As `intercept` of the fake, from the first request on. */
  intercept?: Intercept;
}

export interface FakeRest {
  readonly uri: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  handle(request: SeenRequest): Promise<Response>;
  readonly requests: SeenRequest[];
  readonly tables: Map<string, FakeTable>;
  /** Answers in place of the service: a status, a response, or an error of the network. */
  intercept: Intercept | undefined;
}

export const answerOf = (status: number, body?: unknown, headers: Record<string, string> = {}): Response =>
  new Response(body === undefined ? null : stringifyJson(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });

export const errorOf = (status: number, type = 'SomeException'): Response =>
  answerOf(status, { error: { message: `the fake says ${status}`, type, code: status } });

/** As `fetch` fails. */
export const networkError = (code: string): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(`socket: ${code}`), { code }) });

export function fakeRest(options: FakeRestOptions = {}): FakeRest {
  const { uri = 'http://catalog.test', prefix = '' } = options;
  const base = `/v1${prefix === '' ? '' : `/${prefix}`}`;
  const namespaces = new Set<string>();
  const tables = new Map<string, FakeTable>();
  const service: Service = { options, namespaces, tables };

  const route = async (request: SeenRequest): Promise<Response> => {
    const { pathname } = request.url;
    if (pathname === '/v1/config')
      return answerOf(200, { defaults: {}, overrides: prefix === '' ? {} : { prefix }, ...options.config });
    if (!pathname.startsWith(`${base}/`)) return errorOf(404, 'NotFoundException');
    const parts = pathname
      .slice(base.length + 1)
      .split('/')
      .map(decodeURIComponent);
    return routed(service, request, parts);
  };

  const fake: FakeRest = {
    uri,
    requests: [],
    tables,
    intercept: options.intercept,
    async fetch(url, { method = 'GET', headers, body }) {
      const plain = Object.fromEntries(new Headers(headers));
      return fake.handle({ method, url: new URL(url), headers: plain, body: String(body ?? '') });
    },
    async handle(request) {
      fake.requests.push(request);
      const instead = fake.intercept?.(request) ?? options.guard?.(request);
      if (instead instanceof Error) throw instead;
      if (instead !== undefined) return typeof instead === 'number' ? errorOf(instead) : instead;
      try {
        return await route(request);
      } catch (error) {
        if (error instanceof Refused) return errorOf(error.status, error.type);
        throw error;
      }
    },
  };
  return fake;
}

interface Service {
  options: FakeRestOptions;
  namespaces: Set<string>;
  tables: Map<string, FakeTable>;
}

async function routed(service: Service, request: SeenRequest, parts: string[]): Promise<Response> {
  const { namespaces, tables } = service;
  const [, encoded = '', , table = ''] = parts;
  const namespace = encoded.replaceAll('\x1f', '.');
  const name = `${namespace}.${table}`;
  const body = () => parseJson(request.body) as unknown;
  switch (`${request.method} ${parts.length}`) {
    case 'GET 1':
      return answerOf(200, childrenOf(service, request.url.searchParams));
    case 'POST 1': {
      const { namespace: levels } = body() as { namespace: string[] };
      if (namespaces.has(levels.join('.'))) return errorOf(409, 'AlreadyExistsException');
      namespaces.add(levels.join('.'));
      return answerOf(200, { namespace: levels, properties: {} });
    }
    case 'GET 2':
      if (!namespaces.has(namespace)) return errorOf(404, 'NoSuchNamespaceException');
      return answerOf(200, { namespace: namespace.split('.') });
    case 'GET 3':
      return answerOf(200, tablesIn(service, namespace, request.url.searchParams));
    case 'POST 3':
      return make(service, namespace, body() as MakingBody);
    case 'GET 4':
      if (request.headers['if-none-match'] === etagOf(tables.get(name))) return answerOf(304);
      return loadedTable(service, name);
    case 'POST 4':
      return commit(service, name, body() as CommitBody);
    case 'DELETE 4':
      return tables.delete(name) ? answerOf(204) : errorOf(404, 'NoSuchTableException');
    default:
      return errorOf(404, 'NotFoundException');
  }
}

function make(service: Service, namespace: string, body: MakingBody): Response {
  const { namespaces, tables, options } = service;
  if (!namespaces.has(namespace)) return errorOf(404, 'NoSuchNamespaceException');
  const name = `${namespace}.${body.name}`;
  if (tables.has(name)) return errorOf(409, 'AlreadyExistsException');
  const location = body.location ?? `memory://lake/${name.replaceAll('.', '/')}`;
  tables.set(name, makeTable(body, { location, firstId: options.firstId ?? 1 }));
  return loadedTable(service, name);
}

function tablesIn(service: Service, namespace: string, query: URLSearchParams): object {
  const all = [...service.tables.keys()]
    .map((name) => ({ levels: name.split('.').slice(0, -1), name: name.split('.').at(-1) }))
    .filter(({ levels }) => levels.join('.') === namespace)
    .map(({ levels, name }) => ({ namespace: levels, name }));
  return paged(service, query, { key: 'identifiers', all });
}

function commit({ tables }: Service, name: string, body: CommitBody): Response {
  const table = tables.get(name);
  if (table === undefined) throw new Refused(404, 'NoSuchTableException');
  const next = commitTo(table, body);
  tables.set(name, next);
  return answerOf(200, { 'metadata-location': next.metadataLocation, metadata: next.metadata });
}

function loadedTable({ options, tables }: Service, name: string): Response {
  const table = tables.get(name);
  if (table === undefined) return errorOf(404, 'NoSuchTableException');
  const { metadataLocation, metadata } = table;
  const answer = { 'metadata-location': metadataLocation, metadata, ...options.storage };
  return answerOf(200, answer, options.etags ? { etag: etagOf(table)! } : {});
}

const etagOf = (table: FakeTable | undefined): string | undefined => table && `W/"${table.metadataLocation}"`;

function childrenOf(service: Service, query: URLSearchParams): object {
  const parent = query.get('parent');
  if (parent !== null && service.options.flat) throw new Refused(400, 'BadRequestException');
  const levels = parent === null ? [] : parent.split('\x1f');
  const all = [...service.namespaces]
    .map((each) => each.split('.'))
    .filter((each) => each.length === levels.length + 1 && levels.every((level, at) => each[at] === level));
  return paged(service, query, { key: 'namespaces', all });
}

function paged(
  { options }: Service,
  query: URLSearchParams,
  { key, all }: { key: string; all: unknown[] },
): object {
  const { pageSize = Number.MAX_SAFE_INTEGER } = options;
  const from = Number(query.get('pageToken') ?? 0);
  const next = from + pageSize;
  return { [key]: all.slice(from, next), 'next-page-token': next < all.length ? String(next) : null };
}
