/** A program that stays: one JSON document a line asks it, one a line answers, `{answer}` or `{error}`. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseJson, stringifyJson } from '../../src/base/base.ts';

const STDERR_CHARS_MAX = 20_000;

export type Ask = <T>(question: unknown) => Promise<T>;

/** One question at a time, in the order in which they were put. */
export function asking(name: string, child: ChildProcessWithoutNullStreams): Ask {
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-STDERR_CHARS_MAX);
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // A process that ended says why on stderr.
  child.stdin.on('error', () => {});
  let last: Promise<unknown> = Promise.resolve();

  async function ask(question: unknown): Promise<unknown> {
    child.stdin.write(`${stringifyJson(question)}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error(`${name} ended: ${stderr}`);
    const answer = parseJson(value) as { answer?: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.answer;
  }
  return <T>(question: unknown) => {
    const next = last.then(() => ask(question));
    last = next.catch(() => {});
    return next as Promise<T>;
  };
}

/** Ends it by the end of its input, and waits for that. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.stdin.end();
  await closed;
}
