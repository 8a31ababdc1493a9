/**
 * What a command says. Data goes to stdout and nothing else does; notes, progress, log and errors go to stderr. With
 * --json stdout is exactly one object: `{ok: true, data}`, or `{ok: false, error}` when the command fails.
 */
import type { Readable } from 'node:stream';
import { type Clock, stringifyJson } from '../base/base.ts';
import { type Paint, paintFor, plain } from './paint.ts';
import { type Progress, type ProgressOptions, type StatusLine, startProgress } from './progress.ts';
import { type Report, reportJson, reportText } from './report.ts';
import { visibleJson, visibleLines } from './visible.ts';

/** The part of process.stdout and process.stderr that is used. */
export interface Sink {
  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Output {
  readonly json: boolean;
  /** True when stdout is a terminal, that is, a person is likely to read it. */
  readonly terminal: boolean;
  /** Colours for stdout, and for notes on stderr. */
  readonly paint: Paint;
  readonly notePaint: Paint;
  /** The command's result, once: as `{ok, data}` with --json, else the text for people. */
  result(data: unknown, forPeople: (paint: Paint) => string): Promise<void>;
  /** Data in a format of its own, such as CSV. Resolves when it is handed over: await it, and memory stays bounded. */
  write(chunk: string | Uint8Array): Promise<void>;
  /** A line for people, on stderr. */
  note(text: string): void;
  progress(options: ProgressOptions): Progress;
}

/** Somebody who forgot an argument would think that it hangs. */
export function waitingForTyped({ out, stdin }: { out: Output; stdin: Readable }, what: string): void {
  if ((stdin as { isTTY?: boolean }).isTTY) out.note(`waiting for ${what} to be typed; Ctrl-D ends it`);
}

export interface OutputOptions {
  json: boolean;
  stdout: Sink;
  stderr: Sink;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Nobody reads stdout any more (`lakeward sql … | head`): stop working, it is no error. */
  onClosed: () => void;
}

/** Output, and what only the frame around the commands uses. */
export interface Console extends Output {
  readonly answered: boolean;
  failure(report: Report): Promise<void>;
  /** Without the report for people, who know why. */
  stopped(report: Report): Promise<void>;
  logLine(line: string): void;
}

export function openConsole({ json, stdout, stderr, env, clock, onClosed }: OutputOptions): Console {
  const paint = json ? plain : paintFor({ env, terminal: stdout.isTTY === true });
  const notePaint = paintFor({ env, terminal: stderr.isTTY === true });
  const screen = statusLine(stderr);
  let answered = false;
  let closed = false;

  const write = (chunk: string | Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      if (closed || chunk.length === 0) return resolve();
      stdout.write(chunk, (error) => {
        if (!error) return resolve();
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') return reject(error);
        closed = true;
        onClosed();
        resolve();
      });
    });
  const object = (content: unknown) => {
    answered = true;
    return write(`${visibleJson(stringifyJson(content))}\n`);
  };

  const notOk = async (report: Report) => {
    screen.status(undefined);
    if (json && !answered) await object({ ok: false, error: reportJson(report) });
  };

  return {
    json,
    terminal: stdout.isTTY === true,
    paint,
    notePaint,
    get answered() {
      return answered;
    },
    async result(data, forPeople) {
      if (answered) throw new Error('a command has one result');
      if (json) return object({ ok: true, data });
      answered = true;
      await write(forPeople(paint));
    },
    write(chunk) {
      answered = true;
      return write(chunk);
    },
    note: screen.line,
    logLine: (line) => screen.line(visibleLines(line.replace(/\n$/, ''))),
    progress: (options) => startProgress(options, { clock, screen }),
    async failure(report) {
      await notOk(report);
      screen.line(reportText(report, notePaint).replace(/\n$/, ''));
    },
    async stopped(report) {
      await notOk(report);
      screen.line('stopped');
    },
  };
}

/** Keeps one status line at the bottom while other lines scroll above it. */
function statusLine(stderr: Sink): StatusLine {
  const terminal = stderr.isTTY === true;
  let status: string | undefined;
  // Whoever reads stderr may be gone; there is nobody left to tell.
  const write = (text: string) => stderr.write(text, () => {});
  const erase = () => (terminal && status !== undefined ? '\r\u001b[2K' : '');
  return {
    terminal,
    columns: stderr.columns ?? 80,
    status(text) {
      if (!terminal) return;
      const erased = erase();
      status = text;
      if (erased !== '' || text !== undefined) write(`${erased}${text ?? ''}`);
    },
    line(text) {
      write(`${erase()}${text}\n${terminal ? (status ?? '') : ''}`);
    },
  };
}
