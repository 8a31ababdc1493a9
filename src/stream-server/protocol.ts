import type { Log } from '../base/base.ts';
import { EVENT_STREAM_CONTENT_TYPE, type OperationName, TARGET_PREFIX } from '../kinesis/kinesis.ts';
import type { Answer } from './answer.ts';
import { checkAuthentication } from './authentication.ts';
import { inSeconds } from './cbor-timestamps.ts';
import { checkInput } from './check-input.ts';
import { CONTENT_TYPES, decode, type Encoding, encode, encodingOf } from './encoding.ts';
import { EventStream } from './event-frames.ts';
import { INPUT_SHAPES } from './input-shapes.ts';
import { refusalOf } from './refused-operations.ts';
import { internalFailure, ServiceError } from './service-error.ts';

export interface Request {
  method: string;
  /** Path and query. */
  address: string;
  header: (name: string) => string | undefined;
  body: Buffer;
}

/** What an operation gives back: text or bytes in the encoding of the request, or undefined when it has no output. */
export type Run = (
  operation: OperationName,
  input: Record<string, unknown>,
  encoding: Encoding,
) => Promise<string | Buffer | EventStream | undefined>;

/**
 * From a request to an answer, in the order in which the service looks at it: method, content type, body, target,
 * signature, types, constraints, and only then the operation itself. Never throws.
 */
export async function answer(request: Request, run: Run, log: Log): Promise<Answer> {
  const encoding = request.method === 'POST' ? encodingOf(request.header('content-type')) : undefined;
  if (!encoding) return foreignAnswer(request);
  try {
    const operation = operationOf(request);
    const input = parseBody(request.body, operation, encoding);
    if (!operation) throw new ServiceError('UnknownOperationException', refusalOf(nameIn(request)));
    authenticate(request);
    const shape = INPUT_SHAPES[operation];
    const checked = checkInput(operation, encoding === 'cbor' ? inSeconds(input, shape) : input);
    const output = await run(operation, checked, encoding);
    const contentType = output instanceof EventStream ? EVENT_STREAM_CONTENT_TYPE : CONTENT_TYPES[encoding];
    return { status: 200, contentType, body: output ?? '' };
  } catch (error) {
    const known = error instanceof ServiceError ? error : internalFailure();
    if (known !== error)
      log.error('stream_server.request_failed', 'A request failed for a reason of our own', {
        target: request.header('x-amz-target'),
        why: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    return errorAnswer(known, encoding);
  }
}

export function errorAnswer(error: ServiceError, encoding: Encoding): Answer {
  return {
    status: error.status,
    contentType: CONTENT_TYPES[encoding],
    body: encode(error.shape(), encoding),
  };
}

export function operationOf({ header }: Pick<Request, 'header'>): OperationName | undefined {
  const name = nameIn({ header });
  return Object.hasOwn(INPUT_SHAPES, name) ? (name as OperationName) : undefined;
}

function nameIn({ header }: Pick<Request, 'header'>): string {
  const target = header('x-amz-target') ?? '';
  return target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : '';
}

/** What does not even speak the protocol gets the front end's answer, which is XML. */
function foreignAnswer({ method, header }: Request): Answer {
  const [service, operation] = (header('x-amz-target') ?? '').split('.');
  if (method === 'POST' && service && operation) return xml(404, 'UnknownOperationException');
  return xml(403, 'AccessDeniedException', 'Unable to determine service/operation name to be authorized');
}

function xml(status: number, name: string, message?: string): Answer {
  const body =
    message === undefined ? `<${name}/>\n` : `<${name}>\n  <Message>${message}</Message>\n</${name}>\n`;
  return { status, body };
}

function parseBody(body: Buffer, operation: OperationName | undefined, encoding: Encoding): object {
  if (body.length === 0)
    throw new ServiceError(operation ? 'SerializationException' : 'UnknownOperationException');
  try {
    const parsed = decode(body, encoding);
    const isMap = typeof parsed === 'object' && !Array.isArray(parsed) && !(parsed instanceof Uint8Array);
    if (isMap && parsed !== null) return parsed;
  } catch {}
  throw new ServiceError('SerializationException');
}

function authenticate({ header, address }: Request): void {
  const question = address.indexOf('?');
  checkAuthentication({
    authorization: header('authorization'),
    hasDate: header('x-amz-date') !== undefined || header('date') !== undefined,
    query: question < 0 ? '' : address.slice(question + 1),
  });
}
