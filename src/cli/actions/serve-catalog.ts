import { once } from 'node:events';
import { Failure } from '../../base/base.ts';
import { isServable, startCatalogServer } from '../catalog-server.ts';
import { closing } from '../closing.ts';
import type { ServeCatalogAction } from '../commands/serve-catalog.ts';
import { composeCatalog } from '../compose.ts';
import { ensureNamed } from '../lake-parts.ts';

export const serveCatalog: ServeCatalogAction = async (context) => {
  const { settings, out, signal } = context;
  await using parts = await composeCatalog(context, 'serves');
  const { store, catalog } = parts;
  if (!isServable(catalog)) throw notServed();
  const port = settings['serve.port'];
  await using server = closing(await startCatalogServer(context, { store, catalog, port }));
  const where = settings['store.url'] ?? settings.dir;
  const token = settings['serve.token'] === undefined ? '' : ', with a token';
  out.note(`catalog of ${where} at ${server.uri}${token}; until Ctrl-C`);
  // Advice: whatever else is wrong, programs are told when they ask.
  await ensureNamed(catalog, store).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'lake.no_catalog')
      out.note(`register the tables before anything writes here: ${error.why} (${error.docs})`);
  });
  if (!signal.aborted) await once(signal, 'abort');
};

const notServed = () =>
  new Failure('this catalog cannot be served', {
    code: 'serve.served_already',
    fault: 'user',
    why: 'it is kept by another service (catalog.kind rest), which speaks the same protocol',
    hint: 'let programs ask that service itself, at catalog.uri',
    docs: 'docs/reference/rest-catalog.md',
  });
