/** `make deploy` and `make destroy` as a user says them, with their state in a folder of the test's own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../../infra/deploy/cache.ts';
import { type Ended, run } from '../../infra/deploy/programs.ts';

export interface Commands {
  deploy(name?: string): Promise<Ended>;
  destroy(name?: string): Promise<Ended>;
  outputs(name?: string): Promise<Record<string, unknown>>;
}

export function commands({ local, endpoint }: { local: string; endpoint?: string }): Commands {
  const make = (target: string, name: string | undefined) => {
    const variables = [
      'ENV=local',
      ...(endpoint === undefined ? [] : [`ENDPOINT=${endpoint}`]),
      ...(name === undefined ? [] : [`NAME=${name}`]),
    ];
    return run('make', ['--no-print-directory', target, ...variables], {
      cwd: PROJECT,
      env: { LAKEWARD_LOCAL: local },
    });
  };
  return {
    deploy: (name) => make('deploy', name),
    destroy: (name) => make('destroy', name),
    async outputs(name) {
      const file = join(local, name === undefined ? 'local' : `local-${name}`, 'outputs.json');
      return (JSON.parse(await readFile(file, 'utf8')) as { outputs: Record<string, unknown> }).outputs;
    },
  };
}

/** The last line that a command said. */
export function lastLine({ stdout }: Ended): string {
  return stdout.trimEnd().split('\n').at(-1) ?? '';
}
