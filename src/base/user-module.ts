/**
 * Modules that users write: a config file, transforms. They say `import { … } from 'lakeward'` wherever they lie, also
 * where nothing is installed; and they are modules also where no package.json says so (Node would warn on stderr).
 */
import { registerHooks } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The public entry, whichever form of it runs: the source or what was compiled from it. */
const ENTRY = new URL(`../lakeward${extname(import.meta.url)}`, import.meta.url).href;

export async function importUserModule(path: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(path).href;
  const folder = new URL('.', url).href;
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'lakeward' ? { url: ENTRY, shortCircuit: true } : next(specifier, context),
    load: (loading, context, next) =>
      context.format == null && loading.startsWith(folder) && !loading.includes('/node_modules/')
        ? next(loading, { ...context, format: loading.endsWith('.ts') ? 'module-typescript' : 'module' })
        : next(loading, context),
  });
  try {
    return (await import(url)) as Record<string, unknown>;
  } finally {
    hooks.deregister();
  }
}

/** Why a module was not imported, in a line. Of a mistake in TypeScript the place stands at the top of the stack only. */
export function importProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message.split('\n')[0]!;
  const place = /^(?:file:\/\/)?[^\n]*?([^/\n]+\.[cm]?[jt]s):(\d+)\n/.exec(error.stack ?? '');
  return place === null ? message : `${message} (${place[1]}, line ${place[2]})`;
}
