/**
 * Splits bodies into spools on a thread of its own, so that the main thread keeps fetching and committing. Bodies move
 * there without a copy.
 */
import { Worker } from 'node:worker_threads';
import { Failure } from '../base/base.ts';
import type { BodyEncoding, SplitBody, SplitInput } from './split.ts';

export type SplitterRequest =
  | ({ kind: 'split'; path: string; body: ArrayBuffer; encoding: BodyEncoding } & SplitInput)
  | { kind: 'finish'; path: string }
  | { kind: 'abandon' };

export interface Spooled {
  rows: number;
  bytes: number;
}

export type SplitterAnswer =
  | { kind: 'split'; split: SplitBody; spooled: Spooled }
  | { kind: 'finished' }
  | { kind: 'bad_body' | 'failed'; why: string; code: string | undefined };

export interface RawBody {
  bytes: Buffer<ArrayBuffer>;
  encoding: BodyEncoding;
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
    // Run from source or compiled, the thread's file stands beside this one with the same extension.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./splitter-worker.${extension}`, import.meta.url));
    this.#worker.on('message', (answer: SplitterAnswer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('error', (cause) => this.#end(cause));
    this.#worker.on('exit', () => this.#end(undefined));
  }

  /** Failure `stream.bad_body` when the body is not whole; nothing of it is in the spool then. */
  async split({ body, ...request }: SplitRequest): Promise<{ split: SplitBody; spooled: Spooled }> {
    const { encoding, bytes } = body;
    const ask = { kind: 'split', body: bytes.buffer, encoding, ...request } as const;
    const answer = await this.#ask(ask, [bytes.buffer]);
    if (answer.kind !== 'split') throw unexpected(answer);
    return answer;
  }

  /** Ends the spool at this path; one without a body becomes a file without rows. */
  async finish(path: string): Promise<void> {
    const answer = await this.#ask({ kind: 'finish', path });
    if (answer.kind !== 'finished') throw unexpected(answer);
  }

  /** Closes the unfinished file and ends the thread. */
  async close(): Promise<void> {
    if (this.#gone === undefined) await this.#ask({ kind: 'abandon' }).catch(() => {});
    await this.#worker.terminate();
  }

  #ask(request: SplitterRequest, transfer: ArrayBuffer[] = []): Promise<SplitterAnswer> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const waiting = Promise.withResolvers<SplitterAnswer>();
    this.#waiting.push(waiting);
    this.#worker.postMessage(request, transfer);
    return waiting.promise;
  }

  #end(cause: unknown): void {
    this.#gone ??= new Failure('The thread that splits records ended', {
      code: 'stream.splitter_ended',
      fault: 'ourselves',
      hint: 'Nothing is lost: start again. Please report it, with the log.',
      cause,
    });
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#gone);
  }
}

function unexpected(answer: SplitterAnswer): Failure {
  if (answer.kind === 'bad_body') {
    return new Failure('A GetRecords answer cannot be taken', {
      code: 'stream.bad_body',
      fault: 'service',
      retry: 'backoff',
      why: answer.why,
      hint: 'It is read again. If it stays, the endpoint does not speak Kinesis as it should.',
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
    hint: 'The spool folder must be writable and have room for a few batches. Nothing is lost: the stream still has it.',
  });
}
