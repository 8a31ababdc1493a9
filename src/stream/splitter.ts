/**
 * Splits bodies into spools on a thread of its own, so that the main thread keeps fetching and committing. Bodies move
 * there without a copy.
 */
import { Worker } from 'node:worker_threads';
import { Failure } from '../base/base.ts';
import type { BodyEncoding, SplitBody, SplitInput } from './split.ts';

export type SplitterRequest =
  | ({ kind: 'split'; path: string; body: ArrayBuffer; length: number; encoding: BodyEncoding } & SplitInput)
  | { kind: 'finish'; path: string }
  | { kind: 'abandon' };

export interface Spooled {
  rows: number;
  bytes: number;
}

export type SplitterAnswer =
  | { kind: 'split'; split: SplitBody; spooled: Spooled; body: ArrayBuffer }
  | { kind: 'finished' }
  | { kind: 'bad_body' | 'failed'; why: string; code: string | undefined };

export interface RawBody {
  bytes: Buffer<ArrayBuffer>;
  encoding: BodyEncoding;
  /** Gets the bytes back when they are split. */
  reuse?: (bytes: ArrayBuffer) => void;
}

export interface SplitRequest extends SplitInput {
  /** The spool being filled; a new one begins with the first record after a `finish`. */
  path: string;
  body: RawBody;
}

export class Splitter {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<SplitterAnswer>[] = [];
  #gone: Failure | undefined;

  constructor() {
    this.#worker = idleThread() ?? newThread();
    this.#worker.on('message', this.#answered).on('error', this.#failed).on('exit', this.#failed);
  }

  /** Failure `stream.bad_body` when the body is not whole; nothing of it is in the spool then. */
  async split({ body, ...request }: SplitRequest): Promise<{ split: SplitBody; spooled: Spooled }> {
    const { encoding, bytes, reuse } = body;
    const ask = { kind: 'split', body: bytes.buffer, length: bytes.length, encoding, ...request } as const;
    const answer = await this.#ask(ask, [bytes.buffer]);
    if (answer.kind !== 'split') throw unexpected(answer);
    reuse?.(answer.body);
    return answer;
  }

  /** Ends the spool at this path; one without a body becomes a file without rows. */
  async finish(path: string): Promise<void> {
    const answer = await this.#ask({ kind: 'finish', path });
    if (answer.kind !== 'finished') throw unexpected(answer);
  }

  /** Closes the unfinished file and gives the thread away. */
  async close(): Promise<void> {
    const abandoned = this.#ask({ kind: 'abandon' }).then(
      ({ kind }) => kind === 'finished',
      () => false,
    );
    // Its answer is the last: the next user of the thread must not get one of ours.
    this.#gone ??= ended(undefined);
    if (!(await abandoned) || idle !== undefined) return void (await this.#worker.terminate());
    park(this.#worker.off('message', this.#answered).off('error', this.#failed).off('exit', this.#failed));
  }

  #ask(request: SplitterRequest, transfer: ArrayBuffer[] = []): Promise<SplitterAnswer> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const waiting = Promise.withResolvers<SplitterAnswer>();
    this.#waiting.push(waiting);
    this.#worker.postMessage(request, transfer);
    return waiting.promise;
  }

  readonly #answered = (answer: SplitterAnswer): void => this.#waiting.shift()?.resolve(answer);
  readonly #failed = (cause: unknown): void => this.#end(cause);

  #end(cause: unknown): void {
    this.#gone ??= ended(cause);
    const gone = this.#gone;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(gone);
  }
}

function ended(cause: unknown): Failure {
  return new Failure('the thread that splits records ended', {
    code: 'stream.splitter_ended',
    fault: 'ourselves',
    hint: 'nothing is lost: start again; please report it, with the log',
    cause,
  });
}

/**
 * One that was closed waits for the next, and keeps no process alive: a session that starts over, as after every refusal
 * of a commit, would else load the modules of a new one, 60 ms of CPU.
 */
let idle: Worker | undefined;

function idleThread(): Worker | undefined {
  const thread = idle;
  idle = undefined;
  thread?.off('error', forgetIdle).off('exit', forgetIdle).ref();
  return thread;
}

function park(thread: Worker): void {
  idle = thread;
  thread.on('error', forgetIdle).on('exit', forgetIdle).unref();
}

function forgetIdle(): void {
  idle = undefined;
}

function newThread(): Worker {
  // Run from source or compiled, the thread's file stands beside this one with the same extension.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./splitter-worker.${extension}`, import.meta.url));
}

function unexpected(answer: SplitterAnswer): Failure {
  if (answer.kind === 'bad_body') {
    return new Failure('a GetRecords answer cannot be taken', {
      code: 'stream.bad_body',
      fault: 'service',
      retry: 'backoff',
      why: answer.why,
      hint: 'it is read again; if it stays, the endpoint does not speak Kinesis as it should',
    });
  }
  return spoolFailure(answer.kind === 'failed' ? answer : { why: answer.kind, code: undefined });
}

export function spoolFailure({ why, code }: { why: string; code: string | undefined }): Failure {
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new Failure(full ? 'Writing the spool: the disk is full' : 'Writing the spool failed', {
    code: 'stream.spool_failed',
    fault: code === undefined ? 'ourselves' : 'user',
    // Room may come back. What stands in the half-written file is worth nothing: it is read again from the positions.
    retry: full ? 'refresh' : 'never',
    why,
    hint: 'the spool folder must be writable and have room for a few batches; nothing is lost: the stream still has it',
  });
}
