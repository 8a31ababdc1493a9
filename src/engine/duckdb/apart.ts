/** Trying out batches in a process of its own: where a record takes the engine's process down, only that one is gone. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Failure, type FailureDetails } from '../../base/base.ts';
import type { EngineOptions, EventLimits, SpoolInput } from '../engine.ts';

export interface TryOut {
  engine: Omit<EngineOptions, 'files'>;
  spool: SpoolInput;
  limits: EventLimits;
}

export interface TriedOut {
  failure?: FailureDetails & { message: string };
}

/** Those that others send: they say nothing about what the process did. */
const SENT = new Set<NodeJS.Signals | null>(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/**
 * Throws the Failure that the engine throws; `engine.crashed` where its process went down with it, `engine.killed`
 * (retry `backoff`) where somebody else ended it.
 */
export async function tryOutApart(asked: TryOut): Promise<void> {
  const { failure } = await answered(asked);
  await rm(asked.engine.workFolder, { recursive: true, force: true });
  if (failure === undefined) return;
  const { message, ...details } = failure;
  throw new Failure(message, details);
}

async function answered(asked: TryOut): Promise<TriedOut> {
  try {
    return await answerOf(begin(), asked);
  } catch (error) {
    throw new Failure('cannot start a process in which to try out a batch', {
      code: 'engine.not_started',
      fault: 'service',
      retry: 'backoff',
      why: error instanceof Error ? error.message : String(error),
      docs: 'docs/explanation/reading-a-stream.md',
      cause: error,
    });
  }
}

function begin(): ChildProcess {
  // Run from source or compiled, the process's file stands beside this one with the same extension.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fork(new URL(`./apart-process.${extension}`, import.meta.url), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

async function answerOf(child: ChildProcess, asked: TryOut): Promise<TriedOut> {
  let answer: TriedOut | undefined;
  child.on('message', (told: TriedOut) => {
    answer = told;
  });
  const closed = once(child, 'close');
  // Where too many files are open it has neither a pipe nor a channel, and only says why.
  const said = child.stderr ? text(child.stderr).catch(() => '') : '';
  // One that is gone already says so by its end.
  child.send?.(asked, () => {});
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  return answer ?? { failure: gone(signal ?? `exit code ${code}`, (await said).trim()) };
}

function gone(how: string, said: string): FailureDetails & { message: string } {
  const docs = 'docs/explanation/reading-a-stream.md';
  if (SENT.has(how as NodeJS.Signals)) {
    return {
      message: 'a batch could not be tried out to its end',
      ...{ code: 'engine.killed', fault: 'user', retry: 'backoff', docs },
      why: `its process was ended by ${how}, as the system does where memory runs out`,
      hint: 'give the machine more memory, or lower engine.memory and memory.limit',
    };
  }
  const [line] = said.split('\n');
  return {
    message: 'trying out a batch took the process down',
    ...{ code: 'engine.crashed', fault: 'ourselves', docs },
    why: `it ended by ${how}${line ? `: ${line}` : ''}`,
  };
}
