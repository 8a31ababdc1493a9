import { once } from 'node:events';
import { serveCatalog as serve } from '../../lake/lake.ts';
import type { ServeCatalogAction } from '../commands/serve-catalog.ts';
import { composeCatalog } from '../compose.ts';

export const serveCatalog: ServeCatalogAction = async (context) => {
  const { settings, out, clock, log, signal } = context;
  const { store, catalog } = await composeCatalog(context);
  const token = settings['serve.token'];
  const warehouse = settings['serve.warehouse'];
  try {
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
  }
};
