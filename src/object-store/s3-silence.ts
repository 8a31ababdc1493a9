/**
 * How long the store may be silent before a request is given up. Of an upload, silence is counted from when the
 * operating system took the last bytes, and then megabytes of it and of the others that share the line may still be on
 * their way: a time-out that knows nothing of them would give all up, again and again, on a line that is merely slow.
 */
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import type { S3Limits } from './s3.ts';

/** Bytes a second: as much as a line carries before an upload is given up for the first time. */
const SLOW_LINE = 1_000_000;

type Limits = Pick<S3Limits, 'requests' | 'uploadMemory_bytes' | 'connect_ms' | 'silence_ms' | 'attempt_ms'>;

/**
 * ms for an upload of so many bytes: what all that may go up beside it takes on a slow line is added, and each further
 * attempt (counted from 0) is given twice as long, up to what any attempt may take.
 */
export function silenceOf(
  { bytes, attempt }: { bytes: number; attempt: number },
  { requests, uploadMemory_bytes, silence_ms, attempt_ms }: Limits,
): number {
  const onTheWay = Math.min(bytes * requests, Math.max(bytes, uploadMemory_bytes));
  const first_ms = silence_ms + (onTheWay / SLOW_LINE) * 1_000;
  return Math.round(Math.min(attempt_ms, first_ms * 2 ** attempt));
}

type Request = Parameters<NodeHttpHandler['handle']>;
type Answer = ReturnType<NodeHttpHandler['handle']>;

/** The SDK's own, which knows one time-out for all; `requestTimeout` of a call is the silence that it is granted. */
class SilenceHandler extends NodeHttpHandler {
  readonly #options: NodeHttpHandlerOptions;

  constructor(options: NodeHttpHandlerOptions) {
    super(options);
    this.#options = options;
  }

  override handle(...[request, { requestTimeout, ...options } = {}]: Request): Answer {
    if (requestTimeout === undefined) return super.handle(request, options);
    return new NodeHttpHandler({ ...this.#options, socketTimeout: requestTimeout }).handle(request, options);
  }
}

export function silenceHandler({ requests, connect_ms, silence_ms }: Limits): NodeHttpHandler {
  const of = { keepAlive: true, maxSockets: requests };
  return new SilenceHandler({
    connectionTimeout: connect_ms,
    socketTimeout: silence_ms,
    // Made here, so that all requests share them, whatever silence they are granted.
    httpAgent: new Agent(of),
    httpsAgent: new TlsAgent(of),
  });
}
