/**
 * What the image holds beside Node: the production dependencies as a CycloneDX document, made by `npm sbom` from
 * package.json and the lock file. Usage: node infra/image/sbom.ts FILE
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node infra/image/sbom.ts FILE');

const args = ['sbom', '--omit=dev', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
writeFileSync(file, execFileSync(...npm(args), { maxBuffer: 64e6 }));

/** In the build stage npm stands beside Node and there is no shell to find it; elsewhere it is on the path. */
function npm(rest: string[]): [string, string[]] {
  const beside = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  return existsSync(beside) ? [process.execPath, [beside, ...rest]] : ['npm', rest];
}
