/** All tables of a catalog: namespace by namespace, page by page, those inside of others too. */
import { Failure, type JsonValue } from '../../../base/base.ts';
import type { Fields, RestRequests } from './requests.ts';
import type { Routes } from './routes.ts';

type Ports = { requests: RestRequests; routes: Routes };
type Query = Readonly<Record<string, string>>;

/** Of one listing: far more than a lake has, and an end when a service's pages have none. */
const REQUESTS_MOST = 10_000;
/** What services say that know no namespaces inside of others. */
const NOT_NESTED = [400, 404, 406];

export async function listTables({ requests, routes }: Ports): Promise<string[]> {
  let left = REQUESTS_MOST;
  const pages = async (
    attempt: string,
    { url, key, expected = [] }: { url: (query: Query) => string; key: string; expected?: readonly number[] },
  ): Promise<JsonValue[]> => {
    const found: JsonValue[] = [];
    for (let page: string | undefined = ''; page !== undefined; ) {
      if (left-- === 0) throw endless();
      const query: Query = page === '' ? {} : { pageToken: page };
      const { fields } = await requests.repeat({ attempt, method: 'GET', url: url(query), expected });
      found.push(...arrayIn(fields, key));
      const next = fields['next-page-token'];
      page = typeof next === 'string' && next !== '' ? next : undefined;
    }
    return found;
  };

  const names: string[] = [];
  const visit = async (levels: readonly string[]): Promise<void> => {
    const isTop = levels.length === 0;
    const inside = await pages('list the namespaces of the catalog', {
      url: (query) => routes.namespaces(isTop ? query : { parent: routes.joined(levels), ...query }),
      key: 'namespaces',
      expected: isTop ? [] : NOT_NESTED,
    });
    for (const namespace of inside) {
      // A service that ignores the parent gives the same ones again.
      if (!isLevels(namespace) || namespace.length <= levels.length) continue;
      const tables = await pages(`list the tables of ${namespace.join('.')}`, {
        url: (query) => routes.tables(namespace, query),
        key: 'identifiers',
        // It was dropped meanwhile.
        expected: [404],
      });
      names.push(...tables.flatMap((table) => nameOf(namespace, table)));
      await visit(namespace);
    }
  };
  await visit([]);
  return names.sort();
}

function nameOf(namespace: readonly string[], identifier: JsonValue): string[] {
  const table = (identifier as { name?: unknown } | null)?.name;
  return typeof table === 'string' ? [[...namespace, table].join('.')] : [];
}

const isLevels = (value: JsonValue): value is string[] =>
  Array.isArray(value) && value.every((level) => typeof level === 'string');

function arrayIn(fields: Fields, key: string): JsonValue[] {
  const value = fields[key];
  return Array.isArray(value) ? value : [];
}

function endless(): Failure {
  return new Failure('cannot list the tables of the catalog', {
    code: 'catalog.too_many',
    fault: 'service',
    why: `there is no end after ${REQUESTS_MOST} requests`,
  });
}
