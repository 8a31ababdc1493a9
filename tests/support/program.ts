/** The program as its users start it: `bin/lakeward`, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keepPoolAwake } from '../../src/base/base.ts';

// Whoever waits for a program reads its files without end.
keepPoolAwake();

const BIN = join(import.meta.dirname, '../../bin/lakeward');

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  process: ChildProcess;
  /** Everything it wrote to stderr so far. */
  stderr(): string;
  ended: Promise<Ended>;
}

export interface Surroundings {
  cwd?: string;
  /** Beside this process's own. */
  env?: Readonly<Record<string, string>>;
  /** What it can read on stdin, which stays open. */
  stdin?: string;
}

export function start(args: readonly string[], { cwd, env, stdin }: Surroundings = {}): Running {
  const child = spawn(BIN, args, {
    cwd,
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  child.stdin?.write(stdin ?? '');
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { process: child, stderr: () => stderr, ended };
}

export function lakeward(args: readonly string[], options: Surroundings = {}): Promise<Ended> {
  return start(args, options).ended;
}

/** The address of this very process's stream, once it answers. Throws when the process ends first. */
export async function endpointOf(running: Running, dir: string): Promise<string> {
  let over: Ended | undefined;
  void running.ended.then((ended) => {
    over = ended;
  });
  for (;;) {
    if (over) throw new Error(`lakeward ended with ${over.code}: ${over.stderr}`);
    const found = await readFile(join(dir, 'endpoint.json'), 'utf8').then(
      (text) => JSON.parse(text) as { endpoint: string; pid: number },
      () => undefined,
    );
    if (found !== undefined && found.pid === running.process.pid) return found.endpoint;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What it says on stderr, once it does. Throws when the process ends first. */
export function said(running: Running, what: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = what.exec(running.stderr());
      if (found !== null) resolve(found);
    };
    running.process.stderr?.on('data', look);
    look();
    void running.ended.then(({ code, stderr }) =>
      reject(new Error(`lakeward ended with ${code} without ${what}: ${stderr}`)),
    );
  });
}
