/** Our REST server over a lake in memory, and a client that says what it got. */
import { parseJson, silentLog, stringifyJson } from '../../src/base/base.ts';
import {
  type CatalogServerOptions,
  type NamespacedCatalog,
  openMemoryCatalog,
  serveCatalog,
} from '../../src/lake/lake.ts';
import { type ObjectStore, openMemoryStore } from '../../src/object-store/object-store.ts';
import { type MovedClock, movedClock, seeded } from './small-lake.ts';

/** Of any answer: a test reads what its own has. */
export interface Body {
  error?: { message: string; type: string; code: number };
  metadata: {
    location: string;
    'table-uuid': string;
    properties: Record<string, string>;
    schemas: readonly unknown[];
    'current-snapshot-id': number | bigint | null;
  };
  'metadata-location': string;
  namespaces: string[][];
  identifiers: readonly unknown[];
  endpoints: string[];
  'next-page-token': string | null;
}

export interface Answered {
  status: number;
  headers: Headers;
  body: Body;
  text: string;
}

export interface RestCatalog {
  uri: string;
  store: ObjectStore;
  catalog: NamespacedCatalog;
  clock: MovedClock;
  ask(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<Answered>;
  /** Makes `raw.events` of two columns, in its namespace. */
  createTable(more?: object): Promise<Answered>;
  /** Of every file in the store. */
  locations(): Promise<string[]>;
  close(): Promise<void>;
}

export const COLUMNS = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 1, name: 'id', type: 'long', required: true },
    { id: 2, name: 'kind', type: 'string', required: false },
  ],
};

export const EVENTS = '/v1/namespaces/raw/tables/events';

export async function restCatalog(options: Partial<CatalogServerOptions> = {}): Promise<RestCatalog> {
  const clock = movedClock(Date.UTC(2026, 0, 1));
  const store = options.store ?? openMemoryStore({ clock });
  const catalog = options.catalog ?? openMemoryCatalog();
  const server = await serveCatalog({
    ...{ store, catalog, clock, log: silentLog, random: seeded(3), port: 0 },
    ...options,
  });
  const ask: RestCatalog['ask'] = async (method, path, { body, headers = {} } = {}) => {
    const response = await fetch(`${server.uri}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : stringifyJson(body) }),
    });
    const text = await response.text();
    const json = text === '' ? {} : parseJson(text);
    return { status: response.status, headers: response.headers, body: json as unknown as Body, text };
  };
  return {
    uri: server.uri,
    store,
    catalog,
    clock,
    ask,
    async createTable(more = {}) {
      await ask('POST', '/v1/namespaces', { body: { namespace: ['raw'] } });
      return ask('POST', '/v1/namespaces/raw/tables', { body: { name: 'events', schema: COLUMNS, ...more } });
    },
    async locations() {
      const locations: string[] = [];
      for await (const { location } of store.list(store.root)) locations.push(location);
      return locations;
    },
    close: () => server.close(),
  };
}

export function appendOf(
  id: bigint,
  { parent, number = 1 }: { parent?: bigint; number?: number } = {},
): { requirements: object[]; updates: object[] } {
  return {
    requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': parent ?? null }],
    updates: [
      {
        action: 'add-snapshot',
        snapshot: {
          'snapshot-id': id,
          ...(parent !== undefined && { 'parent-snapshot-id': parent }),
          'sequence-number': number,
          'timestamp-ms': Date.UTC(2026, 0, 1),
          'manifest-list': `memory://lake/list-${id}.avro`,
          summary: { operation: 'append' },
        },
      },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id },
    ],
  };
}
