/** For the tests of this module: a server in a folder of its own, a clock moved by hand, and calls over HTTP/1.1. */
import { cp, mkdtemp } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, silentLog } from '../base/base.ts';
import { JSON_CONTENT_TYPE, type OperationName, type Operations, TARGET_PREFIX } from '../kinesis/kinesis.ts';
import { nodeFiles } from './log-files.ts';
import { type ServerPorts, serve } from './serve.ts';
import type { StreamServer, StreamServerOptions } from './stream-server.ts';

export const START_MS = Date.UTC(2026, 0, 5, 12, 0, 0, 250);
export const HOUR_MS = 3_600_000;

/** Sleepers wake when the time is moved past their hour. */
export class ManualClock implements Clock {
  #now_ms = START_MS;
  #sleepers: { at_ms: number; wake: () => void }[] = [];
  #watchers: { ms: number; seen: () => void }[] = [];
  #asleep = Promise.withResolvers<void>();

  now(): number {
    return this.#now_ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      this.#sleepers.push({ at_ms: this.#now_ms + ms, wake: resolve });
      for (const { seen } of this.#watchers.filter((watcher) => watcher.ms === ms)) seen();
      signal?.addEventListener('abort', () => resolve(), { once: true });
      this.#asleep.resolve();
    });
  }

  move(ms: number): void {
    this.#now_ms += ms;
    const due = this.#sleepers.filter(({ at_ms }) => at_ms <= this.#now_ms);
    this.#sleepers = this.#sleepers.filter(({ at_ms }) => at_ms > this.#now_ms);
    if (this.#sleepers.length === 0) this.#asleep = Promise.withResolvers<void>();
    for (const { wake } of due) wake();
  }

  /** Resolves as soon as somebody sleeps for so long, from now on. */
  whenSleeping(ms: number): Promise<void> {
    return new Promise((seen) => this.#watchers.push({ ms, seen }));
  }

  /** Resolves when somebody sleeps: what had woken up has done its work. */
  asleep(): Promise<void> {
    return this.#asleep.promise;
  }
}

export type TestServer = StreamServer & AsyncDisposable & { folder: string; clock: ManualClock };

export interface TestOptions extends Partial<StreamServerOptions>, Partial<ServerPorts> {
  clock?: ManualClock;
}

export async function testServer(options: TestOptions = {}): Promise<TestServer> {
  const clock = options.clock ?? new ManualClock();
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'lakeward-stream-')));
  const { files = nodeFiles, segment_bytes, ...rest } = options;
  const server = await serve(
    {
      port: 0,
      region: 'us-east-1',
      maxBytes: 1e9,
      retention_ms: 24 * HOUR_MS,
      log: silentLog,
      ...rest,
      folder,
      clock,
    },
    { files, ...(segment_bytes !== undefined && { segment_bytes }) },
  );
  return Object.assign(server, { folder, clock, [Symbol.asyncDispose]: () => server.close() });
}

/** What a `kill -9` at this instant would leave: the files as they are, with nothing tidied up. */
export async function crashImage({ folder }: { folder: string }): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'lakeward-crash-'));
  await cp(folder, copy, { recursive: true });
  return copy;
}

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  body: string;
}

export interface RawRequest {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

const SIGNED = {
  authorization: 'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0',
  'x-amz-date': '20260105T120000Z',
};

export function signedHeaders(operation: string): Record<string, string> {
  return { 'content-type': JSON_CONTENT_TYPE, 'x-amz-target': `${TARGET_PREFIX}${operation}`, ...SIGNED };
}

export function raw(
  { endpoint }: { endpoint: string },
  { method, path, headers, body }: RawRequest,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${endpoint}${path ?? '/'}`,
      { method: method ?? 'POST', headers, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const { statusCode: status = 0, headers: given } = answer;
          resolve({ status, headers: given, bytes, body: bytes.toString('utf8') });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** An answer that is an error, as `Name: message`. */
export class CallError extends Error {}

export async function call<O extends OperationName>(
  server: { endpoint: string },
  operation: O,
  input: Operations[O]['input'],
): Promise<Operations[O]['output']> {
  const { status, body } = await raw(server, {
    headers: signedHeaders(operation),
    body: JSON.stringify(input),
  });
  if (status === 200) return (body === '' ? undefined : JSON.parse(body)) as Operations[O]['output'];
  const error = JSON.parse(body) as { __type: string; message?: string; Message?: string };
  throw new CallError(`${error.__type}: ${error.message ?? error.Message ?? ''}`);
}

export function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

export async function putTexts(
  server: TestServer,
  stream: string,
  texts: readonly string[],
): Promise<string[]> {
  const Records = texts.map((text) => ({ Data: base64(text), PartitionKey: 'key' }));
  const answer = await call(server, 'PutRecords', { StreamName: stream, Records });
  if (answer.FailedRecordCount > 0) throw new Error(JSON.stringify(answer.Records));
  return answer.Records.map(({ SequenceNumber }) => SequenceNumber ?? '');
}

type Start = Omit<Operations['GetShardIterator']['input'], 'StreamName' | 'ShardId'> & { ShardId?: string };
const HORIZON: Start = { ShardIteratorType: 'TRIM_HORIZON' };

export async function iterator(server: TestServer, stream: string, start: Start = HORIZON): Promise<string> {
  const input = { StreamName: stream, ShardId: 'shardId-000000000000', ...start };
  return (await call(server, 'GetShardIterator', input)).ShardIterator;
}

/** All that one shard holds from the start on, up to the newest record. */
export async function texts(server: TestServer, stream: string, start: Start = HORIZON): Promise<string[]> {
  const found: string[] = [];
  let next = await iterator(server, stream, start);
  for (;;) {
    const answer = await call(server, 'GetRecords', { ShardIterator: next });
    found.push(...answer.Records.map(({ Data }) => Buffer.from(Data, 'base64').toString('utf8')));
    if (answer.MillisBehindLatest === 0 || !answer.NextShardIterator) return found;
    next = answer.NextShardIterator;
  }
}
