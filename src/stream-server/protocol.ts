import { isUtf8 } from 'node:buffer';
import type { Log } from '../base/base.ts';
import { JSON_CONTENT_TYPE, type OperationName, TARGET_PREFIX } from '../kinesis/kinesis.ts';
import type { Answer } from './answer.ts';
import { checkAuthentication } from './authentication.ts';
import { CBOR_CONTENT_TYPE, cborRefusal } from './cbor-refusal.ts';
import { checkInput } from './check-input.ts';
import { INPUT_SHAPES } from './input-shapes.ts';
import { internalFailure, ServiceError } from './service-error.ts';

export interface Request {
  method: string;
  /** Path and query. */
  address: string;
  header: (name: string) => string | undefined;
  body: Buffer;
}

/** What an operation gives back: text or bytes of JSON, or undefined for one that has no output. */
export type Run = (
  operation: OperationName,
  input: Record<string, unknown>,
) => Promise<string | Buffer | undefined>;

/**
 * From a request to an answer, in the order in which the service looks at it: method, content type, body, target,
 * signature, types, constraints, and only then the operation itself. Never throws.
 */
export async function answer(request: Request, run: Run, log: Log): Promise<Answer> {
  try {
    const refused = refuseForeign(request);
    if (refused) return refused;
    const operation = operationOf(request);
    const input = parseBody(request.body, operation);
    if (!operation) throw new ServiceError('UnknownOperationException');
    authenticate(request);
    const output = await run(operation, checkInput(operation, input));
    return { status: 200, contentType: JSON_CONTENT_TYPE, body: output ?? '' };
  } catch (error) {
    const known = error instanceof ServiceError ? error : internalFailure();
    if (known !== error)
      log.error('stream_server.request_failed', 'A request failed for a reason of our own', {
        target: request.header('x-amz-target'),
        why: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    return errorAnswer(known);
  }
}

export function errorAnswer(error: ServiceError): Answer {
  return { status: error.status, contentType: JSON_CONTENT_TYPE, body: error.body() };
}

export function operationOf({ header }: Pick<Request, 'header'>): OperationName | undefined {
  const target = header('x-amz-target') ?? '';
  const name = target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : '';
  return Object.hasOwn(INPUT_SHAPES, name) ? (name as OperationName) : undefined;
}

/** What does not even speak the protocol gets the front end's answer, which is XML. */
function refuseForeign({ method, header }: Request): Answer | undefined {
  const noOperation = xml(
    403,
    'AccessDeniedException',
    'Unable to determine service/operation name to be authorized',
  );
  if (method !== 'POST') return noOperation;
  const contentType = (header('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
  if (contentType === JSON_CONTENT_TYPE) return undefined;
  if (contentType === CBOR_CONTENT_TYPE) return cborRefusal();
  const [service, operation] = (header('x-amz-target') ?? '').split('.');
  return service && operation ? xml(404, 'UnknownOperationException') : noOperation;
}

function xml(status: number, name: string, message?: string): Answer {
  const body =
    message === undefined ? `<${name}/>\n` : `<${name}>\n  <Message>${message}</Message>\n</${name}>\n`;
  return { status, body };
}

function parseBody(body: Buffer, operation: OperationName | undefined): object {
  if (body.length === 0)
    throw new ServiceError(operation ? 'SerializationException' : 'UnknownOperationException');
  try {
    if (!isUtf8(body)) throw new SyntaxError('not UTF-8');
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
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
