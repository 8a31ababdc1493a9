/**
 * What an answer of an Iceberg REST catalog means. Whether a commit may have been made is asked apart from what a
 * caller may do: only an answer below 500, or a request that never left, says for certain that it was not.
 */
import { Failure, type FailureDetails } from '../../../base/base.ts';

type Class = Omit<FailureDetails, 'why' | 'cause'> & { says: string };

const NO_TOKEN: Class = {
  says: 'it does not accept who we are',
  ...{ code: 'catalog.unauthorized', fault: 'user' },
  hint: 'check the token or the client id and secret of the catalog, and that they have not expired',
};

const REFUSALS: Readonly<Record<number, Class>> = {
  400: {
    says: 'it does not understand the request',
    ...{ code: 'catalog.bad_request', fault: 'ourselves' },
    hint: 'the reason it gives may name a limit of the service; else please report it',
  },
  401: NO_TOKEN,
  403: {
    says: 'it is not allowed',
    ...{ code: 'catalog.forbidden', fault: 'user' },
    hint: 'allow this user to list, create, read and commit to tables, and to create namespaces',
  },
  404: {
    says: 'there is no such thing',
    ...{ code: 'catalog.not_found', fault: 'user' },
    hint: 'check the address, the warehouse and the prefix of the catalog, and that nobody dropped the table',
  },
  406: {
    says: 'it cannot do that',
    ...{ code: 'catalog.unsupported', fault: 'user' },
    hint: 'use a catalog that can create tables and commit to them',
  },
  409: {
    says: 'it conflicts with what is there',
    ...{ code: 'catalog.conflict', fault: 'service', retry: 'backoff' },
  },
  413: {
    says: 'the request is too large for it',
    ...{ code: 'catalog.too_large', fault: 'user' },
    hint: 'expire snapshots, so that the metadata of the table becomes smaller',
  },
  419: NO_TOKEN,
  429: {
    says: 'it asks for fewer requests',
    ...{ code: 'catalog.busy', fault: 'service', retry: 'backoff' },
    hint: 'nothing, if it passes; if it stays, commit less often (commit.maxAge)',
  },
};

const MOVED: Class = {
  says: 'it is elsewhere',
  ...{ code: 'catalog.moved', fault: 'user' },
  hint: 'give the address that it names',
};
const REFUSED: Class = { says: 'it refuses', ...{ code: 'catalog.refused', fault: 'service' } };
const NOT_WELL: Class = {
  says: 'it is not well',
  ...{ code: 'catalog.unavailable', fault: 'service', retry: 'backoff' },
  hint: 'it is tried again by itself; if it stays, look at the health of the catalog',
};

export interface Refusal {
  status: number;
  message: string;
  /** The status whose meaning it has, where that is another one. */
  meaning?: number;
}

/** An answer that is no success. */
export function refusal(attempt: string, { status, message, meaning = status }: Refusal): Failure {
  const { says, ...details } = classOf(meaning);
  return new Failure(`cannot ${attempt}: ${says}`, { ...details, why: `${status} ${message}`.trimEnd() });
}

function classOf(status: number): Class {
  if (status >= 500) return NOT_WELL;
  return REFUSALS[status] ?? (status >= 300 && status < 400 ? MOVED : REFUSED);
}

/** Of statuses only: a request that timed out on its way in may have been read to its end all the same. */
export const isDefinite = (status: number): boolean => status >= 300 && status < 500 && status !== 408;

/** We have something newer to show than what was refused, so the same again may work. */
export function outdated(attempt: string): Failure {
  return new Failure(`cannot ${attempt}: the token had expired`, {
    code: 'catalog.token_expired',
    fault: 'service',
    retry: 'backoff',
    why: 'the catalog refused the token; a new one was fetched',
  });
}

const NEVER_SENT = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'],
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

export const neverSent = (error: unknown): boolean => NEVER_SENT.has(codeOf(error) ?? '');

/** No answer, or one that ended early. */
export function unreachable(attempt: string, error: unknown): Failure {
  return new Failure(`cannot ${attempt}: no answer`, {
    code: 'catalog.unreachable',
    fault: 'service',
    retry: 'backoff',
    why: reasonOf(error),
    hint: 'check the address of the catalog, and the network from here to it',
    cause: error,
  });
}

export function unknownOutcome(attempt: string, error: unknown): Failure {
  return new Failure(`cannot tell whether the catalog did this: ${attempt}`, {
    code: 'catalog.unknown',
    fault: 'service',
    retry: 'refresh',
    why: reasonOf(error),
    cause: error,
  });
}

export function badAnswer(attempt: string, { why, cause }: { why: string; cause?: unknown }): Failure {
  return new Failure(`cannot ${attempt}: the answer cannot be used`, {
    code: 'catalog.bad_answer',
    fault: 'service',
    why,
    hint: 'check that the address is the one of an Iceberg REST catalog, without /v1',
    cause,
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof Failure) return error.why ?? error.message;
  const code = codeOf(error);
  const { message } =
    error instanceof Error ? ((error.cause as Error | undefined) ?? error) : { message: String(error) };
  return code === undefined || message.includes(code) ? message : `${code} ${message}`.trimEnd();
}

/** `fetch` wraps the network's error; the first of several addresses speaks for all. */
function codeOf(error: unknown): string | undefined {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  return cause === undefined ? undefined : codeOf(cause);
}
