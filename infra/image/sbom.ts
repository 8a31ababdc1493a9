/**
 * What the image holds beside Node: the installed production dependencies as a CycloneDX document, made by `npm sbom`.
 * npm is given a lock file of these alone: with --omit=dev it left out every package that a development package needs
 * too (two thirds), and without the development packages it refuses. Usage: node infra/image/sbom.ts FILE
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

interface Lock {
  packages: Record<string, { dev?: boolean; devDependencies?: unknown }>;
}

const PROJECT = join(import.meta.dirname, '../..');

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node infra/image/sbom.ts FILE');
const folder = mkdtempSync(join(tmpdir(), 'sbom-'));
try {
  const lock = productionLock(readJson<Lock>('package-lock.json'));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
  const manifest = { ...readJson<object>('package.json'), devDependencies: undefined };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const [program, rest] = npm(args);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, execFileSync(program, rest, { cwd: folder, maxBuffer: 64e6 }));
} finally {
  rmSync(folder, { recursive: true });
}

/** Without what only development needs, and what is for other platforms. */
function productionLock(lock: Lock): Lock {
  const kept = Object.entries(lock.packages).filter(
    ([path, { dev }]) => path === '' || (dev !== true && existsSync(join(PROJECT, path))),
  );
  const packages = Object.fromEntries(kept);
  return { ...lock, packages: { ...packages, '': { ...packages[''], devDependencies: undefined } } };
}

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(PROJECT, name), 'utf8')) as T;
}

/** In the build stage npm stands beside Node and there is no shell to find it; elsewhere it is on the path. */
function npm(rest: string[]): [string, string[]] {
  const beside = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  return existsSync(beside) ? [process.execPath, [beside, ...rest]] : ['npm', rest];
}
