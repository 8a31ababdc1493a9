/** Other programs, as processes: their output goes to this one's stderr, or is handed back. */
import { type SpawnOptions, spawn } from 'node:child_process';

export interface ProgramOptions {
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Nothing of it is shown unless it fails. */
  quiet?: boolean;
}

export class ProgramFailed extends Error {
  constructor(line: string, { code, output }: { code: number | null; output: string }) {
    super(`${line} ended with ${code}: ${output.trimEnd().split('\n').slice(-5).join('\n')}`);
  }
}

/** Its stdout, when it ends with 0. */
export function runProgram(
  program: string,
  args: readonly string[],
  { env = {}, cwd, quiet = false }: ProgramOptions = {},
): Promise<string> {
  const options: SpawnOptions = { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
  const child = spawn(program, args, options);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (chunk) => {
      texts[name] += chunk;
      if (!quiet) process.stderr.write(chunk);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new ProgramFailed(program, { code: null, output: error.message })));
    child.once('close', (code) => {
      if (code === 0) resolve(texts.stdout);
      else reject(new ProgramFailed(`${program} ${args[0]}`, { code, output: texts.stderr + texts.stdout }));
    });
  });
}

export const succeeds = (program: string, args: readonly string[]): Promise<boolean> =>
  runProgram(program, args, { quiet: true }).then(
    () => true,
    () => false,
  );
