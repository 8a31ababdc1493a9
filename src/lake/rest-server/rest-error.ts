/** Errors as the protocol tells them: a status, the name of a Java exception, and a message for people. */
import type { Failure } from '../../base/base.ts';

export type ErrorType =
  | 'BadRequestException'
  | 'NotAuthorizedException'
  | 'ForbiddenException'
  | 'NoSuchNamespaceException'
  | 'NoSuchTableException'
  | 'NoSuchWarehouseException'
  | 'NotFoundException'
  | 'AlreadyExistsException'
  | 'NamespaceNotEmptyException'
  | 'CommitFailedException'
  | 'UnprocessableEntityException'
  | 'CommitStateUnknownException'
  | 'ServiceUnavailableException'
  | 'UnsupportedOperationException'
  | 'InternalServerError';

export class RestError extends Error {
  override readonly name = 'RestError';
  readonly status: number;
  readonly type: ErrorType;

  constructor(status: number, type: ErrorType, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

export const badRequest = (message: string): RestError => new RestError(400, 'BadRequestException', message);

export const noSuchNamespace = (namespace: string): RestError =>
  new RestError(404, 'NoSuchNamespaceException', `Namespace does not exist: ${namespace}`);

export const noSuchTable = (name: string): RestError =>
  new RestError(404, 'NoSuchTableException', `Table does not exist: ${name}`);

export const tableExists = (name: string): RestError =>
  new RestError(409, 'AlreadyExistsException', `Table already exists: ${name}`);

/** In the words of Java's own readers. */
export const missingFile = (location: string): RestError =>
  new RestError(404, 'NotFoundException', `Failed to open input stream for file: ${location}`);

/** Nothing was changed; made anew on the current version it may succeed. */
export const commitFailed = (message: string): RestError =>
  new RestError(409, 'CommitFailedException', message);

/** What a Failure of the modules below means to a client. Undefined: none of its business, or a bug of ours. */
export function restErrorOf(failure: Failure): RestError | undefined {
  const message = failure.why === undefined ? failure.message : `${failure.message}: ${failure.why}`;
  switch (failure.code) {
    case 'lake.stale_update':
      return commitFailed(message);
    case 'catalog.unknown':
      return new RestError(500, 'CommitStateUnknownException', message);
    case 'catalog.busy':
      return new RestError(503, 'ServiceUnavailableException', message);
    case 'object_store.not_found':
      return new RestError(404, 'NotFoundException', failure.message);
    case 'object_store.bad_location':
      return badRequest(message);
    default:
      return failure.fault === 'user' ? badRequest(message) : undefined;
  }
}
