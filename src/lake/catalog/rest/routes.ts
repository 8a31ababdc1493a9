/**
 * Where a catalog's things are, as its own configuration says: defaults below what we are told, overrides above. A
 * prefix goes into addresses as it is, for it may have several parts (`catalogs/123456789012`); names are encoded.
 */
import type { JsonValue } from '../../../base/base.ts';
import { splitName } from '../../table/locations.ts';
import { badAnswer } from './failures.ts';
import type { Fields, RestRequests } from './requests.ts';

export interface Routes {
  namespaces(query?: Readonly<Record<string, string>>): string;
  namespace(levels: readonly string[]): string;
  tables(levels: readonly string[], query?: Readonly<Record<string, string>>): string;
  table(name: string): string;
  /** Levels of a namespace as one value of a query. */
  joined(levels: readonly string[]): string;
  /** The service keeps keys for a while and does nothing for one that it has seen. */
  takesIdempotencyKeys: boolean;
}

export interface Service {
  uri: string;
  warehouse: string | undefined;
  prefix: string | undefined;
}

export async function discoverRoutes(requests: RestRequests, service: Service): Promise<Routes> {
  const { uri, warehouse } = service;
  const attempt = 'read the configuration of the catalog';
  const query = warehouse === undefined ? {} : { warehouse };
  const { fields } = await requests.repeat({
    attempt,
    method: 'GET',
    url: withQuery(`${uri}/v1/config`, query),
  });
  if (fields['defaults'] === undefined && fields['overrides'] === undefined)
    throw badAnswer(attempt, { why: 'it has neither defaults nor overrides' });
  return routesOf(service, fields);
}

function routesOf(service: Service, config: Fields): Routes {
  const merged: Record<string, string> = {
    ...stringsOf(config['defaults']),
    ...(service.prefix !== undefined && { prefix: service.prefix }),
    ...stringsOf(config['overrides']),
  };
  const { uri = service.uri, prefix = '' } = merged;
  const separator = decodeURIComponent(merged['namespace-separator'] ?? '%1F');
  const base = [trimmed(uri), 'v1', ...(prefix === '' ? [] : [prefix])].join('/');
  const joined = (levels: readonly string[]) => levels.join(separator);
  const namespace = (levels: readonly string[]) => `${base}/namespaces/${encodeURIComponent(joined(levels))}`;
  return {
    joined,
    namespace,
    namespaces: (query = {}) => withQuery(`${base}/namespaces`, query),
    tables: (levels, query = {}) => withQuery(`${namespace(levels)}/tables`, query),
    table: (name) => {
      const { levels, table } = partsOf(name);
      return `${namespace(levels)}/tables/${encodeURIComponent(table)}`;
    },
    takesIdempotencyKeys: typeof config['idempotency-key-lifetime'] === 'string',
  };
}

export function partsOf(name: string): { levels: string[]; table: string } {
  const { namespace, table } = splitName(name);
  return { levels: namespace.split('.'), table };
}

export const trimmed = (uri: string): string => uri.replace(/\/+$/, '');

/** What a service sends beside strings is none of its options. */
export function stringsOf(value: JsonValue | undefined): Record<string, string> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** A blank as `%20`: a plus sign is one only in forms, and signatures are made over the other. */
function withQuery(url: string, query: Readonly<Record<string, string>>): string {
  const parts = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return parts.length === 0 ? url : `${url}?${parts.join('&')}`;
}
