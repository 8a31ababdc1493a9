/** The lake's catalog for other programs, as `serve catalog` and `dev` serve it. */
import { type Catalog, type CatalogServer, type NamespacedCatalog, serveCatalog } from '../lake/lake.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { Surroundings } from './compose.ts';
import { isAnotherPort, onFreePort } from './free-port.ts';
import { fileAccessOf } from './lake-parts.ts';

export interface Served {
  store: ObjectStore;
  catalog: NamespacedCatalog;
}

/** A service that keeps the catalog itself is asked by other programs as it is. */
export const isServable = (catalog: Catalog): catalog is NamespacedCatalog => 'listNamespaces' in catalog;

export function startCatalogServer(
  { settings, clock, log }: Surroundings,
  served: Served & { port: number },
): Promise<CatalogServer> {
  const token = settings['serve.token'];
  const warehouse = settings['serve.warehouse'];
  const fileAccess = fileAccessOf(settings);
  return serveCatalog({
    ...{ ...served, clock, log, random: Math.random, host: settings['serve.host'] },
    ...(token !== undefined && { token }),
    ...(warehouse !== undefined && { warehouse }),
    ...(fileAccess !== undefined && { fileAccess }),
  });
}

/** A taken port is named, and the next free one used. */
export async function catalogServerOnFreePort(around: Surroundings, served: Served): Promise<CatalogServer> {
  const wanted = around.settings['serve.port'];
  const server = await onFreePort(wanted, (port) => startCatalogServer(around, { ...served, port }));
  if (isAnotherPort(wanted, server.port))
    around.log.warn('dev.catalog_port_taken', `port ${wanted} is taken; the catalog is on ${server.port}`);
  return server;
}
