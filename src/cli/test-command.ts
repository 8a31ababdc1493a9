/** A command of the program, whole but in this process: quick, and without a process to wait for. */
import { Readable } from 'node:stream';
import { systemClock } from '../base/base.ts';
import { actions } from './actions.ts';
import { allCommands } from './commands.ts';
import { execute } from './execute.ts';
import type { Sink } from './output.ts';

export async function ran(dir: string, ...args: string[]) {
  const text = { out: '', err: '' };
  const into = (key: 'out' | 'err'): Sink => ({
    write: (chunk, done) => {
      text[key] += chunk;
      done();
    },
  });
  const exit = await execute({
    argv: [...args, '--dir', dir],
    commands: allCommands(async () => actions),
    ...{ version: '0', env: { NO_COLOR: '1' }, cwd: dir, stdin: Readable.from([]) },
    ...{ stdout: into('out'), stderr: into('err'), clock: systemClock, signal: new AbortController().signal },
  });
  return { exit, stdout: text.out, stderr: text.err };
}
