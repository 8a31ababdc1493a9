/**
 * What an answer of S3, or the lack of one, means. Two questions are kept apart: what a caller may do (`retry`), and
 * whether the request may have been carried out all the same (`outcome`). Only the second decides about conditional
 * writes: `refused` is said only where the store told us so, or the request was never sent.
 */
import { Failure, type FailureDetails } from '../base/base.ts';

export type Outcome = 'refused' | 'uncertain';

/** One attempt of one request that was not answered with success. */
export class S3Failure extends Failure {
  readonly outcome: Outcome;
  readonly status: number | undefined;
  /** S3's own name for it, such as `NoSuchKey`, or the network's, such as `ECONNRESET`. */
  readonly reason: string;

  constructor(message: string, details: FailureDetails & Answer & { outcome: Outcome }) {
    super(message, details);
    this.outcome = details.outcome;
    this.status = details.status;
    this.reason = details.reason;
  }
}

interface Answer {
  status: number | undefined;
  reason: string;
}

interface Class extends Omit<FailureDetails, 'why' | 'cause'> {
  reasons?: readonly string[];
  statuses?: readonly number[];
  /** Follows the attempt and a colon. */
  says: string;
}

const ACCESS =
  'Allow s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload on the prefix and s3:ListBucket on the bucket (without the last, S3 says "denied" for what is missing).';

export const EXPIRED_TOKEN = 'object_store.expired_token';
const NO_CREDENTIALS = 'object_store.no_credentials';

/** The first row that names the reason is it; else the first that names the status. */
const CLASSES: readonly Class[] = [
  {
    reasons: ['NoSuchBucket'],
    says: 'there is no such bucket',
    ...{ code: 'object_store.no_bucket', fault: 'user' },
    hint: 'create the bucket, or correct its name; Lakeward creates none',
  },
  {
    reasons: ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'],
    says: 'the session token has expired',
    ...{ code: EXPIRED_TOKEN, fault: 'user' },
    hint: 'sign in again (aws sso login), or give credentials that renew themselves, such as a role',
  },
  {
    reasons: ['CredentialsProviderError', 'TokenProviderError'],
    says: 'no AWS credentials were found',
    ...{ code: NO_CREDENTIALS, fault: 'user' },
    hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run with a role',
  },
  {
    reasons: ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'InvalidSecurity'],
    statuses: [401],
    says: 'the credentials are not valid here',
    ...{ code: 'object_store.bad_credentials', fault: 'user' },
    hint: 'check that key and secret belong together, and that they are of the endpoint that store.endpoint names',
  },
  {
    reasons: ['RequestTimeTooSkewed'],
    says: 'the clock of this machine is wrong',
    ...{ code: 'object_store.clock_skew', fault: 'user', retry: 'backoff' },
    hint: 'set the clock (NTP): S3 refuses requests that are more than 15 minutes off',
  },
  {
    reasons: ['PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed', 'IncorrectEndpoint'],
    statuses: [301, 302, 307, 308],
    says: 'the bucket is in another region',
    ...{ code: 'object_store.wrong_region', fault: 'user' },
    hint: 'set store.region to the region of the bucket (aws s3api get-bucket-location)',
  },
  {
    reasons: ['Region is missing'],
    says: 'no region is set',
    ...{ code: 'object_store.no_region', fault: 'user' },
    hint: 'set store.region or AWS_REGION',
  },
  {
    reasons: ['NotImplemented', 'MethodNotAllowed'],
    statuses: [405, 501],
    says: 'this store cannot do that',
    ...{ code: 'object_store.unsupported', fault: 'user' },
    hint: 'use a store that has conditional writes (If-Match, If-None-Match), multipart uploads and ListObjectsV2',
  },
  {
    reasons: ['QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded'],
    statuses: [507],
    says: 'the store is full',
    ...{ code: 'object_store.full', fault: 'user', retry: 'backoff' },
    hint: 'free some space or raise the quota; nothing that was acknowledged is lost',
  },
  {
    reasons: [
      ...[
        'SlowDown',
        'SlowDownRead',
        'SlowDownWrite',
        'Throttling',
        'ThrottlingException',
        'ThrottledException',
      ],
      ...['RequestThrottled', 'RequestLimitExceeded', 'BandwidthLimitExceeded', 'TooManyRequests'],
    ],
    statuses: [429],
    says: 'the store asks for fewer requests',
    ...{ code: 'object_store.slow_down', fault: 'service', retry: 'backoff' },
    hint: 'nothing, if it passes; if it stays: lower store.requests, or commit less often (commit.maxAge)',
  },
  {
    reasons: ['ConditionalRequestConflict', 'OperationAborted'],
    statuses: [409],
    says: 'others write it at the same time',
    ...{ code: 'object_store.busy', fault: 'service', retry: 'backoff' },
    hint: 'nothing was written; the same again later may work; if it stays, look for too many writers of one table',
  },
  {
    reasons: ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'],
    says: 'the store cannot be reached',
    ...{ code: 'object_store.unreachable', fault: 'service', retry: 'backoff' },
    hint: 'check store.endpoint, and the network from here to it',
  },
  {
    reasons: [
      ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ],
    says: 'the certificate of the store is not trusted',
    ...{ code: 'object_store.untrusted', fault: 'user' },
    hint: 'name the certificate authority in NODE_EXTRA_CA_CERTS, and the endpoint as its certificate has it',
  },
  {
    reasons: ['RequestTimeout', 'InternalError', 'ServiceUnavailable', 'BadDigest'],
    statuses: [408, 500, 502, 503, 504],
    says: 'the store is not well',
    ...{ code: 'object_store.unavailable', fault: 'service', retry: 'backoff' },
    hint: 'it is tried again by itself; if it stays, look at the health of the store',
  },
  {
    reasons: ['AccessDenied', 'AllAccessDisabled', 'AccountProblem'],
    statuses: [403],
    says: 'not allowed',
    ...{ code: 'object_store.access_denied', fault: 'user' },
    hint: ACCESS,
  },
];

const REFUSED_BY_STORE: Class = {
  says: 'the store refuses it',
  ...{ code: 'object_store.failed', fault: 'service' },
};
/** No answer: reset, timed out, or ended in the middle. */
const LOST: Class = {
  says: 'the answer was lost',
  ...{ code: 'object_store.unavailable', fault: 'service', retry: 'backoff' },
  hint: 'it is tried again by itself; if it stays, look at the network and the health of the store',
};
const BUG: Class = { says: 'a mistake in the program', code: 'object_store.bug', fault: 'ourselves' };

/** Of requests that never left this process, or that ask for what the store does not have. */
const NEVER_DONE = new Set([
  'object_store.unsupported',
  ...[NO_CREDENTIALS, 'object_store.no_region'],
  ...['object_store.unreachable', 'object_store.untrusted'],
]);
const KNOWN_REASONS = new Set(CLASSES.flatMap(({ reasons }) => reasons ?? []));

/** Any error of the SDK, as a Failure; `attempt` says what was being done. */
export function s3Failure(attempt: string, error: unknown): S3Failure {
  if (error instanceof S3Failure) return error;
  const answer = answerOf(error);
  const { says, reasons: _, statuses: __, ...details } = classOf(answer, error);
  const outcome = outcomeOf(answer, details.code);
  const told = [answer.status, answer.reason, messageOf(error)].filter((part) => part !== undefined);
  const why = [...new Set(told)].join(' ');
  return new S3Failure(`${attempt}: ${says}`, { ...details, ...answer, outcome, why, cause: error });
}

/**
 * Credentials that served before and are away, or ran out, are waited for: what hands them out on a machine of a cloud has
 * outages of its own, and whoever logs in again needs no restart.
 */
export function waitedFor(failure: S3Failure): S3Failure {
  if (failure.code !== EXPIRED_TOKEN && failure.code !== NO_CREDENTIALS) return failure;
  const { message, code, fault, why, docs, cause, outcome, status, reason } = failure;
  return new S3Failure(message, {
    ...{ code, fault, cause, outcome, status, reason },
    ...(why !== undefined && { why }),
    ...(docs !== undefined && { docs }),
    retry: 'backoff',
    hint: 'log in again (aws sso login), or mend what hands out the credentials: it goes on by itself then; with credentials from its environment, start it again with new ones',
  });
}

/** A body that ended early, or that is not what was asked for. */
export function shortBody(attempt: string, { got, expected }: { got: number; expected: number }): S3Failure {
  const { says: _, ...details } = LOST;
  return new S3Failure(`${attempt}: the answer ended early`, {
    ...details,
    ...{ status: undefined, reason: 'ShortBody', outcome: 'uncertain' },
    why: `${got} bytes came of ${expected}`,
  });
}

/** The object, not its bucket; and said to the end, for a body that broke off may have been about the bucket. */
export const isMissingObject = ({ status, code, retry }: S3Failure): boolean =>
  status === 404 && code !== 'object_store.no_bucket' && retry === 'never';

/** One key's error inside of an answer that succeeded. */
export function perKeyFailure(
  attempt: string,
  { code, message }: { code: string; message: string },
): S3Failure {
  const { says, reasons: _, statuses: __, ...details } = named(code) ?? REFUSED_BY_STORE;
  const answer = { status: undefined, reason: code, outcome: 'refused' as const };
  return new S3Failure(`${attempt}: ${says}`, { ...details, ...answer, why: `${code} ${message}`.trimEnd() });
}

function answerOf(error: unknown): Answer {
  const told = (error ?? {}) as {
    name?: string;
    message?: string;
    code?: unknown;
    Code?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  const names = [told.code, told.Code, told.name, told.message].filter((name) => typeof name === 'string');
  const reason = names.find((name) => KNOWN_REASONS.has(name)) ?? names[0] ?? String(error);
  return { status: told.$metadata?.httpStatusCode, reason };
}

const named = (reason: string): Class | undefined => CLASSES.find(({ reasons }) => reasons?.includes(reason));

function classOf({ status, reason }: Answer, error: unknown): Class {
  const byReason = named(reason);
  if (byReason) return byReason;
  if (status === undefined) return isBug(error) ? BUG : LOST;
  // The status came, what it is about did not.
  if (/^E[A-Z]+$/.test(reason)) return LOST;
  const byStatus = CLASSES.find(({ statuses }) => statuses?.includes(status));
  if (byStatus) return byStatus;
  // A success that could not be understood was cut off, or is no S3's.
  return status < 300 || status >= 500 ? LOST : REFUSED_BY_STORE;
}

function outcomeOf({ status, reason }: Answer, code: string): Outcome {
  if (NEVER_DONE.has(code)) return 'refused';
  const definite = status !== undefined && status >= 300 && status < 500 && status !== 408;
  return definite && reason !== 'RequestTimeout' ? 'refused' : 'uncertain';
}

/** The SDK hangs the response on errors of its own making; a plain TypeError without one is ours. */
const isBug = (error: unknown): boolean =>
  (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) &&
  !('$response' in error) &&
  !('code' in error);

const messageOf = (error: unknown): string | undefined => {
  const message = error instanceof Error ? error.message : undefined;
  return message === '' || message === 'UnknownError' ? undefined : message;
};
