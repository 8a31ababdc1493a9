/** AWS Signature Version 4 for Kinesis. */
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../base/base.ts';
import type { Credentials } from './client.ts';
import { credentialsFailure } from './service-failures.ts';

export interface SigningOptions {
  endpoint: URL;
  region: string;
  credentials: Credentials;
}

export interface Signing {
  sign(headers: Record<string, string>, body: Uint8Array, at: Date): Promise<Record<string, string>>;
  /** The session ran out: the next signature is made with credentials that the provider loads anew. */
  renew(): void;
}

export function openSigning({ endpoint, region, credentials }: SigningOptions): Signing {
  const provider = provide(credentials);
  const signer = new SignatureV4({
    service: 'kinesis',
    region,
    credentials: provider.get,
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
  return {
    renew: provider.renew,
    async sign(headers, body, at) {
      const all = { ...headers, host: endpoint.host };
      const signed = await signer.sign({ ...request, headers: all, body }, { signingDate: at });
      return signed.headers;
    },
  };
}

/** A provider that finds nothing is the user's to mend, whatever it throws. One that found something before is away. */
function provide(credentials: Credentials) {
  if (typeof credentials !== 'function') return { get: credentials, renew: () => {} };
  let [found, ranOut] = [false, false];
  const get = async () => {
    const how = ranOut ? { forceRefresh: true } : undefined;
    ranOut = false;
    try {
      const given = await credentials(how);
      found = true;
      return given;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw credentialsFailure('No AWS credentials', { why, cause, had: found });
    }
  };
  const renew = () => {
    ranOut = true;
  };
  return { get, renew };
}
