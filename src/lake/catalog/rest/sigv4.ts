/** AWS Signature Version 4, as the Iceberg endpoints of Glue and S3 Tables want it. The body is part of the signature. */
import { SignatureV4 } from '@smithy/signature-v4';
import { type Clock, Failure, Sha256 } from '../../../base/base.ts';
import type { S3Credentials } from '../../../object-store/object-store.ts';
import type { Authorization } from './authorization.ts';
import type { HttpRequest } from './exchange.ts';

export interface SigV4Signer {
  region: string;
  /** The name that a service's signatures carry: `glue`, `s3tables`, or `execute-api` behind an API gateway. */
  service: string;
  /** A function is asked at every request, and is expected to cache, as those of the AWS SDK do. */
  credentials: S3Credentials | (() => Promise<S3Credentials>);
}

export function signBySigV4({ region, service, credentials }: SigV4Signer, clock: Clock): Authorization {
  const signer = new SignatureV4({ service, region, credentials: provide(credentials), sha256: Sha256 });
  return {
    async authorize(request) {
      const { headers } = await signer.sign(partsOf(request), { signingDate: new Date(clock.now()) });
      // `fetch` writes it itself, from the address.
      const { host: _, ...signed } = headers;
      return signed;
    },
  };
}

function partsOf({ method, url, headers, body }: HttpRequest) {
  const { protocol, hostname, host, port, pathname, searchParams } = new URL(url);
  return {
    method,
    protocol,
    hostname,
    ...(port !== '' && { port: Number(port) }),
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: { ...headers, host },
    ...(body !== undefined && { body }),
  };
}

/** A provider that finds nothing is the user's to mend, whatever it throws. One that found something before is away. */
function provide(credentials: SigV4Signer['credentials']) {
  if (typeof credentials !== 'function') return credentials;
  let found = false;
  return async () => {
    try {
      const given = await credentials();
      found = true;
      return given;
    } catch (cause) {
      throw new Failure('no AWS credentials for the catalog', {
        code: 'catalog.no_credentials',
        fault: 'user',
        retry: found ? 'backoff' : 'never',
        why: cause instanceof Error ? cause.message : String(cause),
        hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run with a role',
        cause,
      });
    }
  };
}
