/** A command of the program, whole but in this process: quick, and without a process to wait for. */
import { Readable } from 'node:stream';
import { systemClock } from '../base/base.ts';
import { actions } from './actions.ts';
import { allCommands } from './commands.ts';
import { execute } from './execute.ts';
import type { Sink } from './output.ts';

interface Where {
  dir: string;
  terminal?: boolean;
  stdin?: Readable;
  signal?: AbortSignal;
}

export async function ran(where: string | Where, ...args: string[]) {
  const {
    dir,
    terminal = false,
    stdin = Readable.from([]),
    signal = new AbortController().signal,
  }: Where = typeof where === 'string' ? { dir: where } : where;
  const text = { out: '', err: '' };
  const into = (key: 'out' | 'err'): Sink => ({
    isTTY: terminal,
    write: (chunk, done) => {
      text[key] += chunk;
      done();
    },
  });
  const exit = await execute({
    argv: [...args, '--dir', dir],
    commands: allCommands(async () => actions),
    ...{ version: '0', env: { NO_COLOR: '1' }, cwd: dir, stdin },
    ...{ stdout: into('out'), stderr: into('err'), clock: systemClock, signal },
  });
  return { exit, stdout: text.out, stderr: text.err };
}
