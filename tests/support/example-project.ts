/** A project folder of examples/, run as its user runs it, on a lake of the test. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ended, lakeward } from './program.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

export type Row = Record<string, unknown>;

export interface ExampleProject {
  send(documents: readonly (string | Uint8Array)[]): Promise<void>;
  run(...args: readonly string[]): Promise<Ended>;
  rows(sql: string): Promise<Row[]>;
}

/** `env`: where the lake is, if not in the folder. */
export function exampleProject(
  name: string,
  dir: string,
  env: Readonly<Record<string, string>> = {},
): ExampleProject {
  const cwd = join(EXAMPLES, name);
  const command = (args: readonly string[]) => lakeward([...args, '--dir', join(dir, 'lake')], { cwd, env });
  let sent = 0;
  return {
    async send(documents) {
      const path = join(dir, `events-${++sent}.ndjson`);
      const lines = documents.flatMap((document) => [Buffer.from(document), Buffer.from('\n')]);
      await writeFile(path, Buffer.concat(lines));
      await succeed(command(['send', path]));
    },
    run: (...args) => command(args),
    async rows(sql) {
      const { stdout } = await succeed(command(['sql', '--format', 'json', sql]));
      return JSON.parse(stdout) as Row[];
    },
  };
}

async function succeed(ended: Promise<Ended>): Promise<Ended> {
  const { code, stdout, stderr } = await ended;
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return { code, stdout, stderr };
}
