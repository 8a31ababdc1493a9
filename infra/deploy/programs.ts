/** Other programs, run to their end. What they say is kept for the one who asks, or goes to the terminal as it comes. */
import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { Stopped } from './as-command.ts';

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  cwd?: string;
  /** Beside what this process has, unless nothing of that is inherited. */
  env?: Readonly<Record<string, string>>;
  inherited?: 'nothing';
  /** Its output is shown as it comes, and is not in the result. */
  shown?: 'shown';
}

export async function run(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const shown = options.shown === 'shown' ? 'inherit' : 'pipe';
  const child = spawn(program, args, {
    stdio: ['ignore', shown, shown],
    env: { ...(options.inherited === 'nothing' ? {} : process.env), ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  child.once('error', reject);
  child.once('close', (code) => resolve({ code: code ?? 1, ...said }));
  return promise;
}

/** As `run`; anything but success is an error that holds what the program said of it. */
export async function runWell(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code === 0) return stdout;
  // Where a program has a place for errors, what else it said is how far it had come.
  const said = (stderr.trim() || stdout).trim();
  const what = [basename(program), ...args.filter((arg) => !arg.startsWith('-')).slice(0, 1)].join(' ');
  throw new Stopped(`${what} failed`, { why: `it ended with exit code ${code}`, said });
}
