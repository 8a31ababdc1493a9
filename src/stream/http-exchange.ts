/**
 * One request, one whole answer. An answer that ends early is an error, never a short body: the shard would seem to
 * hold fewer records than it does. A body begins at the start of an ArrayBuffer of its own, so that it can move to a
 * worker; given back, it holds a later one: every 64 MB of new ones would set off a collection of the whole heap.
 */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer<ArrayBuffer>;
}

export interface ExchangeOptions {
  endpoint: URL;
  connect_ms: number;
  /** Silence on the socket, not the length of the whole answer. */
  read_ms: number;
}

export interface HttpExchange {
  post(headers: Record<string, string>, body: Buffer, signal?: AbortSignal): Promise<Answer>;
  /** The bytes of a body that nobody reads any more. */
  reuse(bytes: ArrayBuffer): void;
  close(): void;
}

/** Larger than any answer that Kinesis gives (10 MiB of data as base64 and 10,000 envelopes are about 17 MiB). */
const BODY_BYTES_MAX = 64 << 20;
/** Small ones are not worth it, and huge ones too much to keep. */
const REUSED_BYTES = { least: 256 << 10, most: 16 << 20 };
const SPARE_MOST = 2;

export function openExchange({ endpoint, connect_ms, read_ms }: ExchangeOptions): HttpExchange {
  const tls = endpoint.protocol === 'https:';
  const agent = tls ? new TlsAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true });
  const start = tls ? tlsRequest : plainRequest;
  const spare: ArrayBuffer[] = [];
  return {
    post: (headers, body, signal) =>
      new Promise((resolve, reject) => {
        const options = { agent, method: 'POST', headers, ...(signal && { signal }) };
        const request = start(endpoint, options, (answer) => readAll(answer, spare).then(resolve, reject));
        let connecting: NodeJS.Timeout | undefined;
        request.on('socket', (socket) => {
          if (!socket.connecting) return;
          const late = () => request.destroy(new Error(`no connection within ${connect_ms} ms`));
          connecting = setTimeout(late, connect_ms);
          socket.once('connect', () => clearTimeout(connecting));
        });
        request.on('close', () => clearTimeout(connecting));
        request.setTimeout(read_ms, () => request.destroy(new Error(`no answer for ${read_ms} ms`)));
        request.on('error', reject);
        request.end(body);
      }),
    reuse(bytes) {
      if (bytes.byteLength < REUSED_BYTES.least || bytes.byteLength > REUSED_BYTES.most) return;
      if (spare.push(bytes) > SPARE_MOST) spare.shift();
    },
    close: () => agent.destroy(),
  };
}

async function readAll(answer: IncomingMessage, spare: ArrayBuffer[]): Promise<Answer> {
  const announced = answer.headers['content-length'];
  try {
    const body =
      announced === undefined ? await collect(answer) : await fill(answer, Number(announced), spare);
    return { status: answer.statusCode ?? 0, headers: answer.headers, body };
  } catch (error) {
    answer.destroy();
    throw error;
  }
}

/** Straight into one buffer of the announced length: no list of chunks to join afterwards. */
async function fill(
  answer: IncomingMessage,
  length: number,
  spare: ArrayBuffer[],
): Promise<Buffer<ArrayBuffer>> {
  if (!(length <= BODY_BYTES_MAX)) throw new Error(`the answer announces ${length} bytes`);
  const body = roomFor(length, spare);
  let filled = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) filled += chunk.copy(body, filled);
  if (filled !== length) throw new Error(`the answer ended after ${filled} of ${length} bytes`);
  return body;
}

function roomFor(length: number, spare: ArrayBuffer[]): Buffer<ArrayBuffer> {
  if (length < REUSED_BYTES.least) return Buffer.allocUnsafeSlow(length);
  const at = spare.findIndex((bytes) => bytes.byteLength >= length);
  return at < 0 ? Buffer.allocUnsafeSlow(length) : Buffer.from(spare.splice(at, 1)[0]!, 0, length);
}

/** Node reports a chunked answer that is cut off as `aborted`, so reaching the end means it is whole. */
async function collect(answer: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw new Error(`the answer is longer than ${BODY_BYTES_MAX} bytes`);
  }
  if (!answer.complete) throw new Error(`the answer was cut off after ${length} bytes`);
  const body = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  for (const chunk of chunks) filled += chunk.copy(body, filled);
  return body;
}
