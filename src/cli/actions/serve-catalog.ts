import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Failure } from '../../base/base.ts';
import { type Catalog, type NamespacedCatalog, serveCatalog as serve } from '../../lake/lake.ts';
import type { ServeCatalogAction } from '../commands/serve-catalog.ts';
import { composeCatalog } from '../compose.ts';

export const serveCatalog: ServeCatalogAction = async (context) => {
  const { settings, out, clock, log, signal } = context;
  const { store, catalog, copies } = await composeCatalog(context);
  const token = settings['serve.token'];
  const warehouse = settings['serve.warehouse'];
  try {
    if (!isNamespaced(catalog)) throw notServed(settings['catalog.kind']);
    const server = await serve({
      ...{ store, catalog, clock, log, random: Math.random },
      host: settings['serve.host'],
      port: settings['serve.port'],
      ...(token !== undefined && { token }),
      ...(warehouse !== undefined && { warehouse }),
    });
    out.note(
      `catalog of ${settings.dir} at ${server.uri}${token === undefined ? '' : ', with a token'}; until Ctrl-C`,
    );
    if (!signal.aborted) await once(signal, 'abort');
    await server.close();
  } finally {
    await catalog.close();
    await rm(copies, { recursive: true, force: true });
  }
};

const isNamespaced = (catalog: Catalog): catalog is NamespacedCatalog => 'listNamespaces' in catalog;

const notServed = (kind: string) =>
  new Failure('this catalog cannot be served', {
    code: 'serve.no_namespaces',
    fault: 'user',
    why: `a catalog that is kept in the bucket or by another service (catalog.kind ${kind}) has no namespaces of ours to serve`,
    hint: 'let programs ask that service itself; or keep the catalog in SQLite: --catalog-kind sqlite',
    docs: 'docs/reference/rest-catalog.md',
  });
