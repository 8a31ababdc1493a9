/** AWS as moto's server has it: a process of its own, on a free port, that ends with this one. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Python } from './python.ts';

const SCRIPT = join(import.meta.dirname, '..', 'interop', 'serve_moto.py');

export interface Moto {
  readonly endpoint: string;
  makeBucket(name: string): Promise<void>;
  /** Environment variables by which the program keeps its lake there. */
  lakeAt(url: string): Record<string, string>;
  close(): Promise<void>;
}

/**
 * `python` is one with the package set `moto`. `signatures`: where policies are enforced, moto takes right signatures for
 * wrong ones (see the script), so that they are better not checked.
 */
export async function startMoto(
  python: Python,
  { signatures = 'checked' }: { signatures?: 'checked' | 'unchecked' } = {},
): Promise<Moto> {
  const args = signatures === 'unchecked' ? ['--unchecked-signatures'] : [];
  const child = python.start(SCRIPT, { cwd: tmpdir(), args });
  const errors: string[] = [];
  child.stderr.on('data', (chunk) => errors.push(String(chunk)));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const { promise: firstLine, resolve, reject } = Promise.withResolvers<string>();
  createInterface(child.stdout).once('line', resolve);
  void ended.then(() => reject(new Error(`moto did not start: ${errors.join('')}`)));
  const { endpoint } = JSON.parse(await firstLine) as { endpoint: string };
  return {
    endpoint,
    async makeBucket(name) {
      const { status } = await fetch(`${endpoint}/${name}`, { method: 'PUT' });
      if (status !== 200) throw new Error(`moto answered ${status} to a new bucket`);
    },
    lakeAt: (url) => ({
      ...{ LAKEWARD_STORE_URL: url, LAKEWARD_STORE_ENDPOINT: endpoint },
      ...{ AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
    }),
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
