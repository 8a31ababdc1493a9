/** AWS Signature Version 4 for Kinesis. */
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../base/base.ts';
import type { Credentials } from './client.ts';
import { credentialsFailure } from './service-failures.ts';

export interface Signing {
  endpoint: URL;
  region: string;
  credentials: Credentials;
}

export type Sign = (
  headers: Record<string, string>,
  body: Uint8Array,
  at: Date,
) => Promise<Record<string, string>>;

export function openSigning({ endpoint, region, credentials }: Signing): Sign {
  const signer = new SignatureV4({
    service: 'kinesis',
    region,
    credentials: provide(credentials),
    sha256: Sha256,
  });
  const [hostname, port] = [endpoint.hostname, endpoint.port];
  const request = {
    method: 'POST',
    protocol: endpoint.protocol,
    hostname,
    path: '/',
    ...(port !== '' && { port: Number(port) }),
  };
  return async (headers, body, at) => {
    const all = { ...headers, host: endpoint.host };
    const signed = await signer.sign({ ...request, headers: all, body }, { signingDate: at });
    return signed.headers;
  };
}

/**
 * A provider that finds nothing is the user's to mend, whatever it throws. One that found something before is away: what
 * hands out credentials on a machine of a cloud has outages of its own, and whoever logs in again needs no restart.
 */
function provide(credentials: Credentials) {
  if (typeof credentials !== 'function') return credentials;
  let found = false;
  return async () => {
    try {
      const given = await credentials();
      found = true;
      return given;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw credentialsFailure('No AWS credentials', { why, cause, ...(found && { retry: 'backoff' }) });
    }
  };
}
