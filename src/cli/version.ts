import { readFileSync } from 'node:fs';

/** package.json says it once; this file lies two folders below it, in the checkout and in the package. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
