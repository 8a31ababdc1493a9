/**
 * A catalog that a service keeps (Glue, S3 Tables, Polaris, Lakekeeper, Nessie, Unity, `lakeward serve catalog` …),
 * by Iceberg's REST protocol. Own client: of those on npm, one rounds snapshot ids to what a double holds (they are
 * random 63-bit numbers, and a requirement would then name a snapshot that does not exist).
 */
import type { Clock } from '../../../base/base.ts';
import type { ServiceCatalog } from '../catalog.ts';
import { openAuthorization, type RestAuth } from './authorization.ts';
import type { Fetch } from './exchange.ts';
import { listTables } from './listing.ts';
import { openRequests } from './requests.ts';
import { discoverRoutes, trimmed } from './routes.ts';
import type { TableStorage } from './storage.ts';
import { RestTables } from './tables.ts';

export type { RestAuth, TableStorage };

export interface RestCatalogOptions {
  /** The address, without `/v1`. */
  uri: string;
  /** Which of the service's catalogs: an account for Glue, a bucket's ARN for S3 Tables, a name elsewhere. */
  warehouse?: string;
  /** Where the service does not say it itself. */
  prefix?: string;
  auth: RestAuth;
  /** Sent with every request, such as a project's id. */
  headers?: Readonly<Record<string, string>>;
  /** New tables lie at `<root>/<namespace>/<table>` or where they are told to, as Glue demands; without it the service chooses. */
  root?: string;
  /** Asks for credentials to the tables' files; called with those of every table that is loaded or made. */
  onStorage?: (storage: TableStorage) => void;
  clock: Clock;
  random: () => number;
  fetch?: Fetch;
  /** For one request and its whole answer. */
  timeout_ms?: number;
  /** Of what may be repeated. */
  readAttempts?: number;
}

const DEFAULTS = { fetch: globalThis.fetch, timeout_ms: 60_000, readAttempts: 6 };

/** Asks the service for its configuration, so that a wrong address or token shows at once. */
export async function openRestCatalog(options: RestCatalogOptions): Promise<ServiceCatalog> {
  const all = { ...DEFAULTS, ...options };
  const { warehouse, prefix, headers = {}, onStorage } = all;
  const uri = trimmed(all.uri);
  const lends = { 'x-iceberg-access-delegation': 'vended-credentials' };
  const requests = openRequests({
    ...all,
    authorization: openAuthorization(all.auth, { ...all, uri }),
    headers: { ...(onStorage !== undefined && lends), ...headers },
  });
  const routes = await discoverRoutes(requests, { uri, warehouse, prefix });
  const tables = new RestTables({ ...all, requests, routes });
  return {
    loadTable: (name, known) => tables.load(name, known),
    list: () => listTables({ requests, routes }),
    createTable: (...args) => tables.create(...args),
    update: (name, update) => tables.update(name, update),
    async close() {},
  };
}
