/**
 * What a failed call means. Spark answers almost everything with INTERNAL; what happened stands in its error class and
 * in the Java types of the error and its causes.
 */
import { Code, type ConnectError } from '@connectrpc/connect';
import { Failure, type Retry } from '../../../base/base.ts';
import { ERROR_INFO } from './descriptors.ts';
import type { Message } from './messages.ts';

/** An error as the server tells it, the outermost first. */
export interface ServerAccount {
  messages: readonly string[];
  /** Java types, such as `org.apache.iceberg.exceptions.CommitFailedException`. */
  types: readonly string[];
  /** Such as `TABLE_OR_VIEW_NOT_FOUND`. */
  errorClass: string | undefined;
  sqlState: string | undefined;
}

/** The connection went away, not the operation. Node's http2 reports a cut socket as a cancelled stream. */
export function isLost(error: ConnectError): boolean {
  if (error.code === Code.Unavailable || error.code === Code.Canceled) return true;
  if (error.code === Code.DeadlineExceeded) return true;
  return /INVALID_CURSOR\.DISCONNECTED|ECONN|EPIPE|NGHTTP2_|http\/2|socket/i.test(error.rawMessage);
}

/** The server does not know the operation: it has never arrived, or the server is another process since. */
export const isUnknownOperation = (error: ConnectError) =>
  error.rawMessage.includes('INVALID_HANDLE.OPERATION_NOT_FOUND');

/** Of a session that was never heard of: its first operation has never arrived. */
export const isUnknownSession = (error: ConnectError) =>
  error.rawMessage.includes('INVALID_HANDLE.SESSION_NOT_FOUND');

/** Node's and OpenSSL's names of a certificate that is not believed. */
const UNTRUSTED =
  /^(CERT_|ERR_TLS_CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/;
/** What answers a handshake of TLS is none. */
const NO_TLS = /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|EPROTO)$/;

function socketCodeOf({ cause }: ConnectError): string {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

const SESSION_GONE = /INVALID_HANDLE\.SESSION_(NOT_FOUND|CLOSED|CHANGED)|SESSION_NOT_SAME/;

/** Asks the server for the whole account; what it cannot give is made of the short one. */
export async function accountOf(
  error: ConnectError,
  fetchDetails: (errorId: string) => Promise<Message<'FetchErrorDetailsResponse'>>,
): Promise<ServerAccount> {
  const info = error.findDetails(ERROR_INFO)[0] as Message<'ErrorInfo'> | undefined;
  const said = new Map(info?.metadata?.map(({ key, value }) => [key, value]));
  const short: ServerAccount = {
    messages: [error.rawMessage],
    types: info?.reason ? [info.reason] : [],
    errorClass: said.get('errorClass') || undefined,
    sqlState: said.get('sqlState') || undefined,
  };
  const errorId = said.get('errorId');
  if (!errorId) return short;
  const details = await fetchDetails(errorId).catch(() => undefined);
  const chain = details === undefined ? [] : chainOf(details);
  if (chain.length === 0) return short;
  const thrown = chain.find(({ sparkThrowable }) => sparkThrowable?.errorClass)?.sparkThrowable;
  return {
    messages: [...new Set(chain.map(({ message = '' }) => message))],
    types: chain.flatMap(({ errorTypeHierarchy = [] }) => errorTypeHierarchy.slice(0, 1)),
    errorClass: thrown?.errorClass || short.errorClass,
    sqlState: thrown?.sqlState || short.sqlState,
  };
}

const CAUSES_MAX = 8;

function chainOf({ rootErrorIdx, errors = [] }: Message<'FetchErrorDetailsResponse'>) {
  const chain: Message<'ServerError'>[] = [];
  let at = rootErrorIdx ?? 0;
  for (let error = errors[at]; error !== undefined && chain.length < CAUSES_MAX; error = errors[at]) {
    chain.push(error);
    at = error.causeIdx || Number.POSITIVE_INFINITY;
  }
  return chain;
}

/** Iceberg's own words for: somebody was faster, the catalog is away, nobody knows whether it was done. */
const PASSING =
  /CommitFailedException|CommitStateUnknownException|ServiceFailureException|UncheckedSQLException|refresh is required/;
const STOPPED = /stopped SparkContext|SparkContext was shut down|SparkContext has been shutdown/i;

export function sparkFailure(
  doing: string,
  { error, account, origin }: { error: ConnectError; account: ServerAccount; origin: string },
): Failure {
  const text = account.messages.join(' · caused by: ');
  const why = firstLine(
    account.errorClass && !text.includes(account.errorClass) ? `[${account.errorClass}] ${text}` : text,
  );
  const failure = (code: string, fault: 'user' | 'service' | 'ourselves', retry: Retry, hint?: string) =>
    new Failure(`${doing} failed in Spark at ${origin}`, {
      ...{ code, fault, retry, why, docs: 'docs/how-to/spark.md' },
      ...(hint === undefined ? {} : { hint }),
      cause: Object.assign(new Error(text, { cause: error }), account),
    });
  if (SESSION_GONE.test(error.rawMessage) || SESSION_GONE.test(account.errorClass ?? ''))
    return failure('spark.session_lost', 'service', 'backoff');
  if (error.code === Code.Unauthenticated || error.code === Code.PermissionDenied)
    return failure(
      'spark.unauthenticated',
      'user',
      'never',
      'give the server’s token in spark.url: ;token=…',
    );
  if (UNTRUSTED.test(socketCodeOf(error)))
    return failure(
      'spark.untrusted',
      'user',
      'never',
      'have the server’s certificate signed by an authority that Node knows, or name the authority’s file in NODE_EXTRA_CA_CERTS',
    );
  if (NO_TLS.test(socketCodeOf(error)))
    return failure(
      'spark.no_tls',
      'user',
      'never',
      'what answers there speaks no TLS: write use_ssl=false in spark.url, or give the server a certificate',
    );
  if (account.errorClass === 'OPERATION_CANCELED') return failure('spark.interrupted', 'service', 'backoff');
  if (isUnknownOperation(error)) return failure('spark.operation_lost', 'service', 'backoff');
  if (isLost(error) || STOPPED.test(text)) {
    return failure(
      'spark.unreachable',
      'service',
      'backoff',
      'is the server running, and spark.url right? A server with TLS needs use_ssl=true in it',
    );
  }
  if (account.types.some((type) => PASSING.test(type)) || PASSING.test(text))
    return failure('spark.commit_failed', 'service', 'backoff');
  return failure('spark.failed', 'ourselves', 'never');
}

export const isSessionLost = (error: unknown) =>
  error instanceof Failure &&
  ['spark.session_lost', 'spark.operation_lost', 'spark.unreachable'].includes(error.code);

const WHY_CHARS_MAX = 600;
const firstLine = (text: string) => text.replace(/\s*\n\s*/g, ' ').slice(0, WHY_CHARS_MAX);
