import { ServiceError } from './service-error.ts';

export interface Credentials {
  authorization: string | undefined;
  hasDate: boolean;
  /** What follows the `?` of the address. */
  query: string;
}

/**
 * A request must look signed, as clients that forgot their credentials should find out here and not on AWS. The
 * signature itself is not verified: the server knows no secrets, and listens on loopback unless told otherwise.
 */
export function checkAuthentication({ authorization, hasDate, query }: Credentials): void {
  const signedInQuery = new URLSearchParams(query).has('X-Amz-Algorithm');
  if (authorization !== undefined && signedInQuery)
    throw new ServiceError(
      'InvalidSignatureException',
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    );
  if (authorization !== undefined) checkHeader(authorization, hasDate);
  else if (signedInQuery) checkQuery(new URLSearchParams(query));
  else throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
}

function checkHeader(authorization: string, hasDate: boolean): void {
  const given = new Set(authorization.split(/[, ]+/).map((part) => part.slice(0, part.indexOf('='))));
  const missing = ['Credential', 'Signature', 'SignedHeaders']
    .filter((name) => !given.has(name))
    .map((name) => `Authorization header requires '${name}' parameter. `);
  if (!hasDate)
    missing.push(`Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. `);
  if (missing.length > 0)
    throw new ServiceError(
      'IncompleteSignatureException',
      `${missing.join('')}Authorization=${authorization}`,
    );
}

function checkQuery(query: URLSearchParams): void {
  const missing = ['X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date']
    .filter((name) => !query.get(name))
    .map((name) => `AWS query-string parameters must include '${name}'. `);
  if (missing.length > 0)
    throw new ServiceError(
      'IncompleteSignatureException',
      `${missing.join('')}Re-examine the query-string parameters.`,
    );
}
