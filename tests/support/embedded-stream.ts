/** Our stream server on a free port, as suites across modules use it, and clients of it. */
import { join } from 'node:path';
import { silentLog, systemClock } from '../../src/base/base.ts';
import { openStream, type Stream, type StreamOptions } from '../../src/stream/stream.ts';
import {
  openStreamServer,
  type StreamServer,
  type StreamServerOptions,
} from '../../src/stream-server/stream-server.ts';

export const serveStream = (
  folder: string,
  options: Partial<StreamServerOptions> = {},
): Promise<StreamServer> =>
  openStreamServer({
    folder: join(folder, 'stream'),
    port: 0,
    region: 'us-east-1',
    maxBytes: 1e9,
    retention_ms: 86_400_000,
    clock: systemClock,
    log: silentLog,
    ...options,
  });

/** Of the stream `events`, which need not be there yet. */
export const clientOf = ({ endpoint }: StreamServer, options: Partial<StreamOptions> = {}): Stream =>
  openStream({
    name: 'events',
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    ...options,
  });

/** What no part of Lakeward asks a stream for. Throws what the server says where it refuses. */
export async function control({ endpoint }: StreamServer, operation: string, input: object): Promise<void> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Kinesis_20131202.${operation}`,
      'x-amz-date': '20260101T000000Z',
      authorization: 'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify({ StreamName: 'events', ...input }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${operation}: ${answer.status} ${text}`);
}
