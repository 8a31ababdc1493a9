/**
 * What a person reads when something did not work: what happened, why, how to fix it, where to read on. A known
 * failure never shows a stack; an unforeseen error is a bug of ours, shows its stack and asks to be reported.
 */
import { Failure } from '../base/base.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit.ts';
import type { Paint } from './paint.ts';
import { visibleLines } from './visible.ts';

export interface Report {
  code: string;
  message: string;
  why: string;
  fix: string;
  read: string;
  exit: ExitCode;
  stack?: string;
}

/** What went wrong first: that something could not be closed because of it is no news beside it. */
export function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error;
}

export function reportOf(thrown: unknown): Report {
  const error = firstOf(thrown);
  const failure = error instanceof Failure ? error : fromOperatingSystem(error);
  if (failure === undefined) return bugReport(error);
  const exit = exitCodeOf(failure);
  if (exit === EXIT.bug) return { ...bugReport(failure), code: failure.code, why: failure.why ?? OUR_BUG };
  return {
    code: failure.code,
    message: failure.message,
    why: failure.why ?? causeOf(failure) ?? 'no more is known',
    fix: failure.hint ?? FIXES[exit] ?? 'run it again with --log-level debug to see more',
    read: failure.docs ?? 'docs/reference/cli.md#exit-codes',
    exit,
  };
}

/** Four lines, and the stack when it is our bug. */
export function reportText({ message, code, why, fix, read, stack }: Report, paint: Paint): string {
  const lines = [
    `${paint.red('lakeward:')} ${visibleLines(message)} ${paint.dim(`[${code}]`)}`,
    `  ${paint.dim('why')}   ${indented(why)}`,
    `  ${paint.dim('fix')}   ${indented(fix)}`,
    `  ${paint.dim('read')}  ${read}`,
  ];
  return `${[...lines, ...(stack === undefined ? [] : ['', visibleLines(stack)])].join('\n')}\n`;
}

/** An engine explains itself in several lines, and marks a place in one of them: kept under each other. */
const indented = (text: string): string => visibleLines(text).replace(/\n+/g, '\n        ');

/** The `error` of `--json`. */
export function reportJson({ code, message, why, fix, read }: Report) {
  return { code, message, why, fix, read };
}

/** Told to stop, it broke off: no failure, and `--json` is answered all the same. */
export const STOPPED: Report = {
  code: 'cli.stopped',
  message: 'stopped before its work was done',
  why: 'it was told to, by Ctrl-C or SIGTERM',
  fix: 'run the same command again when the rest is wanted; what it committed stays',
  read: 'docs/reference/cli.md#exit-codes',
  exit: EXIT.stopped,
};

const OUR_BUG = 'this is a bug in lakeward, not a mistake of yours';

const FIXES: Partial<Record<ExitCode, string>> = {
  [EXIT.credentials]: 'check which identity is used (aws sts get-caller-identity) and what it may do',
  [EXIT.tryAgain]: 'run the same command again; nothing is lost and nothing is done twice',
};

function bugReport(error: unknown): Report {
  const thrown = error instanceof Error ? error : new Error(String(error));
  return {
    code: 'cli.bug',
    message: thrown.message,
    why: OUR_BUG,
    fix: 'please report it with everything below; the lake is safe: run the same command again',
    read: 'CONTRIBUTING.md',
    exit: EXIT.bug,
    stack: `${thrown.stack ?? thrown.message}\nNode ${process.version}, ${process.platform}-${process.arch}`,
  };
}

function causeOf(failure: Failure): string | undefined {
  const { cause } = failure;
  return cause instanceof Error && cause.message !== '' ? cause.message : undefined;
}

/** Errors of the machine that no module has to foresee one by one. */
const OPERATING_SYSTEM: Readonly<Record<string, { why: string; hint: string }>> = {
  ENOSPC: {
    why: 'the disk is full',
    hint: 'free some space, or choose another folder with --dir; then run it again',
  },
  EDQUOT: { why: 'the disk quota is used up', hint: 'free some space, or choose another folder with --dir' },
  EACCES: {
    why: 'this user may not do that',
    hint: 'check owner and rights of the path; --dir names another folder for the lake',
  },
  EPERM: {
    why: 'this user may not do that',
    hint: 'check owner and rights of the path; --dir names another folder for the lake',
  },
  ENOTDIR: {
    why: 'a part of the path is a file, not a folder',
    hint: 'name a folder with --dir',
  },
  ENAMETOOLONG: {
    why: 'a part of the path is longer than the file system takes',
    hint: 'name a shorter one',
  },
  ELOOP: {
    why: 'symbolic links of the path lead back to each other',
    hint: 'mend the links, or name the folder itself',
  },
  EROFS: { why: 'the file system is read-only', hint: 'choose a folder that can be written with --dir' },
  EMFILE: {
    why: 'the process has too many files open',
    hint: 'raise the limit (ulimit -n 4096) and run it again',
  },
  ENFILE: { why: 'the machine has too many files open', hint: 'close other programs and run it again' },
  EIO: { why: 'the disk reported an error', hint: 'check the disk; then run lakeward verify' },
};

function fromOperatingSystem(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : OPERATING_SYSTEM[code];
  if (!known) return undefined;
  return new Failure(error.message, {
    code: `system.${code!.toLowerCase()}`,
    fault: 'user',
    cause: error,
    ...known,
  });
}
