/** What the service or the way to it answered, as Failures: whose problem, whether a retry can help, what to do. */
import { Failure, type FailureDetails } from '../base/base.ts';

export interface ServiceError {
  operation: string;
  status: number;
  name: string;
  message: string;
}

/** Whoever holds the key can mend it, also while we wait: reading goes on by itself then. */
const KEY = new Set([
  'KMSAccessDeniedException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSNotFoundException',
  'KMSOptInRequired',
]);

/** What makes requests with a session that ran out. */
export const EXPIRED_TOKEN = 'ExpiredTokenException';

/** More than one name means that the service does not take who we are. */
const IDENTITY = new Set([
  EXPIRED_TOKEN,
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'InvalidClientTokenId',
  'MissingAuthenticationTokenException',
  'UnrecognizedClientException',
]);

const LATER = new Set([
  'ExpiredIteratorException',
  'InternalFailure',
  'InternalFailureException',
  'KMSThrottlingException',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestTimeout',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'ThrottlingException',
]);

/** Throttled: the service works, we ask for too much. Waiting always helps, so such waits are never counted up. */
export const isThrottle = (error: unknown): boolean =>
  error instanceof Failure &&
  /^kinesis\.(ProvisionedThroughputExceeded|LimitExceeded|Throttling|KMSThrottling)Exception$/.test(
    error.code,
  );

const HINTS: Record<string, string> = {
  AccessDeniedException: 'Give this identity the right to the operation on this stream (IAM policy).',
  KMSAccessDeniedException: 'Give this identity the right to use the key that the stream is encrypted with.',
  KMSDisabledException: 'Enable the key that the stream is encrypted with. Reading goes on by itself then.',
  KMSInvalidStateException: 'Look at the state of the key that the stream is encrypted with.',
  KMSNotFoundException:
    'The key that the stream is encrypted with is gone; its records cannot be read without it.',
  ProvisionedThroughputExceededException: 'Add shards, or let fewer consumers read this stream.',
  ResourceNotFoundException: 'Check name, region and endpoint of the stream.',
  UnknownOperationException: 'This endpoint does not speak Kinesis, or not this operation.',
};

/** `served`: the service took credentials of ours before. */
export function serviceFailure(
  { operation, status, name, message }: ServiceError,
  { served }: { served: boolean },
): Failure {
  const why = `${name}: ${message}`;
  if (IDENTITY.has(name)) {
    return credentialsFailure(`${operation} was refused`, { why, had: served && name === EXPIRED_TOKEN });
  }
  const later = LATER.has(name) || status >= 500 || status === 429;
  const hint = HINTS[name];
  return new Failure(`${operation} failed`, {
    code: `kinesis.${name}`,
    fault: later ? 'service' : 'user',
    retry: later || KEY.has(name) ? 'backoff' : 'never',
    why,
    ...(hint !== undefined && { hint }),
  });
}

/**
 * Credentials that we had and that are away or ran out are waited for: what hands them out on a machine of a cloud has
 * outages of its own, and whoever logs in again needs no restart. Without any that ever served there is nothing to wait for.
 */
export function credentialsFailure(
  message: string,
  { had, ...details }: Pick<FailureDetails, 'why' | 'cause'> & { had: boolean },
): Failure {
  return new Failure(message, {
    code: 'stream.credentials',
    fault: 'user',
    retry: had ? 'backoff' : 'never',
    hint: had
      ? 'log in again (aws sso login), or mend what hands out the credentials: it goes on by itself then; with credentials from its environment, start it again with new ones'
      : 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose an AWS_PROFILE, or log in again (aws sso login)',
    ...details,
  });
}

/** No whole answer came. Whether the request was carried out is unknown. */
export function connectionFailure(
  operation: string,
  { endpoint, error }: { endpoint: URL; error: unknown },
): Failure {
  return new Failure(`${operation}: no answer from ${endpoint.origin}`, {
    code: 'stream.unreachable',
    fault: 'service',
    retry: 'backoff',
    why: reasonOf(error),
    hint: 'is the address right, and does something listen there? (--endpoint, --stream-region)',
    cause: error,
  });
}

/** Node gives an AggregateError without a message when a name has several addresses. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
